"""Money by the day: when a day begins where the user lives, and whether what was spent is too much."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_COST_MAX: Final = 2**53
QUARTER_MS: Final = 15 * 60_000
"""Spend is booked by quarters of an hour: every time zone's midnight lies on one."""


def day_bounds(now: int, zone: ZoneInfo) -> tuple[int, int]:
    """Start of the local day that `now` lies in and start of the next, ms UTC; a day may have 23 or 25 hours."""
    here = datetime.fromtimestamp(now / 1000, zone)
    today = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)  # the first one, where midnight comes twice
    tomorrow = (today.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return round(today.timestamp() * 1000), round(tomorrow.timestamp() * 1000)


def quarter(now: int) -> int:
    """The quarter of an hour that `now` lies in, by its start, ms UTC."""
    return now - now % QUARTER_MS


def dollars(usd_micros: int) -> str:
    """Money as people read it: two decimals, more for less than a cent."""
    if 0 < usd_micros < 10_000:
        return f"${usd_micros / 1_000_000:.4f}"
    return f"${usd_micros / 1_000_000:,.2f}"


def is_cost(value: object) -> bool:
    """Whether a value that a handler gave is an amount of micro-dollars."""
    return isinstance(value, int) and 0 <= value <= _COST_MAX


def tripped(spent_usd_micros: int, limit_usd_micros: int | None) -> bool:
    """Whether a limit is reached; there is none when it is None."""
    return limit_usd_micros is not None and spent_usd_micros >= limit_usd_micros
