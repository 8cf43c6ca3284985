"""The control room on a million items while the engine runs flat out: opening, keys, memory; CPU at 200 changes/s."""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from benchmarks.first_paint import EMPTY
from benchmarks.project import HERE, RIVUS, folder, served, told_by
from benchmarks.pty_room import Room, room

FEW: Final = 1_000
MANY: Final = 1_000_000
BUSY: Final = 400_000
"""Items of the job that keeps the engine busy."""
KEYS: Final = 60
JOBS: Final = """\
version: 1
jobs:
  waits:
    stages:
      - go: {handler: work.nothing, gate: go}
  busy:
    stages:
      - work: {handler: work.nothing, concurrency: 50PACE}
"""
WORK: Final = "async def nothing(ctx):\n    return {}\n"


def measures() -> Iterator[Figure]:
    """Medians and the 95th percentile, the two sizes in turns."""
    flat_out = {"jobs.yaml": JOBS.replace("PACE", ""), "work.py": WORK, "empty.py": EMPTY}
    with folder(flat_out) as root, _served(root, FEW) as few, _served(root, MANY) as many:
        opened: dict[Path, list[float]] = {few: [], many: []}
        for _ in range(5):
            for state in (few, many):
                with room([RIVUS, "--state", state], root) as one:
                    opened[state].append(one.until("Item number 1"))
        more = (statistics.median(opened[many]) - statistics.median(opened[few])) * 1000
        yield Figure(
            name="room-open", value=more, unit="ms more", goal="<= 150", setting=f"{MANY:,} items against {FEW:,}"
        )
        with room([RIVUS, "--state", few], root) as small, room([RIVUS, "--state", many], root) as large:
            keys: dict[str, list[float]] = {"few": [], "many": []}
            for one in (small, large):
                one.until("Item number 1")
                one.quiet(1.0)
            for number in range(KEYS):
                key = ("j", "j", "\x1b[6~", "k")[number % 4]
                keys["few"].append(small.key(key))
                keys["many"].append(large.key(key))
            yield Figure(
                name="room-key-p95", value=_p95(keys["many"]) * 1000, unit="ms", peer=f"{FEW:,} items",
                peer_value=_p95(keys["few"]) * 1000, goal="ratio <= 1.3", setting=f"{MANY:,} items, engine flat out",
            )  # fmt: skip
            memory = large.process.memory_info().rss / 1e6
        with room([sys.executable, "empty.py"], root) as empty:
            empty.until("1 Jobs")
            empty.quiet(0.5)
            plain = empty.process.memory_info().rss / 1e6
        yield Figure(
            name="room-memory", value=memory - plain, unit="MB more", goal="<= 25",
            setting=f"attached, {MANY:,} items ({memory:.0f} MB), against an empty Textual app ({plain:.0f} MB)",
        )  # fmt: skip
    paced = {**flat_out, "jobs.yaml": JOBS.replace("PACE", ", pace: 200/s, burst: 50")}
    with folder(paced) as root, _served(root, FEW) as state, room([RIVUS, "--state", state], root) as one:
        one.until("Item number 1")
        one.read_for(2)
        yield Figure(
            name="room-200", value=_busy(one), unit="% of a core", goal="<= 8",
            setting="200 attempts a second, the list of items open",
        )  # fmt: skip


@contextlib.contextmanager
def _served(root: Path, number: int) -> Iterator[Path]:
    """A state directory with so many items, and an engine that works on it."""
    state = root / f"state-{number}"
    told_by([sys.executable, HERE / "children" / "backlog.py", state, str(number), str(BUSY)], root)
    with served([RIVUS, "--state", state, "--trust"], root):
        yield state


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _busy(one: Room) -> float:
    before, began = sum(one.process.cpu_times()[:2]), time.perf_counter()
    one.read_for(8)
    return (sum(one.process.cpu_times()[:2]) - before) / (time.perf_counter() - began) * 100
