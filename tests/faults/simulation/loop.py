"""An event loop in virtual time: nothing waits, what is ready runs in an order drawn from a seed, threads run inline.

The same seed gives the same order, so a run can be told again exactly. When nothing is ready and nothing is scheduled,
the loop says so instead of hanging.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import weakref
from collections.abc import Callable
from typing import Any


class Deadlock(Exception):
    """Nothing is ready and nothing will ever be."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time jumps to the next timer; the ready queue is shuffled at every turn."""

    def __init__(self, chance: random.Random, *, at: float = 0.0) -> None:
        """`at`: seconds on the monotonic clock at which this loop begins."""
        super().__init__()
        self._chance = chance
        self._at = at
        self._clock_resolution = 1e-9
        self._selector: Any = self
        self.halted = False
        self._born: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()
        self._births = itertools.count()
        self.set_task_factory(self._give_birth)

    def _give_birth(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
        self._born[task] = next(self._births)
        return task

    def time(self) -> float:
        return self._at

    def stall(self, seconds: float) -> None:
        """Let time pass at once, as it does for a process that is stopped or a machine that sleeps."""
        self._at += seconds

    def halt(self) -> None:
        """The process is killed: nothing that is ready or scheduled runs any more."""
        self.halted = True
        self.set_exception_handler(lambda _loop, _context: None)
        for handle in (*self._ready, *self._scheduled):
            handle.cancel()
        self.stop()

    def bury(self) -> None:
        """End the coroutines that are left, in a fixed order, with a loop that runs nothing of what they schedule."""
        asyncio.events._set_running_loop(self)
        try:
            for task in sorted(asyncio.all_tasks(self), key=lambda task: self._born[task]):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with contextlib.suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
        finally:
            asyncio.events._set_running_loop(None)

    # What `BaseEventLoop` asks of a selector

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None and not self._stopping:
            raise Deadlock("nothing is ready and nothing is scheduled")
        if timeout:
            self._at = max(self._at, self._scheduled[0]._when)
        return []

    def close(self) -> None:
        self._ready.clear()
        self._scheduled.clear()
        super().close()

    def _check_closed(self) -> None:
        """What is left of a killed engine is collected as garbage, and may schedule; none of it runs."""

    def _process_events(self, _events: list[Any]) -> None:
        return None

    def _write_to_self(self) -> None:
        return None

    def _run_once(self) -> None:
        if len(self._ready) > 1:
            ready = list(self._ready)
            self._ready.clear()
            self._chance.shuffle(ready)
            self._ready.extend(ready)
        super()._run_once()

    def run_in_executor(self, _executor: Any, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Run at once, answer at the next turn: threads are the one thing that no seed can tell again."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class VirtualClock:
    """The clocks of the machine that a simulated engine runs on; the wall clock can be set."""

    def __init__(self, now: int) -> None:
        """`now`: ms UTC."""
        self._wall = now
        self._loop: VirtualLoop | None = None
        self._at = 0.0

    def run_on(self, loop: VirtualLoop) -> None:
        """Take the time of this loop from here on."""
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.time() if self._loop is not None else self._at

    def now(self) -> int:
        return self._wall + int(self.monotonic() * 1000)

    def set(self, by_ms: int) -> None:
        """Move the wall clock alone."""
        self._wall += by_ms
