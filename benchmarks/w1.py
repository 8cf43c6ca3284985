"""W1: items through three dependent no-op stages, durable; stage executions a second from first to last handler.

The queue is filled first, by an engine that may run nothing else. What ran is counted from a file outside the store.
Each peer does the same three stages with no-op functions, at the same setting of SQLite's `synchronous`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from benchmarks.peers_venv import POSTGRESQL_PEERS, NoPeers, peers_python
from benchmarks.pipeline import STAGES, child, files
from benchmarks.postgresql import NoServer, postgresql
from benchmarks.project import HERE, folder, told_by

ITEMS: Final = 20_000
HUEY_ITEMS: Final = 2_000
DBOS_ITEMS: Final = 300
POSTGRESQL_ITEMS: Final = 500
ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """Stage executions a second, and CPU microseconds for each."""

    rate: float
    cpu_us: float


GOALS: Final = {
    ("rivus NORMAL", "huey NORMAL"): ">= 4, aim 5.5",
    ("rivus FULL", "huey FULL"): ">= 10, aim 15",
    ("rivus NORMAL", "dbos as it comes"): ">= 60, aim 100",
    ("rivus NORMAL", "stripped aiosqlite NORMAL"): ">= 0.5, aim 0.8",
    ("rivus FULL", "stripped aiosqlite FULL"): "",
    ("rivus NORMAL", "bare sqlite3 NORMAL"): "",
    ("rivus FULL", "bare sqlite3 FULL"): "",
    ("rivus NORMAL", "procrastinate"): "",
    ("rivus NORMAL", "pgqueuer"): "",
}
"""Who is compared with whom, and what the ratio must be."""


def measures() -> Iterator[Figure]:
    """Medians of three rounds; the rounds of all take turns."""
    runs = _runs()
    try:
        runs |= _peers(peers_python())
    except NoPeers as missing:
        yield Figure(name="w1-peers", value=None, unit="/s", skipped=str(missing))
    if shutil.which("redis-server") is None:
        yield Figure(name="w1 arq, taskiq", value=None, unit="/s", skipped="there is no Redis server")
    with contextlib.ExitStack() as stack:
        try:
            python, url = peers_python(POSTGRESQL_PEERS), stack.enter_context(postgresql())
            for name in ("procrastinate", "pgqueuer"):
                script = str(HERE / "peers" / f"{name}_pipeline.py")
                runs[name] = partial(_told, POSTGRESQL_ITEMS, [str(python), script, str(POSTGRESQL_ITEMS), url])
        except (NoPeers, NoServer) as missing:
            yield Figure(name="w1 procrastinate, pgqueuer", value=None, unit="/s", skipped=str(missing))
        paces = _medians(runs)
    for (ours, theirs), goal in GOALS.items():
        if theirs in paces:
            setting = ours.removeprefix("rivus ")
            yield Figure(
                name="w1",
                value=paces[ours].rate,
                unit="stages/s",
                peer=theirs,
                peer_value=paces[theirs].rate,
                goal=goal,
                setting=setting,
            )
            yield Figure(
                name="w1-cpu",
                value=paces[ours].cpu_us,
                unit="us/stage",
                peer=theirs,
                peer_value=paces[theirs].cpu_us,
                goal="<= 0.4, aim 0.2" if theirs.startswith("huey") else "",
                setting=setting,
            )
        elif theirs in runs:
            yield Figure(name=f"w1 {theirs}", value=None, unit="/s", skipped="it did not run; stderr says why")


def _runs() -> dict[str, Callable[[], Pace]]:
    runs: dict[str, Callable[[], Pace]] = {}
    for durability in ("normal", "full"):
        synchronous = durability.upper()
        runs[f"rivus {synchronous}"] = partial(rivus, durability)
        runs[f"stripped aiosqlite {synchronous}"] = partial(
            _told, ITEMS, child("stripped_aiosqlite", ITEMS, synchronous)
        )
        runs[f"bare sqlite3 {synchronous}"] = partial(_told, ITEMS, child("stripped", ITEMS, synchronous))
    return runs


def _peers(python: Path) -> dict[str, Callable[[], Pace]]:
    """One worker thread for Huey: with no-op tasks, more only wait for each other."""
    huey, dbos = ([str(python), str(HERE / "peers" / f"{name}_pipeline.py")] for name in ("huey", "dbos"))
    runs: dict[str, Callable[[], Pace]] = {
        f"huey {synchronous}": partial(_told, HUEY_ITEMS, [*huey, str(HUEY_ITEMS), synchronous])
        for synchronous in ("NORMAL", "FULL")
    }
    return runs | {"dbos as it comes": partial(_told, DBOS_ITEMS, [*dbos, str(DBOS_ITEMS)])}


def _medians(runs: Mapping[str, Callable[[], Pace]]) -> dict[str, Pace]:
    """A peer that fails is left out; Rivus must not fail."""
    found: dict[str, list[Pace]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            try:
                found[name].append(run())
            except (RuntimeError, OSError) as error:
                if name.startswith("rivus"):
                    raise
                print(f"{name}: {error}", file=sys.stderr)
    return {
        name: Pace(statistics.median(one.rate for one in told), statistics.median(one.cpu_us for one in told))
        for name, told in found.items()
        if told
    }


def rivus(durability: str) -> Pace:
    """One run of the real engine in a child; what ran never or twice is an error."""
    with folder(files(ITEMS, durability)) as root:
        told_by(child("drain", "seed"), root)
        told_by(child("drain", "line"), root)
        ran = Counter((root / "ledger").read_text().splitlines())
        if len(ran) != ITEMS * STAGES or set(ran.values()) != {1}:
            raise AssertionError(f"{len(ran)} stage executions, up to {max(ran.values())} times")
        told = json.loads((root / "clocks").read_text())
        if told["n"] != len(ran):
            raise AssertionError(f"{len(ran)} stage executions are no multiple of a thousand")
        return _pace(ITEMS, told)


def _told(items: int, line: list[str]) -> Pace:
    return _pace(items, told_by(line))


def _pace(items: int, told: dict[str, float]) -> Pace:
    executions = items * STAGES
    return Pace(executions / told["s"], told["cpu_s"] / executions * 1e6)
