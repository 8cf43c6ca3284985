"""Rules of triage, applied to what waits to be accepted: when it begins to wait or changes, and again each hour."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, StateError
from engine.kit.clock import Clock
from engine.kit.tasks import end_task, wait_for_any
from engine.store import triage
from engine.store.writer import Writer

log = logging.getLogger(__name__)

Read = Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]]

_AGAIN_S: Final = 3_600.0
"""Ages grow: what was judged so long ago is judged again."""
_BREATH_S: Final = 0.2
"""Between two looks, so that a thousand items that begin to wait one by one are judged in a few batches."""


class Triage:
    """Lives on the engine's loop."""

    def __init__(self, *, writer: Writer, read: Read, clock: Clock) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._since = 0
        """What was judged before this time (ms UTC) is judged again."""
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_busy = False
        """Whether something may be decided without a person at any moment."""

    async def start(self) -> None:
        """Begin."""
        await self.reload()
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="triage")

    async def reload(self) -> None:
        """The rules may be others now: what they propose is decided anew."""
        self._since = self._clock.now()
        if await self._read(lambda connection: triage.is_left(connection, self._writer.plan)):
            await self._writer.change(lambda connection, _now: triage.forget(connection, self._writer.plan))
        self.look()

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    def look(self) -> None:
        """Something was committed: items may wait that the rules have not seen."""
        if any(triage.gates(self._writer.plan, job) for job in self._writer.plan.jobs.values()):
            self.is_busy = True
            self._wake.set()

    async def _loop(self) -> None:
        while True:
            try:
                await self._judge()
            except EngineStopped:
                return
            except StateError:
                pass  # the writer says so where people look
            except Exception:
                log.exception("the rules of triage could not be applied")
            self.is_busy = self._wake.is_set()
            await wait_for_any(self._wake, timeout_s=_AGAIN_S)
            if not self._wake.is_set():
                self._since = self._clock.now()
            await asyncio.sleep(_BREATH_S)

    async def _judge(self) -> None:
        """Judge all that waits and was not judged since it changed."""
        self._wake.clear()
        plan = self._writer.plan
        for job in plan.jobs.values():
            stages = triage.gates(plan, job)
            # A read beside the writer's groups first: looking must not look like a change.
            while stages and await self._read(lambda connection: triage.has_new(connection, stages, self._since)):  # noqa: B023
                done = await self._writer.change(
                    lambda connection, now: self._judged(connection, job.spec.name, now)  # noqa: B023
                )
                if done is not None:
                    log.info("%s: %s; `rivus undo %s` takes it back", job.spec.name, done.message, done.operation)
                    self._writer.look()

    def _judged(self, connection: sqlite3.Connection, name: str, now: int) -> CommandOutcome | None:
        plan = self._writer.plan
        job = plan.jobs.get(name)
        return triage.judge(connection, plan, job, self._since, now) if job is not None else None
