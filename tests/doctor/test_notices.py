"""When a person is told something: not in the quiet hours, and then all of it."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from engine.contracts.steering import Hours
from engine.doctor.notices import Notices
from engine.kit.clock import ManualClock
from engine.kit.tasks import wait_for_any
from engine.rules.eligibility import quiet_until

UTC = ZoneInfo("UTC")
MIDNIGHT = 1_767_225_600_000
HOUR = 3_600_000


def test_quiet_hours_end_where_they_say() -> None:
    night = Hours(start=22 * 60, end=7 * 60)
    assert quiet_until(night, MIDNIGHT + HOUR, UTC) == MIDNIGHT + 7 * HOUR
    assert quiet_until(night, MIDNIGHT + 23 * HOUR, UTC) == MIDNIGHT + 31 * HOUR
    assert quiet_until(night, MIDNIGHT + 7 * HOUR, UTC) is None
    assert quiet_until(night, MIDNIGHT + 12 * HOUR, UTC) is None


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.more = asyncio.Event()

    async def tell(self, title: str, text: str) -> None:
        self.heard.append(title)
        self.more.set()


async def test_what_comes_up_in_the_quiet_hours_is_told_when_they_are_over() -> None:
    clock, listener = ManualClock(MIDNIGHT + HOUR), Listener()
    notices = Notices(listener, clock, per_hour=10)
    night = Hours(start=22 * 60, end=7 * 60)
    notices.quiet_until = lambda now: quiet_until(night, now, UTC)
    notices.start()
    assert notices.tell("a", "docs is paused", "")
    assert notices.tell("b", "feeds is paused", "")
    await asyncio.sleep(0)
    notices.look()
    await asyncio.sleep(0)
    assert listener.heard == []
    clock.advance(6 * 3_600)
    notices.look()
    while len(listener.heard) < 2:
        listener.more.clear()
        await wait_for_any(listener.more, timeout_s=10)
    assert listener.heard == ["docs is paused", "feeds is paused"]
    await notices.stop()


def test_clock_that_was_far_ahead_keeps_nobody_from_being_told() -> None:
    clock = ManualClock()
    notices = Notices(Listener(), clock, per_hour=1)
    clock.set(365 * 24 * HOUR)
    assert notices.tell("a", "docs is paused", "")
    clock.set(-365 * 24 * HOUR)
    clock.advance(3_600)
    assert notices.tell("a", "docs is paused", "")
