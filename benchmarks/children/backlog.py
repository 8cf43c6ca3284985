"""A state file with N items that wait at a gate, and work for another job: `backlog.py STATE N BUSY`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.config.load import load_project
from engine.store import jobs
from engine.store.migrate import connect, prepare
from engine.store.state_dir import StateDir

STATE, N, BUSY = StateDir(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
NUMBERS = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"

root = Path.cwd()
project = load_project(root / "jobs.yaml", root)
STATE.create()
prepare(STATE.database)
connection = connect(STATE.database)
connection.execute("BEGIN IMMEDIATE")
plan, _ = jobs.sync(connection, project.jobs, 0)
first = 0
for name, number, item_state, stage_state in (("waits", N, "waiting", "waiting"), ("busy", BUSY, "pending", "ready")):
    job = next(job.id for job in plan.jobs.values() if job.spec.name == name)
    stage = min(number for number, one in plan.stages.items() if one.job == name)
    connection.execute(
        f"{NUMBERS} INSERT INTO items (id, job_id, key, source_id, origin, title, data, headings, state, created_at, "
        "updated_at, path, line) SELECT n + ?, ?, printf('item-%07d', n), ?, 'scan', printf('Item number %d', n), "
        "'{}', '[]', ?, n, n, printf('src/file%d.py', n % 1000), n FROM n",
        (number, first, job, job, item_state),
    )
    connection.execute(
        f"{NUMBERS} INSERT INTO item_stages (item_id, stage_id, state, due_at) "
        "SELECT n + ?, ?, ?, iif(?, n, NULL) FROM n",
        (number, first, stage, stage_state, stage_state == "ready"),
    )
    connection.execute("INSERT OR REPLACE INTO stage_counts VALUES (?, ?, ?)", (stage, stage_state, number))
    connection.execute("INSERT OR REPLACE INTO item_counts VALUES (?, ?, ?, ?)", (job, job, item_state, number))
    first += number
connection.execute("COMMIT")
connection.close()
STATE.room.write_text(
    json.dumps(
        {"version": 1, "mode": "items", "scope": "all", "theme": "", "lists": {}, "views": {}},
    )
)
print(json.dumps({"items": N}))
