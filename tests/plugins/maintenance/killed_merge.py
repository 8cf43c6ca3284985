"""The merge stage in a process of its own, which kills itself at a point (or before a git command) that it is told."""

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
from engine.kit.trial import TrialContext, TrialItem
from plugins.maintenance.merge import handle as merge

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


def main(told: dict[str, Any]) -> None:
    root = Path(told["root"])
    item = TrialItem(key="t-1", title="Greet the world", data={"text": "Greet the world"}, path="TODO.md", line=3)
    ctx = TrialContext(root=root, item=item, stage="merge", upstream=told["upstream"])
    with chaos.stumbling(kill_at(told.get("point", ""), told.get("n", 1))):
        asyncio.run(merge(ctx))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
