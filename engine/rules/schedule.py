"""When a discovery runs next: after an interval, or by a cron expression in the project's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.contracts.spec import DiscoverySpec

_CRON_PROBE: Final = datetime(2026, 1, 1, tzinfo=UTC)


def is_scheduled(discovery: DiscoverySpec) -> bool:
    """Whether it runs by itself at times (it may also run on commits, or only when asked)."""
    return discovery.every_s is not None or discovery.cron is not None


def next_run(discovery: DiscoverySpec, now: int, zone: ZoneInfo) -> int | None:
    """The next time after `now` (ms UTC), or None when it has no schedule."""
    if discovery.cron is not None:
        return next_cron(discovery.cron, now, zone)
    return None if discovery.every_s is None else now + round(discovery.every_s * 1000)


def next_cron(expression: str, now: int, zone: ZoneInfo) -> int:
    """The next time of a cron expression after `now`, ms UTC.

    Wall-clock times that a change to summer time skips come right after it, and those that the change back repeats come
    once (the behaviour of Debian's cron, which cronsim follows).
    """
    return round(next(CronSim(expression, datetime.fromtimestamp(now / 1000, zone))).timestamp() * 1000)


def cron_problem(expression: str) -> str | None:
    """What is wrong with a cron expression, or None."""
    try:
        next(CronSim(expression, _CRON_PROBE))
    except CronSimError as error:
        return f"is no cron expression ({error}); five fields such as `30 6 * * 1-5`"
    except StopIteration:
        return "never comes"
    return None
