"""Whether the work of a job, or one of its items, may start now; what is held back says why, and until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.contracts.steering import Condition, EligibilitySpec, Hours
from engine.contracts.values import dataclass
from engine.rules.conditions import first_unmet, is_said, wanted
from engine.rules.words import span


@dataclass(frozen=True, slots=True)
class Idle:
    """How long the user has done nothing."""

    seconds: float | None
    """None: nothing can tell."""
    why: str = ""
    """Why nothing can tell."""


@dataclass(frozen=True, slots=True)
class QuotaNow:
    """What is left of a model's quota."""

    left: int
    resets_at: int | None = None
    """ms UTC."""


@dataclass(frozen=True, slots=True)
class Held:
    """One reason why nothing of a job may start now."""

    why: str
    until: int | None
    """When it frees at the earliest, ms UTC; None: not known."""


def item_hold(conditions: Sequence[Condition], found: Mapping[str, Any]) -> str | None:
    """Why an item with these fields may not start; None: it may."""
    condition = first_unmet(conditions, found)
    return None if condition is None else f"{is_said(condition, found)}; this job takes {wanted(condition)}"


def job_holds(
    spec: EligibilitySpec, *, now: int, zone: ZoneInfo, idle: Idle, quotas: Mapping[str, QuotaNow]
) -> Iterator[Held]:
    """Every reason why nothing of a job may start now."""
    if spec.hours and not any(is_within(hours, now, zone) for hours in spec.hours):
        allowed = ", ".join(str(hours) for hours in spec.hours)
        yield Held(f"outside its hours {allowed}", next_start(spec.hours, now, zone))
    if spec.user_idle_s is not None:
        yield from _user(spec.user_idle_s, idle, now)
    for name in spec.quota:
        quota = quotas.get(name)
        if quota is not None and quota.left <= 0:
            yield Held(f"the quota of {name} is used up", quota.resets_at)


def _user(wanted_s: float, idle: Idle, now: int) -> Iterator[Held]:
    if idle.seconds is None:
        yield Held(f"waits until the user is idle for {span(wanted_s)}, and nothing tells that: {idle.why}", None)
    elif idle.seconds < wanted_s:
        until = now + round((wanted_s - idle.seconds) * 1000)
        yield Held(f"the user is active; it waits for {span(wanted_s)} of rest", until)


def is_within(hours: Hours, now: int, zone: ZoneInfo) -> bool:
    """Whether a time lies in a part of the day."""
    local = datetime.fromtimestamp(now / 1000, zone)
    minute = local.hour * 60 + local.minute
    if hours.start < hours.end:
        return hours.start <= minute < hours.end
    return minute >= hours.start or minute < hours.end


def quiet_until(hours: Hours, now: int, zone: ZoneInfo) -> int | None:
    """When the hours that a time lies in end, ms UTC; None when it lies outside them."""
    if not is_within(hours, now, zone):
        return None
    return next_start((Hours(start=hours.end, end=hours.start),), now, zone)


def next_start(hours: Sequence[Hours], now: int, zone: ZoneInfo) -> int:
    """When the next of these parts of the day begins, ms UTC; a wall-clock time that is skipped comes right after."""
    today = datetime.fromtimestamp(now / 1000, zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    starts = [
        round((today + timedelta(days=day, minutes=one.start)).replace(tzinfo=zone).timestamp() * 1000)
        for day in (0, 1, 2)
        for one in hours
    ]
    return min(start for start in starts if start > now)
