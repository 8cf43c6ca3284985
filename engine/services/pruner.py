"""Retention: what is beyond its keeping time goes, in small batches, once an hour; the files of items go with them.

An engine that never lives that long (`run --once` from a crontab) prunes at its end, once a day.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import Final

from engine.contracts.errors import EngineStopped, StateError
from engine.kit.tasks import beside, end_task
from engine.store import retention, upkeep
from engine.store.writer import Writer

log = logging.getLogger(__name__)

FIRST_S: Final = 60.0
EVERY_S: Final = 3_600.0
PAUSE_S: Final = 0.05
"""Between two batches others have the writer."""
LAST_S: Final = 2.0
"""How long it may take at the end of an engine; what is left goes at the next one's."""


class Pruner:
    """Prunes the state file while the engine runs."""

    def __init__(self, writer: Writer, artifacts: Path) -> None:
        """`artifacts` has one folder per item, named by its number."""
        self._writer = writer
        self._artifacts = artifacts
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="pruner")

    async def stop(self) -> None:
        """End; first prune, where no engine has for a day."""
        if self._task is None:
            return
        await end_task(self._task)
        try:
            if await self._writer.change(upkeep.prune_is_due):
                async with asyncio.timeout(LAST_S):
                    await self.run()
        except (StateError, EngineStopped, TimeoutError):
            pass  # the next engine's turn
        except Exception:
            log.exception("pruning failed; the next start tries again")

    async def run(self) -> int:
        """Prune all that is due; returns how many rows and items went."""
        deleted = 0
        while n := await self._writer.change(upkeep.prune):
            deleted += n
            await asyncio.sleep(PAUSE_S)
        for job in tuple(self._writer.plan.jobs.values()):
            if job.spec.keep_s is not None:
                deleted += await self._prune_items(job.id, job.spec.keep_s)
        await self._prune_files()
        await self._writer.change(upkeep.note_pruned)
        return deleted

    async def _prune_items(self, job_id: int, keep_s: float) -> int:
        deleted = 0
        while n := await self._writer.change(partial(_prune, job_id=job_id, keep_s=keep_s)):
            deleted += n
            await asyncio.sleep(PAUSE_S)
        return deleted

    async def _prune_files(self) -> None:
        """Remove the folders of items that are not there any more, whatever kept them from going with their item."""
        folders = await beside(_numbered, self._artifacts)
        there = await self._writer.change(lambda connection, _now: retention.known(connection, folders))
        for number in folders - there:
            await beside(shutil.rmtree, self._artifacts / str(number), True)

    async def _loop(self) -> None:
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                if deleted := await self.run():
                    log.info("pruned %d rows", deleted)
            except (StateError, EngineStopped):
                # The writer says why; the next hour tries again.
                pass
            except Exception:
                log.exception("pruning failed; the next hour tries again")
            await asyncio.sleep(EVERY_S)


def _prune(connection: sqlite3.Connection, now: int, *, job_id: int, keep_s: float) -> int:
    return retention.prune(connection, job_id, now - round(keep_s * 1000), now)


def _numbered(folder: Path) -> set[int]:
    return {int(entry.name) for entry in folder.iterdir() if entry.name.isdigit() and entry.is_dir()}
