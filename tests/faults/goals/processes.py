"""R14, S5: engines in processes of their own that are left to run, and looked into."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from tests.acceptance.command_line import RIVUS
from tests.acceptance.waiting import wait_until
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.lag import lag_of
from tests.faults.plant import STAGES, Plant, planted
from tests.speed import slowness

# R14

_GROWS_MB: Final = 1.0
"""Memory that 100,000 attempts may add, once it is warm."""
_WAL_MIB: Final = 16.0
"""The log is worked off at 4,000 pages of 4 KiB, and may be one group longer."""
_LAG_MS: Final = 25.0


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
        wait_until((plant.state / "engine.sock").exists, lambda: "no start")
        began = time.monotonic()
        done = 0
        with lag_of(plant.state / "engine.sock") as lag:
            while done < items * len(STAGES) and time.monotonic() - began < (1_800 if lane.deep else 60):
                time.sleep(2.0 if lane.deep else 0.5)
                with suppress(Exception):
                    done = plant.query("SELECT coalesce(sum(n), 0) FROM stage_counts WHERE state = 'done'")[0][0]
                    wal = (plant.state / "rivus.db-wal").stat().st_size / 2**20
                    samples.append((done, process.memory_info().rss / 1e6, process.num_fds(), wal))
        seconds = time.monotonic() - began
        pace = slowness()
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
            if slope > _GROWS_MB:
                found.append(f"{slope:.1f} MB grow with 100,000 attempts")
            if fds > 4:
                found.append(f"{fds:.0f} more open files")
        wal = max((one[3] for one in samples), default=0.0)
        if wal > _WAL_MIB:
            found.append(f"a log of {wal:.1f} MiB")
        if lane.deep and lag.at(0.99) > _LAG_MS * pace:
            found.append(f"the loop answers p99 {lag.at(0.99):.0f} ms on a machine {pace:.1f} times slower")
        if errors:
            found.append(f"{errors} errors")
    return readings(
        found,
        f"{done:,} attempts at {done / seconds:,.0f}/s, {slope:+.1f} MB per 100,000, log ≤ {wal:.1f} MiB, "
        f"the loop answers p99 {lag.at(0.99):.0f} ms, {errors} errors",
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
    Goal("R14", "soak", "all done, 0 errors, ≤ 1 MB per 100,000, log ≤ 16 MiB, p99 ≤ 25 ms", soak, minutes=8),
    Goal("S5", "permissions", "files 0600, folders 0700, 0 for another user", permissions),
]
