"""Time passing: rows that come back, leases kept alive or ended, and how the jobs stand as hours go by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.contracts.errors import EngineStopped, StateError
from engine.kit.clock import Clock
from engine.kit.tasks import end_task, wait_for_any
from engine.store import claims, hours, recurrence
from engine.store.writer import Writer

log = logging.getLogger(__name__)

NOTE_S: Final = 60.0
"""How often it is noted how the jobs stand."""
HEARTBEAT_S: Final = 15.0
"""A quarter of the lease: three beats may be missed."""
_LONGEST_SLEEP_S: Final = 60.0
"""The wall clock may be set while we sleep; look at least this often."""


class Timers:
    """Wakes `later` rows and snoozed items on time, and beats for what runs."""

    def __init__(
        self,
        *,
        writer: Writer,
        clock: Clock,
        epoch: int,
        alive: Callable[[], Sequence[tuple[int, int, int]]],
        woken: Callable[[], Awaitable[None]],
    ) -> None:
        """`alive`: (item, stage, fence) of what runs; `woken` is called after something has come back."""
        self._writer = writer
        self._clock = clock
        self._epoch = epoch
        self._alive = alive
        self._woken = woken
        self._next: int | None = None
        self._ahead = clock.now() - round(clock.monotonic() * 1000)
        """By how much the wall clock is ahead of the monotonic one, ms."""
        self._beat_at = clock.monotonic() + HEARTBEAT_S
        self._note_at = clock.monotonic()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def next_at(self) -> int | None:
        """When the next row comes back, ms UTC, as far as known."""
        return self._next

    def start(self, next_at: int | None) -> None:
        """Begin; `next_at` is when the next row comes back."""
        self._next = next_at
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="timers")

    def expect(self, at: int) -> None:
        """A row comes back at `at`."""
        if self._next is None or at < self._next:
            self._soonest(at)
            self._wake.set()

    def _soonest(self, at: int | None) -> None:
        self._next = min((one for one in (self._next, at) if one is not None), default=None)

    def look(self) -> None:
        """Rows may have been put off or brought forward: ask the state file."""
        self._next = self._clock.now()
        self._wake.set()

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def _loop(self) -> None:
        while True:
            try:
                await self._tick()
            except (StateError, EngineStopped):
                # The writer says so where people look; what was due stays due.
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("the timers failed")
                await asyncio.sleep(1.0)
            self._wake.clear()
            await wait_for_any(self._wake, timeout_s=self._sleep_s())

    def _sleep_s(self) -> float | None:
        seconds = [_LONGEST_SLEEP_S]
        if self._next is not None:
            seconds.append((self._next - self._clock.now()) / 1000)
        if self._alive():
            seconds.append(self._beat_at - self._clock.monotonic())
        return max(0.0, min(seconds))

    async def _tick(self) -> None:
        now = self._clock.now()
        ahead = now - round(self._clock.monotonic() * 1000)
        if (back := self._ahead - ahead) > recurrence.DAY_MS:
            await self._writer.change(
                lambda connection, now: recurrence.set_back(connection, self._writer.plan, back, now)
            )
            self._next = now
        self._ahead = ahead
        if (due := self._next) is not None and due <= now:
            # What is told meanwhile is sooner than what this transaction knows, or not known to it at all.
            self._next = None
            try:
                self._soonest(
                    await self._writer.change(lambda connection, now: claims.wake(connection, self._writer.plan, now))
                )
            except BaseException:
                self._soonest(due)
                raise
            await self._woken()
            self._writer.look()
        if self._clock.monotonic() >= self._note_at:
            self._note_at = self._clock.monotonic() + NOTE_S
            await self._writer.change(hours.note)
        if self._clock.monotonic() >= self._beat_at:
            self._beat_at = self._clock.monotonic() + HEARTBEAT_S
            alive = self._alive()
            if alive:
                lease = self._writer.lease()
                await self._writer.change(lambda connection, _now: claims.heartbeat(connection, lease, alive))
            taken = await self._writer.change(
                lambda connection, now: claims.reclaim(connection, self._writer.plan, self._epoch, now, running=alive)
            )
            if taken:
                await self._woken()
                self._writer.look()
