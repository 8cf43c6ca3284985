"""One of many that claim and finish on one state file; prints [item, stage] of each claim as a line of JSON."""

from __future__ import annotations

import json
import random
import sys
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
    connection.execute("PRAGMA busy_timeout = 60000")
    connection.execute("BEGIN IMMEDIATE")
    plan, _ = jobs.sync(connection, (job("docs", *chain("a", "b", "c", "d", "e", concurrency=64)),), 0)
    connection.execute("COMMIT")
    chance = random.Random(epoch)
    lease = Lease(epoch, 10**15)
    total = len(plan.stages)
    while True:
        order = chance.sample(sorted(plan.stages), total)
        got = 0
        for stage in order:
            connection.execute("BEGIN IMMEDIATE")
            taken = claims.claim(connection, plan, stage, chance.randrange(1, 40), lease, 1)
            connection.execute("COMMIT")
            got += len(taken)
            if taken:
                sys.stdout.write("".join(f"{json.dumps([one.item.id, one.stage.id])}\n" for one in taken))
                connection.execute("BEGIN IMMEDIATE")
                stages.end_attempts(connection, plan, [finished(one) for one in taken], {}, lease, 1)
                connection.execute("COMMIT")
        if not got:
            (left,) = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM item_stages WHERE state IN ('ready', 'running', 'blocked'))"
            ).fetchone()
            if not left:
                return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
