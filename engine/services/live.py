"""What attempts tell (progress, log lines) goes to the state file: all together, once a second, if there is any."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from engine.contracts.errors import EngineStopped, StateError
from engine.kit.tasks import end_task
from engine.store import live
from engine.store.claims import Claim
from engine.store.events import Event, record
from engine.store.live import Told
from engine.store.writer import Writer

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0


class Live:
    """Stores what attempts tell."""

    def __init__(self, writer: Writer, news: Callable[[], Awaitable[list[Told]]]) -> None:
        """`news` gives what attempts have told since it was last asked."""
        self._writer = writer
        self._news = news
        self._events: list[Event] = []
        self._task: asyncio.Task[None] | None = None
        self._storing: asyncio.Task[None] | None = None

    def moved(self, claim: Claim, why: str) -> None:
        """A handler runs in a process from now on: say so where people look."""
        handler = claim.stage.spec.handler
        text = f"{handler} {why}; it runs in a process of its own from now on (say `runs: process`, or mend it)"
        event = Event(
            kind="handler.moved",
            level="warning",
            job_id=claim.stage.job_id,
            item_id=claim.item.id,
            stage_id=claim.stage.id,
            text=text,
        )
        self._events.append(event)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="live")

    async def stop(self) -> None:
        """Store what was told last, and end."""
        await end_task(self._task)
        if self._storing is not None:
            await asyncio.wait({self._storing})
        await self.store()

    async def store(self) -> None:
        """Store what is new; while the state file cannot be written it is lost here, and stands in the log."""
        told = await self._news()
        events, self._events = self._events, []
        if told or events:
            with contextlib.suppress(StateError, EngineStopped):
                await self._writer.change(partial(_store, told=told, events=events))

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._storing = asyncio.ensure_future(self.store())  # a stop must not cut it off: it asks only once
            await asyncio.wait({self._storing})
            if error := self._storing.exception():
                log.error("what attempts have told could not be stored", exc_info=error)


def _store(connection: sqlite3.Connection, now: int, *, told: list[Told], events: list[Event]) -> None:
    live.store(connection, told, now)
    record(connection, events, now)
