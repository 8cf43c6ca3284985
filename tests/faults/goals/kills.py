"""R2: engines that are killed at any moment, and what the next one finds."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.store import migrate, upkeep
from engine.store.migrate import connect, migrations
from tests.acceptance.command_line import RIVUS
from tests.acceptance.waiting import wait_until
from tests.faults.between import between_calls
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.plant import STAGES, Plant, planted
from tests.faults.warm import WarmEngine
from tests.speed import slowness

WAIT_S: Final = 1.0
"""From the start of a process to its first handler, in half of all starts on a machine that does nothing else."""
_AT_ONCE: Final = (os.cpu_count() or 1) + 1
_EACH: Final = 50
"""Kills of one state file."""
_COLD: Final = 5
"""One start in so many is of a new process, which imports everything; the others are forked from one that has."""


@dataclass(slots=True)
class Killed:
    """What kills of one state file came to."""

    results: int = 0
    again: int = 0
    in_flight: int = 0
    found: list[str] = field(default_factory=list)


def kills(lane: Lane) -> Reading:
    """SIGKILL at random: while it works, while it takes over what the last one left, while a copy is made."""
    wanted = lane.n(fast=3, deep=1_000)
    each = _EACH if lane.deep else wanted
    rounds = [min(each, wanted - first) for first in range(0, wanted, each)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        between = pool.submit(between_calls, lane.n(fast=0, deep=100), random.Random(2))
        seen = list(pool.map(partial(_kill_often, n=1_800 if lane.deep else 150), range(len(rounds)), rounds))
        upgrades = lane.n(fast=1, deep=60)
        found = [one for told in pool.map(_killed_migration, range(upgrades)) for one in told]
    points, wrong = between.result()
    found += [one for told in seen for one in told.found] + wrong
    waits = _waits(lane.n(fast=2, deep=15))
    wait, limit = statistics.median(waits), WAIT_S * slowness()
    if lane.deep and wait > limit:
        found.append(f"work goes on {wait:.2f} s after a start, {limit:.2f} s are allowed on this machine")
    figure = (
        f"{wanted:,} kills at random and {points} at single system calls, 0 of {sum(one.results for one in seen):,} "
        f"results lost, {sum(one.again for one in seen):,} of {sum(one.in_flight for one in seen):,} in flight began "
        f"again, work went on {wait:.2f} s after a start (half of {len(waits)}), at most {max(waits):.2f} s"
    )
    return readings(found, figure)


def _has_ended(plant: Plant, n: int) -> bool:
    return plant.ended_so_far() > n


def _kill_often(number: int, times: int, *, n: int) -> Killed:
    """Kill the engines of one plant so often; every second plant is one with full durability."""
    chance = random.Random(number)
    told = Killed(results=n * len(STAGES))
    with planted(handler="slow", n=n) as plant:
        config = plant.root / "jobs.yaml"
        durability = "full" if number % 2 else "normal"
        config.write_text(config.read_text().replace("workers: 2", f"workers: 2, durability: {durability}"))
        seen: set[Any] = set()
        for kill in range(times):
            engine = None if kill % _COLD == 0 else WarmEngine(plant.root, plant.state, "run", "boxes")
            cold = plant.start("run", "boxes") if engine is None else None
            if kill % 4 == 3:
                time.sleep(chance.uniform(0.0, 0.8))  # while it starts
            else:
                enough = min(plant.ended_so_far() + chance.randrange(40), n * len(STAGES) - 1)
                wait_until(partial(_has_ended, plant, enough), lambda: "no work")
            if kill % 4 == 1 and (plant.state / "rivus.db").exists():
                _killed_copy(plant, kill, chance)
            if engine is not None:
                engine.kill()
            if cold is not None:
                cold.kill()
                cold.communicate()
            if not (plant.state / "rivus.db").exists():
                continue
            now = set(plant.query("SELECT item_id, stage_id, output FROM results"))
            if lost := seen - now:
                told.found.append(f"plant {number}, kill {kill}: {len(lost)} results lost")
            seen = now
            told.in_flight += len(plant.rows("running"))
            if plant.query("PRAGMA integrity_check") != [("ok",)]:
                told.found.append(f"plant {number}, kill {kill}: integrity")
        plant.run_to_the_end()
        for _ in STAGES:
            # What crashes have interrupted three times waits for a person; here the crashes were ours.
            if held := sorted({key for _, key in plant.rows("waiting")}):
                plant.ended(plant.start("items", "answer", "boxes", *held, "--answer", "again"), 0)
                plant.run_to_the_end()
        if not plant.is_whole():
            told.found.append(f"plant {number}: not everything is done once")
        told.again = sum(began - 1 for began in plant.times("began").values() if began > 1)
        if told.again > told.in_flight:
            told.found.append(f"plant {number}: {told.again} attempts began again, {told.in_flight} were in flight")
        told.found += [f"a copy: {one}" for copy in plant.root.glob("copy*.db") for one in upkeep.check(copy)]
    return told


def _killed_copy(plant: Plant, number: int, chance: random.Random) -> None:
    copy = subprocess.Popen(
        [str(RIVUS), "--state", str(plant.state), "db", "backup", str(plant.root / f"copy{number}.db")],
        cwd=plant.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(chance.uniform(0.2, 0.9))
    copy.kill()
    copy.wait()


def _waits(times: int) -> list[float]:
    """Seconds from the start of each process, beside which nothing of ours runs, to its first handler."""
    waits = []
    with planted(handler="slow", n=100 * times) as plant:
        for _ in range(times):
            started = time.time()
            engine = plant.start("run", "boxes")
            wait_until(lambda: bool(plant.ledger("began", engine.pid)), lambda: "no work")  # noqa: B023
            waits.append(min(note.at for note in plant.ledger("began", engine.pid)) - started)
            engine.kill()
            engine.communicate()
    return waits


def _killed_migration(n: int) -> list[str]:
    """An older state file whose upgrade is killed at one of its steps comes through at the next start."""
    found = []
    newest = migrations()[-1].number
    with planted(n=20) as plant:
        _make_old(plant.state / "rivus.db", newest - 2)
        at = 1 + n % 2
        code = (
            "import os, signal, engine.kit.chaos as c; seen = []; "
            "c._upon = lambda name: name == 'migrate.applies' and (seen.append(1), "
            f"len(seen) == {at} and os.kill(os.getpid(), signal.SIGKILL))"
        )
        plant.start_patched(code, "run", "boxes", "--once").communicate()
        plant.run_to_the_end()
        if plant.query("PRAGMA user_version") != [(newest,)] or not plant.is_whole():
            found.append(f"migration {n}: not whole after a kill at step {at}")
    return found


def _make_old(database: Path, number: int) -> None:
    """A state file as an older version made it."""
    database.parent.mkdir(mode=0o700)
    database.touch(mode=0o600)
    connection = connect(database)
    for migration in migrations()[:number]:
        migrate._apply(connection, migration)
    connection.close()


GOALS = [
    Goal(
        "R2",
        "kill -9",
        "0 lost, 0 twice, ≤ 1 repetition of what was in flight, goes on within 1 s",
        kills,
        alone=True,
        minutes=10,
    ),
]
