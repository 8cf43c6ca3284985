"""R8, R9: damaged files, and copies of a file in use."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from engine.contracts.errors import StateError
from engine.store import claims, jobs, upkeep
from engine.store.claims import Lease
from engine.store.migrate import connect, prepare
from engine.store.plan import Plan
from engine.store.state_dir import EngineLock, StateDir
from tests.factories import Ground, candidate, chain, job
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.speed import slowness

_SPEC = job("docs", *chain("a", "b"))


def _sample(folder: Path, items: int) -> Ground:
    """A state file with results at `a`, and rows that are ready at `b`; part of it lies in the log only."""
    ground = Ground(folder, _SPEC)
    ground.db.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    ground.add(*(candidate(f"i{n}", data={"n": n, "text": "x" * 200}) for n in range(items)))
    ground.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    ground.finish("a", {"text": "what was found " * 20})
    return ground


def _flip(chance: random.Random, file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    file.write_bytes(raw)


def _flips(chance: random.Random, file: Path) -> None:
    for _ in range(30):
        _flip(chance, file)


def _cut(chance: random.Random, file: Path) -> None:
    with file.open("r+b") as handle:
        handle.truncate(chance.randrange(file.stat().st_size))


def _zero(chance: random.Random, file: Path) -> None:
    with file.open("r+b") as handle:
        handle.seek(chance.randrange(max(1, file.stat().st_size - 4096)))
        handle.write(bytes(4096))


def _garbage(chance: random.Random, file: Path) -> None:
    with file.open("r+b") as handle:
        handle.seek(chance.randrange(max(1, file.stat().st_size // 4096)) * 4096)
        handle.write(chance.randbytes(4096))


def _empty(_chance: random.Random, file: Path) -> None:
    file.write_bytes(b"")


def _gone(_chance: random.Random, file: Path) -> None:
    file.unlink()


_DAMAGE: tuple[tuple[str, Callable[[random.Random, Path], None]], ...] = (
    ("rivus.db", _flip), ("rivus.db", _flips), ("rivus.db", _cut), ("rivus.db", _zero), ("rivus.db", _garbage),
    ("rivus.db", _empty), ("rivus.db-wal", _flip), ("rivus.db-wal", _cut), ("rivus.db-wal", _zero),
    ("rivus.db-wal", _garbage), ("rivus.db-wal", _gone), ("rivus.db-shm", _garbage), ("rivus.db-shm", _gone),
)  # fmt: skip


def corruption(lane: Lane) -> Reading:
    """Damage a file as a bad disk does, start on it, and read all results that a handler would be given."""
    rounds = lane.n(fast=90, deep=1_000)
    chance = random.Random(8)
    found: list[str] = []
    detected = harmless = older = 0
    with tempfile.TemporaryDirectory(prefix="rivus-damage-") as folder:
        ground = _sample(Path(folder) / "whole", 60)
        want = json.dumps({"text": "what was found " * 20})
        for n in range(rounds):
            name, damage = _DAMAGE[n % len(_DAMAGE)]
            state = StateDir(Path(folder) / f"state{n}")
            shutil.copytree(ground.state.path, state.path)
            damage(chance, state.path / name)
            before = {file.name for file in state.path.iterdir()}
            told = _start_and_read(state, want)
            if told == "altered":
                found.append(f"{damage.__name__} of {name}: an altered result was served")
            detected += told == "refused"
            harmless += told == "same"
            older += told == "older"
            if lost := before - {file.name for file in state.path.iterdir()} - {"rivus.db-shm", "rivus.db-wal"}:
                found.append(f"{damage.__name__} of {name}: {lost} deleted")
            shutil.rmtree(state.path)
        ground.close()
    return readings(
        found,
        f"{rounds} damaged files: {detected} refused, {harmless} harmless, {older} at an earlier commit, "
        f"{len(found)} served altered",
    )


def _start_and_read(state: StateDir, want: str) -> str:
    lock = EngineLock(state, mode="serve", now=1)
    try:
        # As after a power cut: the last owner did not end by itself.
        prepare(state.database, doubt=True)
        connection = connect(state.database)
        try:
            connection.execute("BEGIN IMMEDIATE")
            plan, _ = jobs.sync(connection, (_SPEC,), 1)
            connection.execute("COMMIT")
            return _read(connection, plan, want)
        finally:
            connection.close()
    except (StateError, sqlite3.DatabaseError):
        return "refused"
    finally:
        lock.release()


def _read(connection: sqlite3.Connection, plan: Plan, want: str) -> str:
    second = next(number for number, one in plan.stages.items() if one.spec.name == "b")
    connection.execute("BEGIN IMMEDIATE")
    claimed = claims.claim(connection, plan, second, 1_000, Lease(9, 10**15), 2)
    connection.execute("COMMIT")
    if any(json.dumps(claim.upstream["a"]) != want for claim in claimed if "a" in claim.upstream):
        return "altered"
    if len(claimed) == 60:
        return "same"
    (failed,) = connection.execute("SELECT count(*) FROM item_stages WHERE state = 'failed'").fetchone()
    return "refused" if failed else "older"


def snapshots(lane: Lane) -> Reading:
    """Copy the file while it is written, open every copy, and put one back."""
    rounds, megabytes = lane.n(fast=2, deep=5), 100 if lane.deep else 3
    found: list[str] = []
    times: list[float] = []
    with tempfile.TemporaryDirectory(prefix="rivus-copies-") as folder:
        ground = Ground(Path(folder) / "state", _SPEC)
        for first in range(0, megabytes * 400, 2_000):
            ground.add(*(candidate(f"i{n}", data={"text": "x" * 1_800}) for n in range(first, first + 2_000)))
        ended = threading.Event()
        stalls: list[float] = []
        writer = threading.Thread(target=_write, args=(ground.state.database, ended, stalls))
        writer.start()
        try:
            for n in range(rounds):
                target = Path(folder) / f"copy{n}.db"
                began = time.monotonic()
                upkeep.backup(ground.state.database, target)
                times.append(time.monotonic() - began)
                found += [f"copy {n}: {one}" for one in upkeep.check(target)][:2]
                if n < rounds - 1:
                    target.unlink()
        finally:
            ended.set()
            writer.join()
        stalls.sort()
        ground.close()
        drills = lane.n(fast=1, deep=50)
        found += _drills(Path(folder) / "drills", drills)
    pace = slowness()
    typical, stall = statistics.median(times), stalls[int(len(stalls) * 0.99)]
    if lane.deep and (typical > 2.0 * pace or stall > 0.05 * pace):
        found.append("too slow")
    return readings(
        found,
        f"{rounds} copies of {megabytes} MB in {typical:.2f} s with their checks, a writer waits p99 "
        f"{stall * 1000:.0f} ms, at most {stalls[-1] * 1000:.0f} ms; {drills} restored",
    )


def _drills(folder: Path, times: int) -> list[str]:
    """Lose the state in a way drawn by chance, and put the last copy back."""
    chance = random.Random(9)
    found: list[str] = []
    ground = _sample(folder, 200)
    database, copy = ground.state.database, folder.with_suffix(".db")
    want = ground.db.execute("SELECT count(*) FROM results").fetchone()
    ground.close()
    upkeep.backup(database, copy)
    for n in range(times):
        chance.choice((_garbage, _cut, _empty, _gone, _flips))(chance, database)
        was_there = database.exists()
        aside = upkeep.restore(database, copy, n)
        if was_there != (aside is not None and aside.exists()):
            found.append(f"drill {n}: the replaced file is not there any more")
        prepare(database, doubt=True)
        with closing(connect(database)) as connection:
            if connection.execute("SELECT count(*) FROM results").fetchone() != want:
                found.append(f"drill {n}: results are missing")
        found += [f"drill {n}: {one}" for one in upkeep.check(database)][:2]
    return found


def _write(database: Path, ended: threading.Event, stalls: list[float]) -> None:
    """About 500 small commits a second."""
    connection = connect(database)
    connection.execute("PRAGMA synchronous = NORMAL")
    while not ended.is_set():
        began = time.monotonic()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE items SET updated_at = updated_at + 1 WHERE id = 1")
        connection.execute("COMMIT")
        stalls.append(time.monotonic() - began)
        ended.wait(max(0.0, 0.002 - stalls[-1]))
    connection.close()


GOALS = [
    Goal("R8", "damaged files", "refused before a claim or harmless, 0 altered results", corruption),
    Goal(
        "R9",
        "copies and restores",
        "each copy and restore whole, 100 MB in 2 s, a writer waits p99 ≤ 50 ms",
        snapshots,
        alone=True,
    ),
]
