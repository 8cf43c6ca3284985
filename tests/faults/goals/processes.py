"""R2, R14, S5: engines in processes of their own that are killed, left to run, and looked into."""

from __future__ import annotations

import os
import random
import shlex
import signal
import socket
import stat
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from engine.store import migrate, upkeep
from engine.store.migrate import connect, migrations
from tests.acceptance.command_line import RIVUS
from tests.acceptance.waiting import wait_until
from tests.faults.between import between_calls
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.plant import STAGES, Plant, planted
from tests.speed import slowness

# R2

WAIT_S: Final = 1.0
"""From the start of a process to its first handler, in half of all starts on a machine that does nothing else."""


def _has_ended(plant: Plant, n: int) -> bool:
    return len(plant.ledger("ended")) > n


def kills(lane: Lane) -> Reading:
    """SIGKILL at random: while it works, while it takes over what the last one left, while a copy is made."""
    chance = random.Random(2)
    found: list[str] = []
    wanted = lane.n(fast=3, deep=1_000)
    left, results, again, in_flight = wanted, 0, 0, 0
    waits: list[float] = []
    while left > 0:
        times = min(left, 100)
        durability = "full" if (left // 100) % 2 else "normal"
        told = _kill_often(durability, times, chance, found, waits, n=2_500 if lane.deep else 150)
        results, again, in_flight = results + told[0], again + told[1], in_flight + told[2]
        left -= times
    found += _killed_migration(lane.n(fast=1, deep=60), chance)
    points, wrong = between_calls(lane.n(fast=0, deep=100), chance)
    found += wrong
    wait = statistics.median(waits)
    if lane.deep and wait > WAIT_S * slowness():
        found.append(f"work goes on {wait:.2f} s after a start")
    figure = (
        f"{wanted:,} kills at random and {points} at single system calls, 0 of {results:,} results lost, "
        f"{again:,} of {in_flight:,} in flight began again, work went on {wait:.2f} s after a start (half of "
        f"{len(waits)}), at most {max(waits):.2f} s"
    )
    return readings(found, figure)


def _kill_often(
    durability: str, times: int, chance: random.Random, found: list[str], waits: list[float], *, n: int
) -> tuple[int, int, int]:
    """Kill the engines of one plant so often; returns results, what began again, and what was in flight.

    `waits` gets the seconds from the start of each process to its first handler.
    """
    with planted(handler="slow", n=n) as plant:
        config = plant.root / "jobs.yaml"
        config.write_text(config.read_text().replace("workers: 2", f"workers: 2, durability: {durability}"))
        seen: set[Any] = set()
        in_flight = 0
        for kill in range(times):
            started = time.time()
            engine = plant.start("run", "boxes")
            if kill % 4 == 3:
                time.sleep(chance.uniform(0.0, 0.8))  # while it starts
            else:
                wait_until(
                    partial(_has_ended, plant, len(plant.ledger("ended")) + chance.randrange(40)), lambda: "no work"
                )
            if kill % 4 == 1 and (plant.state / "rivus.db").exists():
                copy = subprocess.Popen(
                    [str(RIVUS), "--state", str(plant.state), "db", "backup", str(plant.root / f"copy{kill}.db")],
                    cwd=plant.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                time.sleep(chance.uniform(0.2, 0.9))
                copy.kill()
                copy.wait()
            engine.kill()
            engine.communicate()
            if first := [note.at for note in plant.ledger("began", engine.pid)]:
                waits.append(min(first) - started)
            if not (plant.state / "rivus.db").exists():
                continue
            now = set(plant.query("SELECT item_id, stage_id, output FROM results"))
            if lost := seen - now:
                found.append(f"kill {kill}: {len(lost)} results lost")
            seen = now
            in_flight += len(plant.rows("running"))
            if plant.query("PRAGMA integrity_check") != [("ok",)]:
                found.append(f"kill {kill}: integrity")
        plant.run_to_the_end()
        for _ in STAGES:
            # What crashes have interrupted three times waits for a person; here the crashes were ours.
            if held := sorted({key for _, key in plant.rows("waiting")}):
                plant.ended(plant.start("items", "answer", "boxes", *held, "--answer", "again"), 0)
                plant.run_to_the_end()
        if not plant.is_whole():
            found.append("not everything is done once")
        again = sum(began - 1 for began in plant.times("began").values() if began > 1)
        if again > in_flight:
            found.append(f"{again} attempts began again, {in_flight} were in flight")
        found += [f"a copy: {one}" for copy in plant.root.glob("copy*.db") for one in upkeep.check(copy)]
        return n * len(STAGES), again, in_flight


def _killed_migration(rounds: int, chance: random.Random) -> list[str]:
    """An older state file whose upgrade is killed at each step comes through at the next start."""
    found = []
    newest = migrations()[-1].number
    for n in range(rounds):
        with planted(n=20) as plant:
            _make_old(plant.state / "rivus.db", newest - 2)
            at = chance.randrange(1, 3)
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


# R14


def soak(lane: Lane) -> Reading:
    """Leave it running, and look at what grows."""
    items = lane.n(fast=700, deep=100_000)
    found: list[str] = []
    with planted(n=items) as plant:
        module = plant.root / "boxes.py"
        module.write_text(
            module.read_text().replace("    await asyncio.sleep(0.004)\n", "").replace("    note(ctx, ", "    pass  # ")
        )
        engine = plant.start("run", "boxes")
        process = psutil.Process(engine.pid)
        samples: list[tuple[int, float, int, float]] = []
        began = time.monotonic()
        done = 0
        while done < items * len(STAGES) and time.monotonic() - began < (1_800 if lane.deep else 60):
            time.sleep(2.0 if lane.deep else 0.5)
            with suppress(Exception):
                done = plant.query("SELECT coalesce(sum(n), 0) FROM stage_counts WHERE state = 'done'")[0][0]
                wal = (plant.state / "rivus.db-wal").stat().st_size / 1e6
                samples.append((done, process.memory_info().rss / 1e6, process.num_fds(), wal))
        seconds = time.monotonic() - began
        engine.send_signal(signal.SIGTERM)
        engine.communicate(timeout=60)
        if engine.returncode or done < items * len(STAGES):
            found.append(f"{done} of {items * len(STAGES)} done, ended with {engine.returncode}")
        errors = plant.query("SELECT count(*) FROM events WHERE level = 'error'")[0][0]
        warm = samples[len(samples) // 3 :]
        slope = fds = 0.0
        if lane.deep and len(warm) > 2 and warm[-1][0] > warm[0][0]:
            slope = (warm[-1][1] - warm[0][1]) / ((warm[-1][0] - warm[0][0]) / 100_000)
            fds = max(one[2] for one in warm) - min(one[2] for one in warm)
            if slope > 4.0:
                found.append(f"{slope:.1f} MB grow with 100,000 attempts")
            if fds > 4:
                found.append(f"{fds:.0f} more open files")
        wal = max((one[3] for one in samples), default=0.0)
        if wal > 64:
            found.append(f"a log of {wal:.0f} MB")
        if errors:
            found.append(f"{errors} errors")
    return readings(
        found,
        f"{done:,} attempts at {done / seconds:,.0f}/s, {slope:+.1f} MB per 100,000, log ≤ {wal:.0f} MB, "
        f"{errors} errors",
    )


# S5


def _runs(plant: Plant) -> bool:
    lock = plant.state / "engine.lock"
    return lock.exists() and b"running" in lock.read_bytes() and (plant.state / "rivus.log").exists()


def permissions(lane: Lane) -> Reading:
    """Whatever the umask, nobody else gets an eye in."""
    found: list[str] = []
    files = tried = 0
    for umask in ("000", "022", "077")[: 3 if lane.deep else 1]:
        with planted(handler="long", n=2) as plant:
            engine = plant.start(command=("sh", "-c", f'umask {umask}; exec {shlex.quote(str(RIVUS))} "$@"', "rivus"))
            wait_until(partial(_runs, plant), lambda: "no start")
            line = [str(RIVUS), "--state", str(plant.state), "db", "backup", str(plant.state / "copy.db")]
            subprocess.run(line, cwd=plant.root, capture_output=True, check=False)
            for path in (plant.state, *plant.state.rglob("*")):
                info = path.lstat()
                files += 1
                want = 0o700 if stat.S_ISDIR(info.st_mode) else 0o600
                if stat.S_IMODE(info.st_mode) != want:
                    found.append(f"umask {umask}: {path.name} is {stat.S_IMODE(info.st_mode):o}")
            tried += _tried_by_another(plant, found)
            engine.kill()
    others = f"{tried} operations of another user" if tried else "another user was not tried (that takes root)"
    return readings(found, f"{files} files, folders and sockets, {others}, {len(found)} open to others")


def _tries(state: Path) -> list[Callable[[], object]]:
    """What somebody else could do to a state, were its folder reached."""
    found: list[Callable[[], object]] = [
        lambda: os.listdir(state),
        lambda: os.open(state / "new", os.O_CREAT | os.O_WRONLY),
        lambda: os.rename(state, state.with_name("mine")),
        lambda: os.chmod(state, 0o777),
        lambda: socket.socket(socket.AF_UNIX).connect(str(state / "engine.sock")),
    ]
    for name in ("rivus.db", "rivus.db-wal", "engine.lock", "rivus.log", "copy.db"):
        path = state / name
        found += [partial(os.open, path, os.O_RDONLY), partial(os.open, path, os.O_WRONLY), partial(os.unlink, path)]
    return found


def _tried_by_another(plant: Plant, found: list[str]) -> int:
    """Try all of that as another user; returns how much was tried."""
    if os.geteuid() != 0:
        return 0
    for folder in (plant.state.parent, plant.root):
        folder.chmod(0o755)
    tries = _tries(plant.state)
    told, tells = os.pipe()
    if (child := os.fork()) == 0:
        # The interpreter may lie where that user cannot run it, so it is this process that becomes the user.
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        for n, one in enumerate(tries):
            with suppress(OSError):
                one()
                os.write(tells, bytes([n]))
        os._exit(0)
    os.close(tells)
    with os.fdopen(told, "rb") as pipe:
        found += [f"another user came through with operation {n}" for n in pipe.read()]
    _, status = os.waitpid(child, 0)
    found += [f"another user: ended with {status}"] * bool(status)
    return len(tries)


GOALS = [
    Goal(
        "R2", "kill -9", "0 lost, 0 twice, ≤ 1 repetition of what was in flight, goes on within 1 s", kills, minutes=18
    ),
    Goal("R14", "soak", "all done, 0 errors, ≤ 4 MB per 100,000, log ≤ 64 MB", soak, minutes=8),
    Goal("S5", "permissions", "files 0600, folders 0700, 0 for another user", permissions),
]
