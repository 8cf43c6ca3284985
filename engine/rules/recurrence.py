"""When an item that is finished comes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.contracts.steering import RecurSpec
from engine.rules.budget import day_bounds
from engine.rules.schedule import cron_problem, next_cron

_HOURS: Final = (1 / 60, 10 * 365 * 24)
"""The fewest and the most hours that an item may name: a minute, and ten years."""
_CRON_CHARS: Final = 200


def of_item(recur: RecurSpec, told: Mapping[str, Any]) -> RecurSpec | None:
    """What holds for one item, given its data and signals; None: it does not come back.

    What an item says is data from outside: whatever cannot be read counts as said nothing.
    """
    own = told.get(recur.by) if recur.by is not None else None
    match own:
        case "daily":
            return RecurSpec(each="day")
        case "weekly":
            return RecurSpec(each="week")
        case "never":
            return None
        case int() | float() if not isinstance(own, bool) and _HOURS[0] <= own <= _HOURS[1]:
            return RecurSpec(after_s=own * 3600.0)
        case str() if len(own) <= _CRON_CHARS and cron_problem(own) is None:
            return RecurSpec(cron=own)
    return recur if recur.each or recur.after_s or recur.cron else None


def next_due(recur: RecurSpec, completed_at: int, zone: ZoneInfo) -> int:
    """The first time (ms UTC) at which an item that was last completed at `completed_at` is due again.

    Daily is once per calendar day and weekly once per week from Monday, where the user lives, whatever the hour; it
    depends on the last completion alone, so that a machine that slept through several turns makes up for one.
    """
    if recur.cron is not None:
        return next_cron(recur.cron, completed_at, zone)
    if recur.each == "day":
        return day_bounds(completed_at, zone)[1]
    if recur.each == "week":
        day = datetime.fromtimestamp(completed_at / 1000, zone)
        monday = (day - timedelta(days=day.weekday())).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        return round((monday + timedelta(days=7)).replace(tzinfo=zone).timestamp() * 1000)
    return completed_at + round((recur.after_s or 0) * 1000)
