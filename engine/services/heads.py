"""Commits: notice that HEAD of a repository has moved, also while no engine ran."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.kit.git import head_mark
from engine.kit.tasks import beside, end_task

log = logging.getLogger(__name__)

LOOK_S: Final = 3.0


class Heads:
    """Looks at HEAD of some repositories every few seconds, without running git."""

    def __init__(
        self,
        repositories: Callable[[], Sequence[Path]],
        moved: Callable[[], None],
        keep: Callable[[Mapping[str, str | None]], Awaitable[object]],
    ) -> None:
        """`repositories`: which to look at, asked each time; `moved` is called when a HEAD is not where it was, then
        `keep` is given where they are: path → mark."""
        self._repositories = repositories
        self._moved = moved
        self._keep = keep
        self._seen: Mapping[str, str | None] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, seen: Mapping[str, str | None]) -> None:
        """Begin to look; `seen`: what was kept last."""
        self._seen = seen
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="heads")

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def _loop(self) -> None:
        while True:
            try:
                if paths := self._repositories():
                    marks = await beside(_marks, paths)
                    before, self._seen = self._seen, marks
                    if any(path in before and before[path] != mark for path, mark in marks.items()):
                        self._moved()
                    if marks != before:
                        await self._keep(marks)
            except Exception:
                log.exception("looking for commits failed")
            await asyncio.sleep(LOOK_S)


def _marks(paths: Sequence[Path]) -> dict[str, str | None]:
    return {str(path): head_mark(path) for path in paths}
