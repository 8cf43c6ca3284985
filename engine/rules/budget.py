"""Money by the day: when a day begins where the user lives, and whether what was spent is too much."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_COST_MAX: Final = 2**53
_DAY_MS: Final = 86_400_000
QUARTER_MS: Final = 15 * 60_000
"""Spend is booked by quarters of an hour: every time zone's midnight lies on one."""


def day_bounds(now: int, zone: ZoneInfo) -> tuple[int, int]:
    """Start of the local day that `now` lies in and start of the next, ms UTC; a day may have 23 or 25 hours."""
    here = datetime.fromtimestamp(now / 1000, zone)
    today = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)  # the first one, where midnight comes twice
    tomorrow = (today.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return round(today.timestamp() * 1000), round(tomorrow.timestamp() * 1000)


def local_day(now: int) -> tuple[int, int]:
    """Start and end of the day where the machine stands, ms UTC."""
    today = datetime.fromtimestamp(now / 1000).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(today.timestamp() * 1000), round((today + timedelta(days=1)).timestamp() * 1000)


def forecast(today_usd_micros: int, last_day_usd_micros: int, left_ms: int) -> int:
    """What a day will have cost at its end, when the rest of it goes as the last 24 hours went."""
    return today_usd_micros + round(last_day_usd_micros * max(left_ms, 0) / _DAY_MS)


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
