"""Guards: what makes the engine stop by itself before money or disk run out."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.spec import ProjectSpec
from engine.kit.tasks import beside, end_task
from engine.store import spend
from engine.store.plan import Plan
from engine.store.writer import Writer

log = logging.getLogger(__name__)

DISK_LOOK_S: Final = 15.0
FULL_LOOK_S: Final = 2.0
"""While there is too little room, or while it cannot be said: the work goes on soon after there is."""


class Guards:
    """Checks spend whenever money was booked, and free disk space every few seconds."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        writer: Writer,
        folder: Path,
        tell: Callable[[str | None], Awaitable[None]],
    ) -> None:
        """`tell` shows a problem, or takes it away."""
        self.project = project
        self.disk_problem: str | None = None
        """Why nothing new is started; None while there is room."""
        self._writer = writer
        self._folder = folder
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._watch_disk(), name="guard disk")

    def check_spend(self, connection: sqlite3.Connection, plan: Plan, now: int) -> set[int]:
        """Pause the jobs that have reached a daily limit; in the transaction that booked the money."""
        return spend.guard(connection, plan, self.project, now)

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def _watch_disk(self) -> None:
        told: str | None = None
        while True:
            free = await beside(_free, self._folder)
            floor = self.project.settings.free_disk_bytes
            problem = None
            if free is not None and free < floor:
                problem = f"only {free // 1_000_000:,} MB are free on the disk of the state; nothing new is started"
            if (problem is None) != (self.disk_problem is None):
                log.warning("%s", problem or "there is room on the disk again")
                self.disk_problem = problem
                self._writer.look()
            if told != self.disk_problem:
                with suppress(StateError, EngineStopped):  # the writer says so itself; the next look tells it again
                    await self._tell(self.disk_problem)
                    told = self.disk_problem
            await asyncio.sleep(DISK_LOOK_S if told is self.disk_problem is None else FULL_LOOK_S)


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
