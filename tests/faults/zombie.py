"""Claims, stops itself (SIGSTOP) and ends too late, again and again: `python -m tests.faults.zombie FOLDER N`.

Whoever lets it go on has taken its row meanwhile, whose result it then hands in too late. A line of JSON tells each
round: item, stage, and whether the late result was refused.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

from engine.store import claims, jobs, stages
from engine.store.claims import Lease
from engine.store.migrate import connect
from engine.store.plan import Plan
from engine.store.state_dir import StateDir
from tests.factories import chain, finished, job

EPOCH = 7
LEASE_MS = 5
SPEC = job("docs", *chain("a", "b"))


def open_state(folder: Path) -> tuple[sqlite3.Connection, Plan]:
    """A connection of its own, and the plan of what is there."""
    connection = connect(StateDir(folder).database)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN IMMEDIATE")
    plan, _ = jobs.sync(connection, (SPEC,), 0)
    connection.execute("COMMIT")
    return connection, plan


def now() -> int:
    """ms UTC."""
    return time.time_ns() // 1_000_000


def main(folder: Path, rounds: int) -> None:
    connection, plan = open_state(folder)
    first = min(plan.stages)
    for n in range(rounds):
        connection.execute("BEGIN IMMEDIATE")
        (claim,) = claims.claim(connection, plan, first, 1, Lease(EPOCH, now() + LEASE_MS), now())
        connection.execute("COMMIT")
        os.kill(os.getpid(), signal.SIGSTOP)
        connection.execute("BEGIN IMMEDIATE")
        ended = stages.end_attempts(
            connection, plan, [finished(claim, {"late": n})], {}, Lease(EPOCH, now() + LEASE_MS), now()
        )
        connection.execute("COMMIT")
        sys.stdout.write(json.dumps([claim.item.id, claim.stage.id, ended.refused == [claim]]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
