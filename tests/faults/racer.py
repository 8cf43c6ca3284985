"""One of many that claim and finish on one state file; prints [item, stage] of each claim as a line of JSON."""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from pathlib import Path

from engine.store import claims, jobs, stages
from engine.store.claims import Lease
from engine.store.migrate import connect
from engine.store.state_dir import StateDir
from tests.factories import chain, finished, job


def main(folder: Path, epoch: int) -> None:
    """Claim until nothing is left."""
    connection = connect(StateDir(folder).database)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA busy_timeout = 0")
    chance = random.Random(epoch)
    _begin(connection, chance)
    plan, _ = jobs.sync(connection, (job("docs", *chain("a", "b", "c", "d", "e", concurrency=64)),), 0)
    connection.execute("COMMIT")
    lease = Lease(epoch, 10**15)
    total = len(plan.stages)
    while True:
        order = chance.sample(sorted(plan.stages), total)
        got = 0
        for stage in order:
            _begin(connection, chance)
            taken = claims.claim(connection, plan, stage, chance.randrange(1, 120), lease, 1)
            connection.execute("COMMIT")
            got += len(taken)
            if taken:
                sys.stdout.write("".join(f"{json.dumps([one.item.id, one.stage.id])}\n" for one in taken))
                _begin(connection, chance)
                stages.end_attempts(connection, plan, [finished(one) for one in taken], {}, lease, 1)
                connection.execute("COMMIT")
        if not got:
            (left,) = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM stage_counts WHERE n > 0 AND state IN ('ready', 'running', 'blocked'))"
            ).fetchone()
            if not left:
                return


def _begin(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Begin to write. SQLite's own waiting grows to 100 ms, so that one racer would do nearly all of the work."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(chance.uniform(0.0, 0.02))
        else:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
