"""What attempts tell (progress, log lines) goes to the state file: all together, once a second, if there is any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from engine.contracts.errors import EngineStopped, StateError
from engine.kit.tasks import end_task
from engine.store import live
from engine.store.live import Told
from engine.store.writer import Writer

EVERY_S: Final = 1.0


class Live:
    """Stores what attempts tell."""

    def __init__(self, writer: Writer, news: Callable[[], list[Told]]) -> None:
        """`news` gives what attempts have told since it was last asked."""
        self._writer = writer
        self._news = news
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="live")

    async def stop(self) -> None:
        """Store what was told last, and end."""
        await end_task(self._task)
        await self.store()

    async def store(self) -> None:
        """Store what is new; while the state file cannot be written it is lost here, and stands in the log."""
        told = self._news()
        if told:
            try:
                await self._writer.change(lambda connection, now: live.store(connection, told, now))
            except (StateError, EngineStopped):
                return

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.store()
