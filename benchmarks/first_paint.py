"""First paint of the control room in tmux against that of an empty Textual app, seen in the same way."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.figure import Figure, interleaved
from benchmarks.project import RIVUS, folder, seconds
from benchmarks.tmux import Tmux, tmux

EMPTY = """\
from textual.app import App
from textual.widgets import Static


class Empty(App):
    def compose(self):
        yield Static("1 Jobs")


Empty().run()
"""
FILES = {"empty.py": EMPTY} | {
    f"part{n}/TODO.md": "# To do\n\n" + "".join(f"- [ ] Task {m} of part {n}\n" for m in range(20)) for n in range(5)
}


def measures() -> Iterator[Figure]:
    """Medians of 9 rounds, on a project that ran before and on one that never did."""
    if shutil.which("tmux") is None:
        yield Figure(name="first-paint", value=None, unit="ms", skipped="tmux is not installed")
        return
    with folder(FILES) as root, folder() as states, tmux() as server:
        seconds([RIVUS, "--state", states / "old", "run", "todos", "--once"], root)
        fresh = count()
        found = interleaved(
            9,
            {
                "old": lambda: _room(server, root, states / "old"),
                "fresh": lambda: _room(server, root, states / f"fresh{next(fresh)}"),
                "empty": lambda: server.first_paint([sys.executable, "empty.py"], root, "1 Jobs"),
            },
        )
    for setting in ("old", "fresh"):
        yield Figure(
            name="first-paint",
            value=found[setting] * 1000,
            unit="ms",
            peer="empty Textual app",
            peer_value=found["empty"] * 1000,
            goal="ratio <= 1.5",
            setting={"old": "existing state", "fresh": "no state yet"}[setting],
        )


def _room(server: Tmux, root: Path, state: Path) -> float:
    return server.first_paint([RIVUS, "--state", state], root, "1 Jobs")
