"""The control room beside other terminal apps, posting and harlequin: first paint in tmux, key to paint, memory."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, interleaved
from benchmarks.peers_venv import NoPeers, peer_app
from benchmarks.project import RIVUS, folder, seconds
from benchmarks.pty_room import room
from benchmarks.tmux import tmux
from engine.contracts.values import dataclass

ROUNDS: Final = 5
KEYS: Final = 40
TODOS: Final = {
    f"part{n}/TODO.md": "# To do\n\n" + "".join(f"- [ ] Task {m} of part {n}\n" for m in range(20)) for n in range(5)
}


@dataclass(frozen=True, kw_only=True)
class App:
    """One app: how it is started, what its first picture shows, and two keys that change what it shows."""

    name: str
    line: Sequence[str | Path]
    first: str
    keys: tuple[str, str]


def measures() -> Iterator[Figure]:
    """Medians of rounds in turns; keys are pressed in turns too, in all apps at once."""
    if shutil.which("tmux") is None:
        yield Figure(name="peer-first-paint", value=None, unit="ms", skipped="tmux is not installed")
        return
    with folder(TODOS) as root, folder() as home:
        seconds([RIVUS, "--state", home / "state", "run", "todos", "--once"], root)
        rivus = App(name="rivus", line=[RIVUS, "--state", home / "state"], first="1 Jobs", keys=("j", "k"))
        others: list[App] = []
        for name, wanted, first in (
            # With the next tree-sitter the process of posting crashes as it starts.
            ("posting", ("posting==2.11.1", "tree-sitter<0.26"), "Posting"),
            ("harlequin", ("harlequin==2.17.0",), "Query Editor"),
        ):
            try:
                line = _alone(peer_app(name, wanted), home)
            except NoPeers as why:
                yield Figure(name="peer-first-paint", value=None, unit="ms", skipped=f"{name}: {why}")
                continue
            others.append(App(name=name, line=line, first=first, keys=("a", "\x7f")))
        if others:
            yield from _compared(rivus, others, root)


def _alone(program: Path, home: Path) -> list[str | Path]:
    """A program that finds no settings of whoever runs this, and leaves none."""
    return [Path(sys.executable).parent / "python", "-c", _ALONE, str(home), str(program)]


_ALONE: Final = """\
import os, sys
home, program = sys.argv[1:]
names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
os.execve(program, [program], {**os.environ, **dict.fromkeys(names, home)})
"""


def _compared(rivus: App, others: Sequence[App], root: Path) -> Iterator[Figure]:
    apps = [rivus, *others]
    with tmux() as server:
        paint = interleaved(
            ROUNDS, {app.name: lambda app=app: server.first_paint(app.line, root, app.first) for app in apps}
        )
    for other in others:
        yield Figure(
            name="peer-first-paint", value=paint["rivus"] * 1000, unit="ms", peer=other.name,
            peer_value=paint[other.name] * 1000, goal="ratio <= 0.33" if other.name == "posting" else "",
            setting="tmux 80x24, existing state",
        )  # fmt: skip
    keys, memory = _pressed(apps, root)
    for other in others:
        for part, at in (("p50", 0.5), ("p95", 0.95)):
            yield Figure(
                name=f"peer-key-{part}", value=_quantile(keys["rivus"], at) * 1000, unit="ms", peer=other.name,
                peer_value=_quantile(keys[other.name], at) * 1000, setting="pseudo-terminal 100x30",
            )  # fmt: skip
        yield Figure(
            name="peer-memory", value=memory["rivus"], unit="MB", peer=other.name, peer_value=memory[other.name],
            setting="the app, and the engine in it, after the keys",
        )  # fmt: skip


def _pressed(apps: Sequence[App], root: Path) -> tuple[Mapping[str, Sequence[float]], Mapping[str, float]]:
    """Seconds from each key to the paint that follows it, and resident memory in MB."""
    keys: dict[str, list[float]] = {app.name: [] for app in apps}
    memory: dict[str, float] = {}
    for app in apps:
        with room(app.line, root) as one:
            one.until(app.first)
            one.quiet(1.0)
            for number in range(KEYS):
                keys[app.name].append(one.key(app.keys[number % 2]))
            memory[app.name] = one.process.memory_info().rss / 1e6
    return keys, memory


def _quantile(values: Sequence[float], at: float) -> float:
    return statistics.quantiles(values, n=100)[round(at * 100) - 1]
