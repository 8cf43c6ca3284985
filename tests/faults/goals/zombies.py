"""R7: attempts that end after their row was taken from them, in this process and in processes that were stopped."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.kit.clock import ManualClock
from engine.store import claims, stages
from engine.store.claims import Lease
from tests.factories import Ground, chain, finished, job
from tests.faults import zombie
from tests.faults.goal import Goal, Lane, Reading, readings

_OWN_EPOCH = zombie.EPOCH + 1


def zombies(lane: Lane) -> Reading:
    late, found = _late(lane.n(fast=60, deep=5_000))
    stopped, more = _stopped(lane.n(fast=10, deep=500))
    found += more
    figure = f"{late:,} late results in one process, {stopped} of processes that slept past their lease, "
    return readings(found, f"{figure}{len(found)} accepted or not told")


def _late(rounds: int) -> tuple[int, list[str]]:
    """Attempts that end after their row was taken from them: in this process, each in every way it can end."""
    found: list[str] = []
    late = 0
    with tempfile.TemporaryDirectory(prefix="rivus-zombies-") as folder:
        ground = Ground(Path(folder) / "state", job("docs", *chain("a", "b")))
        assert isinstance(ground.clock, ManualClock)
        for n, how in enumerate(itertools.islice(itertools.cycle(("lease", "epoch", "cancel", "drop")), rounds)):
            ground.add(f"i{n}")  # one at a time, so that the row that is taken is the one that is claimed again
            claim = ground.claim_one("a")
            if how == "lease":
                ground.clock.advance(61)
                ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)
            elif how == "epoch":
                ground.epoch += 1
                ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)
            else:
                ground.command(how, claim.item.key)
            before = ground.states(claim.item.key)
            refused = ground.end(finished(claim, {"late": True})).refused
            late += 1
            if refused != [claim] or ground.states(claim.item.key) != before:
                found.append(f"a result after its {how} was taken")
            if how in ("lease", "epoch"):
                again = ground.claim_one("a")
                assert again.item.id == claim.item.id
                if ground.end(finished(claim, {"late": True})).refused != [claim]:
                    found.append("a zombie ended its successor")
                late += 1
                ground.end(finished(again, {"late": False}))
        wrong = ground.rows("SELECT count(*) AS n FROM results WHERE output LIKE '%true%'")[0]["n"]
        told = len(ground.events("attempt.refused"))
        if wrong:
            found.append(f"{wrong} late results were stored")
        if told != late:
            found.append(f"{late} were refused, {told} events tell of it")
        ground.close()
    return late, found


def _stopped(rounds: int) -> tuple[int, list[str]]:
    """A process is stopped with a row in its hands for longer than its lease; who takes the row over, keeps it."""
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="rivus-zombies-") as folder:
        ground = Ground(Path(folder) / "state", zombie.SPEC)
        ground.add("i0")
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zombie", str(ground.state.path), str(rounds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        try:
            for n in range(rounds):
                _, status = os.waitpid(child.pid, os.WUNTRACED)
                if not os.WIFSTOPPED(status):
                    return 0, [f"the zombie ended with {status}"]
                taken = _take_over(ground)
                ground.add(f"i{n + 1}")
                os.kill(child.pid, signal.SIGCONT)
                item, stage, refused = json.loads(child.stdout.readline())
                if not refused or (item, stage) != taken:
                    found.append(f"item {item} at stage {stage}: a stopped process ended what was taken from it")
        finally:
            child.kill()
            child.communicate()
        own, late = (
            ground.rows(f"SELECT count(*) AS n FROM results WHERE output LIKE '%{word}%'")[0]["n"]
            for word in ("own", "late")
        )
        if (own, late) != (rounds, 0):
            found.append(f"{late} late results are stored, and {own} of {rounds} of their successors")
        if (told := len(ground.events("attempt.refused"))) != rounds:
            found.append(f"{told} events tell of {rounds} zombies")
        ground.close()
    return rounds, found


def _take_over(ground: Ground) -> tuple[int, int]:
    """Wait for the end of the lease as an engine does, take the row, and end it well."""
    first = min(ground.plan.stages)
    while not ground.do(claims.reclaim, ground.plan, zombie.EPOCH, zombie.now()):
        time.sleep(0.001)
    lease = Lease(_OWN_EPOCH, zombie.now() + 60_000)
    (claim,) = ground.do(claims.claim, ground.plan, first, 1, lease, zombie.now())
    ground.do(stages.end_attempts, ground.plan, [finished(claim, {"own": True})], {}, lease, zombie.now())
    return claim.item.id, claim.stage.id


GOALS = [Goal("R7", "zombies", "0 accepted, all told", zombies)]
