"""Retention: what is beyond its keeping time goes, in small batches, once an hour."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from engine.contracts.errors import EngineStopped, StateError
from engine.kit.tasks import end_task
from engine.store import upkeep
from engine.store.writer import Writer

log = logging.getLogger(__name__)

FIRST_S: Final = 60.0
EVERY_S: Final = 3_600.0
PAUSE_S: Final = 0.05
"""Between two batches others have the writer."""


class Pruner:
    """Prunes the state file while the engine runs."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="pruner")

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def run(self) -> int:
        """Prune all that is due; returns how many rows went."""
        deleted = 0
        while n := await self._writer.change(upkeep.prune):
            deleted += n
            await asyncio.sleep(PAUSE_S)
        return deleted

    async def _loop(self) -> None:
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                if deleted := await self.run():
                    log.info("pruned %d rows", deleted)
            except (StateError, EngineStopped):
                # The writer says why; the next hour tries again.
                pass
            await asyncio.sleep(EVERY_S)
