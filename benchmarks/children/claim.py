"""Median time of the engine's own claim of 50 rows at N ready ones, due in insertion order: `claim.py N`."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from engine.config.load import load_project
from engine.store import jobs
from engine.store.claims import Lease, claim
from engine.store.migrate import connect, prepare

N, CLAIM, ROUNDS = int(sys.argv[1]), 50, 300
NUMBERS = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"

root = Path.cwd()
project = load_project(root / "jobs.yaml", root)
database = root / "rivus.db"
prepare(database)
connection = connect(database)
connection.execute("PRAGMA cache_size = -16000")
connection.execute("BEGIN IMMEDIATE")
plan, _ = jobs.sync(connection, project.jobs, 0)
connection.execute("COMMIT")
line = next(job for job in plan.jobs.values() if job.spec.name == "line")
first = min(number for number, stage in plan.stages.items() if stage.job == "line")

connection.execute("BEGIN IMMEDIATE")
connection.execute(
    f"{NUMBERS} INSERT INTO items (id, job_id, key, source_id, origin, title, data, headings, state, created_at, "
    "updated_at) SELECT n, ?, printf('item-%07d', n), ?, 'scan', '', '{}', '[]', 'pending', n, n FROM n",
    (N, line.id, line.id),
)
connection.execute(
    f"{NUMBERS} INSERT INTO item_stages (item_id, stage_id, state, due_at) SELECT n, ?, 'ready', n FROM n", (N, first)
)
connection.execute("INSERT INTO stage_counts VALUES (?, 'ready', ?)", (first, N))
connection.execute("COMMIT")

took = []
for _ in range(ROUNDS):
    connection.execute("BEGIN IMMEDIATE")
    began = time.perf_counter()
    claimed = claim(connection, plan, first, CLAIM, Lease(1, 60_000), 1)
    took.append(time.perf_counter() - began)
    assert len(claimed) == CLAIM
    connection.execute("ROLLBACK")
connection.close()
print(json.dumps({"us": statistics.median(took) * 1e6}))
