"""When an item that is finished comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.contracts.steering import RecurSpec
from engine.rules.budget import day_bounds
from engine.rules.schedule import next_cron


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
