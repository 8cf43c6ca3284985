"""A stage in a process of its own, which kills itself at a point (or before a git command) that it is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.kit import chaos
from engine.kit.trial import TrialCheckpoint, TrialContext, TrialItem
from plugins.maintenance import execute, merge

KILLING_GIT = """#!/bin/sh
for word; do case "$word" in "$KILL_AT") kill -9 $PPID; exit 1;; esac; done
exec "$REAL_GIT" "$@"
"""
"""Stands for git: ends the process that wants a certain command of it."""


def kill_at(point: str, n: int) -> Callable[[str], None]:
    passed = 0

    def look(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == n:
            os.kill(os.getpid(), signal.SIGKILL)

    return look


def put_in_the_way(folder: Path, real: str) -> dict[str, str]:
    """Make a git that kills; returns the environment that finds it first."""
    folder.mkdir()
    (folder / "git").write_text(KILLING_GIT)
    (folder / "git").chmod(stat.S_IRWXU)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "REAL_GIT": real}


class KeptCheckpoint(TrialCheckpoint):
    """A checkpoint that outlives its process."""

    def __init__(self, file: Path) -> None:
        super().__init__(json.loads(file.read_text()) if file.exists() else None)
        self._file = file

    def save_and_wait(self, value: Any) -> None:
        super().save_and_wait(value)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(value))
        new.replace(self._file)


def context(told: dict[str, Any]) -> TrialContext:
    """What a process that was killed, and the one after it, are given."""
    artifacts = Path(told["artifacts"])
    return TrialContext(
        root=Path(told["root"]),
        item=TrialItem(
            key="t-1", title="Greet the world", data={"text": "Greet the world"}, path="TODO.md", line=3, priority=2
        ),
        stage=told["stage"],
        upstream=told.get("upstream", {}),
        params=told.get("params", {}),
        artifact_dir=artifacts,
        checkpoint=KeptCheckpoint(artifacts / "checkpoint.json"),
    )


def main(told: dict[str, Any]) -> None:
    handle = {"merge": merge.handle, "execute": execute.handle}[told["stage"]]
    with chaos.stumbling(kill_at(told.get("point", ""), told.get("n", 1))):
        asyncio.run(handle(context(told)))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
