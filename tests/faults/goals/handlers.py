"""R11, S7: handlers that do everything they must not do, and the processes that they leave behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from tests.acceptance.waiting import wait_until
from tests.faults import poison as module
from tests.faults.goal import Goal, Lane, Reading, readings
from tests.faults.lag import lag_of
from tests.faults.plant import Plant, planted
from tests.speed import slowness

_TIMEOUT_S = 4
_LAG_MS, _LAG_MAX_MS = 25.0, 100.0
_FINE = ("huge_int", "surrogate", "nul", "chdir")
"""Kinds that are allowed, and must be stored as they are."""
_FAST = ("prints", "spin", "exit", "segfault", "cycle", "big", "chdir", "deaf", "bad_text", "orphan", "surrogate")


def poison(lane: Lane) -> Reading:
    """All kinds at once, beside jobs that are good."""
    kinds, times, good = (module.KINDS, lane.n(fast=1, deep=20), 100) if lane.deep else (_FAST, 1, 40)
    found: list[str] = []
    with planted(n=1) as plant:
        # Others on this machine may run the same: only what this run has started is looked for, and ended.
        mark = f"98765{os.getpid()}"
        (plant.root / "poison.py").write_text(Path(module.__file__).read_text().replace("98765", mark))
        (plant.root / "jobs.yaml").write_text(
            "settings: {grace: 2s, workers: 4}\n"
            "jobs:\n"
            "  bad:\n"
            "    doctor: {thresholds: {code_bug: 10000, systemic: 10000, transient: 10000}}\n"  # never paused
            f"    discovery: {{use: poison.find, every: 1h, kinds: [{', '.join(kinds)}], n: {times}}}\n"
            f"    stages: [{{run: {{handler: poison.poison, timeout: {_TIMEOUT_S}s, attempts: 1, concurrency: 4}}}}]\n"
            "  good:\n"
            f"    discovery: {{use: poison.find, every: 1h, n: {good}}}\n"
            "    stages: [{run: {handler: poison.good}}, {plain: {handler: poison.plain, timeout: 60s}}]\n"
        )
        engine = plant.start()
        wanted = times * len(kinds)

        def settled() -> bool:
            if not (plant.state / "rivus.db").exists():
                return False
            ((rows, left),) = plant.query(
                "SELECT count(*), count(*) FILTER (WHERE state NOT IN ('done', 'failed')) FROM items"
            )
            return left == 0 and rows == wanted + good

        wait_until((plant.state / "engine.sock").exists, lambda: "no start")
        with lag_of(plant.state / "engine.sock") as lag:
            wait_until(settled, lambda: _states(plant), seconds=60 + wanted * 2)
        pace = slowness()
        if lane.deep and (lag.at(0.99) > _LAG_MS * pace or lag.at(1.0) > _LAG_MAX_MS * pace):
            found.append("the loop lets others wait too long")
        (longest,) = plant.query(
            "SELECT max(ended_at - started_at) FROM item_stages WHERE state = 'failed' AND why LIKE 'TimeoutError%'"
        )[0]
        if lane.deep and (longest or 0) > (_TIMEOUT_S + 1) * 1000 * pace:
            found.append(f"one ran for {longest / 1000:.1f} s")
        if engine.poll() is not None:
            found.append(f"the engine ended with {engine.returncode}")
        rows = plant.query(
            "SELECT j.name, i.key, s.state FROM item_stages AS s JOIN items AS i ON i.id = s.item_id "
            "JOIN jobs AS j ON j.id = i.job_id"
        )
        for name, key, state in rows:
            kind = key.rpartition("-")[0]
            want = "done" if name == "good" or kind in _FINE else "failed"
            if state != want:
                found.append(f"{key} is {state}")
        engine.send_signal(signal.SIGTERM)
        engine.communicate(timeout=60)
        if engine.returncode:
            found.append(f"the engine ended with {engine.returncode}")
        if orphans := _sleepers(mark):
            found.append(f"{len(orphans)} processes survived")
            _end(orphans)
    return readings(
        found,
        f"{wanted} poisoned attempts of {len(kinds)} kinds, {good} good items beside them, {len(found)} harmed, "
        f"killed after {(longest or 0) / 1000:.1f} s of {_TIMEOUT_S}, the loop lets wait p99 {lag.at(0.99):.0f} ms, "
        f"at most {lag.at(1.0):.0f} ms",
    )


def _states(plant: Plant) -> object:
    return plant.query("SELECT state, count(*) FROM item_stages GROUP BY 1")


def _sleepers(mark: str) -> list[psutil.Process]:
    deadline = time.monotonic() + 2.0
    while True:
        found = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] and mark in p.info["cmdline"]]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


_TREES = """\
import os
import signal
import subprocess
import time

from engine.contracts.item import Candidate

TREE = (
    "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; (sleep MARK & sleep MARK)' &) ; "
    "setsid sleep MARK & sleep MARK"
)


async def find(ctx):
    for n in range(ctx.params["n"]):
        yield Candidate(key=f"tree-{n}")


def grow(ctx):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sh", "-c", TREE], start_new_session=True)
    time.sleep(0.3)
    (ctx.root / f"grown-{ctx.item.key}").touch()
    time.sleep(600)
"""


def _grown(plant: Plant, n: int) -> bool:
    return len(list(plant.root.glob("grown-*"))) >= n


def _failed(plant: Plant, n: int) -> bool:
    return len(plant.rows("failed")) == n


def trees(lane: Lane) -> Reading:
    """Processes below a handler, made to escape: at a timeout, at a stop and at a kill -9 of the engine."""
    rounds = lane.n(fast=2, deep=75)
    found: list[str] = []
    grown = 0
    for n in range(rounds):
        mark = str(70_000_000 + os.getpid() * 100 + n % 100)
        with planted(n=1) as plant:
            (plant.root / "trees.py").write_text(_TREES.replace("MARK", mark))
            timeout = "2s" if n % 3 == 2 else "60s"
            (plant.root / "jobs.yaml").write_text(
                "settings: {grace: 0s, workers: 2}\n"
                "jobs: {t: {discovery: {use: trees.find, n: 4}, "
                f"stages: [{{a: {{handler: trees.grow, timeout: {timeout}, attempts: 1, concurrency: 2}}}}]}}}}\n"
            )
            engine = plant.start("run", "t")
            wanted = 4 if timeout == "2s" else 2
            grown += wanted
            wait_until(partial(_grown, plant, wanted), lambda: "no tree grew")
            if n % 3 == 0:
                engine.kill()
            elif n % 3 == 1:
                engine.send_signal(signal.SIGTERM)
            else:
                wait_until(partial(_failed, plant, 4), lambda: "no timeout came")
            if n % 3 != 2:
                engine.wait(timeout=30)
            if left := _sleepers(mark):
                found.append(f"{('kill', 'stop', 'timeout')[n % 3]}: {len(left)} processes survived for 2 s")
                _end(left)
            engine.kill()
    return readings(found, f"{grown} trees of 5 processes, {len(found)} times survivors")


GOALS = [
    Goal(
        "R11",
        "poison handlers",
        "0 engine exits, 0 good items harmed, 0 survivors, loop p99 ≤ 25 ms",
        poison,
        alone=True,
    ),
    Goal("S7", "process trees", "0 survivors after 2 s", trees, minutes=7),
]
