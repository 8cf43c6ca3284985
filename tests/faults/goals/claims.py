"""R1, R3: claims by many at once, and work taken over from the dead."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from engine.store import takeover
from engine.store.migrate import connect
from tests.factories import Ground, candidate, chain, job
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.speed import slowness

_STAGES = ("a", "b", "c", "d", "e")


def _fill(folder: Path, items: int) -> Ground:
    ground = Ground(folder, job("docs", *chain(*_STAGES, concurrency=64)))
    for first in range(0, items, 5_000):
        ground.add(*(candidate(f"i{n}") for n in range(first, min(first + 5_000, items))))
    return ground


def claim_race(lane: Lane) -> Reading:
    """Processes that claim and finish on connections of their own, which the engine itself never does."""
    processes, items = lane.n(fast=4, deep=16), lane.n(fast=600, deep=200_000)
    processes = min(16, max(4, processes))
    with tempfile.TemporaryDirectory(prefix="rivus-race-") as folder:
        ground = _fill(Path(folder) / "state", items)
        # Into files: one that waits for its pipe to be read would hold what it has claimed.
        told = [Path(folder) / f"told-{n}" for n in range(processes)]
        racers = [_race(ground.state.path, n + 2, out) for n, out in enumerate(told)]
        taken: Counter[tuple[int, int]] = Counter()
        shares: list[int] = []
        for racer, out in zip(racers, told, strict=True):
            if racer.wait():
                for other in racers:
                    other.kill()
                return Reading(f"a racer ended with {racer.returncode}", ok=False)
            lines = out.read_text().splitlines()
            shares.append(len(lines))
            taken.update(tuple(json.loads(line)) for line in lines)
        double = sum(times - 1 for times in taken.values())
        (done,) = ground.db.execute("SELECT count(*) FROM results").fetchone()
        lost = items * len(_STAGES) - len(taken)
        found = [f"{double} claimed twice"] * bool(double) + [f"{lost} never claimed"] * bool(lost)
        found += [f"{len(taken)} claims gave {done} results"] * (done != len(taken))
        if lane.deep and min(shares) * processes < len(taken) // 10:
            found.append(f"no race: one had {min(shares):,} claims, another {max(shares):,}")
        if ground.counts() != ground.recount():
            found.append("the counts are not what is there")
        ground.close()
    figure = f"{len(taken):,} claims by {processes} processes, {min(shares):,} to {max(shares):,} each"
    return readings(found, f"{figure}, {double} double, {lost} lost")


def _race(state: Path, epoch: int, told: Path) -> subprocess.Popen[bytes]:
    with told.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "tests.faults.racer", str(state), str(epoch)], stdout=out)


def recovery(lane: Lane) -> Reading:
    """From the start of an engine to the moment at which what the dead one left can be claimed again."""
    rows, in_flight, rounds = lane.n(fast=4_000, deep=100_000), lane.n(fast=200, deep=1_000), lane.n(fast=5, deep=100)
    times, found = [], []
    with tempfile.TemporaryDirectory(prefix="rivus-recovery-") as folder:
        ground = _fill(Path(folder) / "state", rows // len(_STAGES))
        project = _project(ground)
        for epoch in range(rounds):
            ground.epoch = epoch * 2 + 1
            taken = ground.claim("a", in_flight)
            connection = connect(ground.state.database)
            began = time.perf_counter()
            begun = takeover.begin(connection, project, ground.now)
            times.append(time.perf_counter() - began)
            left = connection.execute(
                "SELECT count(*) FROM item_stages WHERE state = 'running' AND owner <> ?", (begun.epoch,)
            ).fetchone()[0]
            back = connection.execute("SELECT count(*) FROM item_stages WHERE state IN ('ready', 'waiting')").fetchone()
            if left or back[0] < len(taken):
                found.append(f"{left} rows still run under a dead epoch, {back[0]} can be claimed")
            # As if they had run once more and ended well, so that no crash too many holds them.
            connection.execute("UPDATE item_stages SET interruptions = 0")
            connection.close()
        ground.close()
    times.sort()
    p99 = times[max(0, int(len(times) * 0.99) - 1)] * 1000
    pace = slowness()
    if lane.deep and (p99 > 300 * pace or times[-1] > pace):
        found.append("too slow")
    return readings(found, f"{rounds} starts over {in_flight:,} in flight of {rows:,} rows, p99 {p99:.0f} ms")


def _project(ground: Ground):  # type: ignore[no-untyped-def]
    from engine.contracts.spec import ProjectSpec, Settings

    return ProjectSpec(root=ground.state.path, source=None, settings=Settings(), jobs=(ground.job().spec,))


GOALS = [
    Goal("R1", "claim race", "0 double, 0 lost", claim_race, alone=True),
    Goal("R3", "recovery", "p99 ≤ 300 ms, 0 rows running under a dead epoch", recovery, alone=True),
]
