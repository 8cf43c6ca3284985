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


def latest_run(discovery: DiscoverySpec, now: int, zone: ZoneInfo) -> int:
    """The latest time (ms UTC) at which a run that is due in the future may be: a clock that was set back must not hold
    it for longer than its interval, and by cron it may have had only the first of the next two times already."""
    following = next_run(discovery, now, zone)
    if following is None or discovery.cron is None:
        return now if following is None else following
    return next_cron(discovery.cron, following, zone)


def next_cron(expression: str, now: int, zone: ZoneInfo) -> int:
    """The next time of a cron expression after `now`, ms UTC.

    Wall-clock times that a change to summer time skips come right after it, and those that the change back repeats come
    once (the behaviour of Debian's cron, which cronsim follows).
    """
    times = CronSim(expression, datetime.fromtimestamp(now / 1000, zone))
    # In an hour that comes twice it may name times of the first pass, which are over in the second.
    return next(at for at in (round(time.timestamp() * 1000) for time in times) if at > now)


def cron_problem(expression: str) -> str | None:
    """What is wrong with a cron expression, or None."""
    try:
        next(CronSim(expression, _CRON_PROBE))
    except CronSimError as error:
        return f"is no cron expression ({error}); five fields such as `30 6 * * 1-5`"
    except StopIteration:
        return "never comes"
    return None
