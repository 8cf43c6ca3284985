"""Engines forked from a process that has imported them: kills then fall on what an engine does, not on its imports."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "engine.facade",
        "engine.runtime",
        "engine.serve",
        "rivus_tui.cli.commanding",
        "rivus_tui.cli.logs",
        "rivus_tui.cli.main",
        "rivus_tui.cli.run",
    ]
)


class WarmEngine:
    """A `rivus` in a process of its own."""

    def __init__(self, root: Path, state: Path, *words: str) -> None:
        """Start it in the folder `root`; what it prints is dropped."""
        self._process = _FORKS.Process(target=_run, args=(str(root), ["--state", str(state), "--trust", *words]))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._process.kill()
        self._process.join()
        self._process.close()


def _run(root: str, words: list[str]) -> None:
    os.chdir(root)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    from rivus_tui.cli.main import run

    sys.exit(run(words))
