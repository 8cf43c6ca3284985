"""What a calendar says about schedules, worked out without the code of the engine, by looking at local clocks."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "UTC",
    "Pacific/Auckland", "America/Santiago", "Asia/Beirut", "Africa/Cairo", "America/St_Johns", "Atlantic/Azores",
)  # fmt: skip
"""Among them such that change at midnight, by half an hour, in the south, and not at all."""


def some_cron(chance: random.Random) -> str:
    """Five fields; about one in eight runs every hour or oftener."""
    minute = chance.choice(("0", "30", "15", "59", "5,35"))
    hour = chance.choice(("0", "1", "2", "3", "6", "23", "1,2,3", "0,12", "2-4"))
    days = chance.choice(
        (("*", "*"), ("*", "1"), ("*", "1-5"), ("*", "0"), ("1", "*"), ("1,15", "*"), ("29", "*"), ("13", "5"))
    )
    month = chance.choice(("*", "*", "*", "3,10", "1-6"))
    if chance.random() < 0.12:
        minute, hour = chance.choice(("0", "*/20")), "*"
        month = chance.choice(("3", "4", "10", "11"))
    return f"{minute} {hour} {days[0]} {month} {days[1]}"


def _numbers(field: str, first: int, last: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = (f"{first}-{last}" if span == "*" else span).partition("-")
        found |= set(range(int(low), int(high or low) + 1, int(step or 1)))
    return found


def cron_times(expression: str, zone: ZoneInfo, start: date, days: int) -> list[int]:
    """All times (ms UTC) of an expression on these local days, in order, each once."""
    minute, hour, day, month, weekday = expression.split()
    minutes, hours = _numbers(minute, 0, 59), _numbers(hour, 0, 23)
    found: set[int] = set()
    for at in (start + timedelta(days=n) for n in range(days)):
        by_day = at.day in _numbers(day, 1, 31)
        by_weekday = at.isoweekday() % 7 in {n % 7 for n in _numbers(weekday, 0, 7)}
        both = day.startswith("*") or weekday.startswith("*")
        if at.month not in _numbers(month, 1, 12) or not (by_day and by_weekday if both else by_day or by_weekday):
            continue
        if "*" in minute[:1] or "*" in hour[:1]:
            found |= set(_by_the_minute(at, minutes, hours, zone))
        else:
            found |= {_instant(at, h, m, zone) for h in hours for m in minutes}
    return sorted(found)


def _by_the_minute(at: date, minutes: set[int], hours: set[int], zone: ZoneInfo) -> Iterator[int]:
    """What runs every hour runs in every hour that there is, also in one that comes twice."""
    first = datetime(at.year, at.month, at.day, tzinfo=UTC) - timedelta(hours=15)
    for n in range(54 * 60):
        instant = first + timedelta(minutes=n)
        local = instant.astimezone(zone)
        if local.date() == at and local.minute in minutes and local.hour in hours:
            yield int(instant.timestamp()) * 1000


def _instant(at: date, hour: int, minute: int, zone: ZoneInfo) -> int:
    """When a local clock shows this time first; where it never does, the moment to which it was moved forward."""
    local = datetime(at.year, at.month, at.day, hour, minute, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # In a gap: go back to the last minute before it, and one on.
        before = datetime(at.year, at.month, at.day, hour, minute, tzinfo=UTC) - timedelta(hours=16)
        offset = before.astimezone(zone).utcoffset()
        step = before
        while step.astimezone(zone).replace(tzinfo=None) < local.replace(tzinfo=None):
            step += timedelta(minutes=1)
        instant = step
        assert step.astimezone(zone).utcoffset() != offset
    return int(instant.timestamp()) * 1000


def first_minute(at: date, zone: ZoneInfo) -> int:
    """When a local day begins."""
    return _instant(at, 0, 0, zone)


def after(times: list[int], now: int) -> int | None:
    """The first of these times after `now`."""
    at = bisect_right(times, now)
    return times[at] if at < len(times) else None
