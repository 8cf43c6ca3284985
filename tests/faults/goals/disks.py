"""R10: disks that are full, fail or are locked; below an engine in this process, and below one in its own.

The second kind is as real as it gets without another machine: a file system of a few megabytes that is filled, a limit
on the size of files, a library that lets syncs fail, and a program that keeps the write lock.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from engine.contracts.view import ItemQuery
from engine.store.migrate import connect
from engine.store.reader import Reader
from engine.store.state_dir import StateDir
from tests.acceptance.command_line import RIVUS
from tests.acceptance.waiting import wait_until
from tests.factories import Rig, job, stage
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.plant import Plant, planted
from tests.faults.simulation.run import quietly
from tests.speed import slowness

_BACK_S = 5.0
_EACH_S = 1.5
"""How long a disk fails."""


def disks(lane: Lane) -> Reading:
    found: list[str] = []
    rounds = lane.n(fast=3, deep=42)
    slowest = 0.0
    with quietly(), tempfile.TemporaryDirectory(prefix="rivus-full-") as folder:
        for n in range(rounds):
            how = ("full", "locked", "read-only")[n % 3]
            slowest = max(slowest, asyncio.run(_full(Path(folder) / str(n), how, found)))
    each = lane.n(fast=1, deep=5)
    kinds = _KINDS if lane.deep else _KINDS[:1]
    left: list[str] = []
    lags: list[float] = []
    for kind, breaks in kinds:
        why_not = _engine(kind, breaks, each, found, lags)
        if why_not:
            left.append(f"{kind}: {why_not}")
        else:
            rounds += each
    lags.sort()
    p99 = lags[int(len(lags) * 0.99)] * 1000 if lags else 0.0
    if lane.deep and p99 > 25 * slowness():
        found.append(f"a screen is read in {p99:.0f} ms")
    figure = f"{rounds} disks that fail, {len(found)} wrong, screens read in p99 {p99:.0f} ms meanwhile"
    return readings(found, figure + "".join(f"; not tried: {one}" for one in left))


async def _full(folder: Path, how: str, found: list[str]) -> float:
    gate = asyncio.Event()

    async def work(ctx: Any) -> dict[str, str]:
        await gate.wait()
        return {"text": "x" * 50_000}

    spec = job("docs", stage("work", handler="work", concurrency=20))
    async with Rig(folder, spec, functions={"work": work}) as rig:
        keys = [f"k{n}" for n in range(12)]
        await rig.add(*keys)
        await rig.until(lambda: rig.runtime.attempts.running == 12)
        end = await _break(rig, how)
        gate.set()
        await rig.until(lambda: rig.runtime.writer.problem is not None, seconds=20)
        if rig.runtime.writer.unstored != 12:
            found.append(f"{how}: {rig.runtime.writer.unstored} of 12 ends are kept")
        await end()
        began = time.monotonic()
        await rig.until(lambda: rig.runtime.writer.problem is None and not rig.runtime.writer.unstored, seconds=20)
        if lost := [key for key in keys if rig.states(key)["work"] != "done"]:
            found.append(f"{how}: {len(lost)} results lost")
        return time.monotonic() - began


async def _break(rig: Rig, how: str) -> Callable[[], Any]:
    """Let writing fail; returns what ends it."""
    database = rig.runtime._database
    if how == "locked":
        await database.run(lambda connection: connection.execute("PRAGMA busy_timeout = 20"))
        other = connect(rig.state.database)
        other.execute("BEGIN IMMEDIATE")

        async def end() -> None:
            other.execute("ROLLBACK")
            other.close()

        return end
    on, off = {
        "full": ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"),
        "read-only": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    }[how]
    await database.run(lambda connection: connection.execute(on).fetchall())
    return lambda: database.run(lambda connection: connection.execute(off).fetchall())


# An engine in a process of its own

_READS: tuple[Callable[[Reader], object], ...] = (
    Reader.status, Reader.jobs, lambda reader: reader.items_page(ItemQuery(), None, 50),
    lambda reader: reader.item("boxes", "box-0001"), lambda reader: reader.events_page(None, 50), Reader.incidents,
)  # fmt: skip
"""What screens read while the disk fails."""
Break = Callable[[Plant, psutil.Process], Callable[[], None]]
"""Lets the disk of this engine fail; returns what ends it."""


def _engine(kind: str, breaks: Break, times: int, found: list[str], lags: list[float]) -> str | None:
    """Let the disk fail so often below one engine; returns why that cannot be tried here, if so."""
    if why_not := _missing(kind):
        return why_not
    if kind == "small file system":
        _apart(times, found, lags)
    else:
        _live(kind, breaks, times, found, lags)
    return None


def _apart(times: int, found: list[str], lags: list[float]) -> None:
    """Do the same where a small file system is mounted that nobody else sees."""
    with tempfile.TemporaryDirectory(prefix="rivus-small-") as folder:
        mount = 'mount -t tmpfs -o size=264m,mode=700 tmpfs "$1" && shift && exec "$@"'  # more than the floor of 200 MB
        again = [sys.executable, "-m", "tests.faults.goals.disks", folder, str(times)]
        line = ["unshare", "-rm", "sh", "-c", mount, "sh", folder, *again]
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    found += told["found"]
    lags += told["lags"]


def _live(kind: str, breaks: Break, times: int, found: list[str], lags: list[float], state: Path | None = None) -> None:
    with planted(handler="slow", n=120 * (times + 1)) as plant, _started(kind, plant, state) as process:
        reader = Reader(StateDir(plant.state), project="disks")
        try:
            for n in range(times):
                plant.wait_for(len(plant.ledger("ended")) + 60)
                seen = _results(plant)
                end = breaks(plant, process)
                began = time.monotonic()
                while time.monotonic() - began < (12.0 if kind == "locked" and n == times - 1 else _EACH_S):
                    for read in _READS:
                        at = time.perf_counter()
                        read(reader)
                        lags.append(time.perf_counter() - at)
                    time.sleep(0.02)
                before = len(plant.ledger("began"))
                end()
                ended = time.monotonic()
                wait_until(partial(_goes_on, plant, before), lambda: "nothing begins any more")
                if (back := time.monotonic() - ended) > _BACK_S * slowness():
                    found.append(f"{kind} {n}: back after {back:.1f} s")
                if lost := seen - _results(plant):
                    found.append(f"{kind} {n}: {len(lost)} results lost")
                if not process.is_running():
                    found.append(f"{kind} {n}: the engine has ended")
            plant.wait_for(3 * plant.n)
            wait_until(plant.is_whole, lambda: plant.query("SELECT state, count(*) FROM item_stages GROUP BY 1"))
            if again := [row for row, times in plant.times("began").items() if times > 1]:
                found.append(f"{kind}: {len(again)} attempts began twice, though none was interrupted")
        except AssertionError as error:
            found.append(f"{kind}: {error}")
        finally:
            reader.close()


def _results(plant: Plant) -> set[Any]:
    return set(plant.query("SELECT item_id, stage_id, output FROM results"))


def _goes_on(plant: Plant, before: int) -> bool:
    return len(plant.ledger("began")) > before


@contextmanager
def _started(kind: str, plant: Plant, state: Path | None) -> Iterator[psutil.Process]:
    config = plant.root / "jobs.yaml"
    config.write_text(config.read_text().replace("workers: 2", "workers: 2, durability: full"))
    command: tuple[str, ...] = (str(RIVUS),)
    plant.state = state or plant.state
    if kind == "failing sync":
        command = ("env", f"LD_PRELOAD={_library(plant)}", f"FAIL_SYNC={plant.root / 'fail'}", str(RIVUS))
    engine = plant.start("run", "boxes", command=command)
    plant.wait_for(1)
    yield psutil.Process(engine.pid)
    engine.send_signal(signal.SIGTERM)
    plant.ended(engine, 0)


def _missing(kind: str) -> str | None:
    if kind == "failing sync" and shutil.which("cc") is None:
        return "there is no C compiler"
    if kind == "small file system":
        mount = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
        if shutil.which("unshare") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
            return "this kernel lets nobody mount"
    return None


_SYNC = """\
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int fails(void) { const char *f = getenv("FAIL_SYNC"); return f && access(f, F_OK) == 0; }
int fsync(int fd) { (void)fd; if (fails()) { errno = EIO; return -1; } return 0; }
int fdatasync(int fd) { return fsync(fd); }
"""


def _library(plant: Plant) -> Path:
    """A library that lets every sync fail while a file is there."""
    source, library = plant.root / "sync.c", plant.root / "sync.so"
    source.write_text(_SYNC)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


def _limit_files(plant: Plant, process: psutil.Process) -> Callable[[], None]:
    _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (512 * 1024, hard))  # more than the ledger of the handlers needs
    return lambda: process.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))


def _fail_syncs(plant: Plant, _process: psutil.Process) -> Callable[[], None]:
    flag = plant.root / "fail"
    flag.touch()
    return flag.unlink


_LOCK = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def _lock(plant: Plant, _process: psutil.Process) -> Callable[[], None]:
    line = [sys.executable, "-c", _LOCK, str(plant.state / "rivus.db")]
    other = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    other.stdout.readline()

    def end() -> None:
        other.communicate()

    return end


def _fill(plant: Plant, _process: psutil.Process) -> Callable[[], None]:
    ballast = plant.state / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4_096):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast.unlink


_KINDS: tuple[tuple[str, Break], ...] = (
    ("failing sync", _fail_syncs),
    ("limited files", _limit_files),
    ("locked", _lock),
    ("small file system", _fill),
)

GOALS = [
    Goal("R10", "failing disks", "0 results lost, none begun twice, goes on by itself within 5 s", disks, alone=True)
]


def _main(state: Path, times: int) -> None:
    found: list[str] = []
    lags: list[float] = []
    _live("small file system", _fill, times, found, lags, state)
    sys.stdout.write(json.dumps({"found": found, "lags": lags}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
