"""Commits: notice that HEAD of a repository has moved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from engine.kit.git import head_mark
from engine.kit.tasks import end_task

log = logging.getLogger(__name__)

LOOK_S: Final = 3.0


class Heads:
    """Looks at HEAD of some repositories every few seconds, without running git."""

    def __init__(self, repositories: Callable[[], Sequence[Path]], moved: Callable[[], None]) -> None:
        """`repositories`: which to look at, asked each time; `moved` is called when a HEAD is not where it was."""
        self._repositories = repositories
        self._moved = moved
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="heads")

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def _loop(self) -> None:
        before: dict[Path, str | None] = {}
        while True:
            try:
                if paths := self._repositories():
                    marks = await asyncio.to_thread(_marks, paths)
                    moved = any(path in before and before[path] != mark for path, mark in marks.items())
                    before = marks
                    if moved:
                        self._moved()
            except Exception:
                log.exception("looking for commits failed")
            await asyncio.sleep(LOOK_S)


def _marks(paths: Sequence[Path]) -> dict[Path, str | None]:
    return {path: head_mark(path) for path in paths}
