"""A command on N failed items of the project in the current folder, by a filter, in an engine that runs: `bulk.py N`.

The items are put in and fail in the state file itself, so that nothing but the command is measured. Prints the seconds,
and the processor's, from looking at what the filter finds to the end of the retry, and of its undo; and how often a
viewer saw another number on the way. The job is paused, so that nothing is claimed in between.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from engine.config.load import load_project
from engine.contracts.view import ItemQuery
from engine.facade import Engine
from engine.rules.filters import parse
from engine.store import jobs
from engine.store.migrate import connect, prepare
from engine.store.reader import Reader
from engine.store.state_dir import StateDir

N = int(sys.argv[1])
NUMBERS = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"
FAILED = ItemQuery(terms=parse("state:failed").terms)
LOOK_S = 0.02

root = Path.cwd()
state = StateDir(root / "state")
state.create()
project = load_project(root / "jobs.yaml", root)
prepare(state.database)
connection = connect(state.database)
connection.execute("BEGIN IMMEDIATE")
plan, _ = jobs.sync(connection, project.jobs, 0)
line = plan.jobs["line"]
connection.execute(
    f"{NUMBERS} INSERT INTO items (id, job_id, key, source_id, origin, title, data, headings, state, created_at, "
    "updated_at) SELECT n, ?, printf('item-%07d', n), ?, 'scan', printf('item %d', n), '{}', '[]', 'failed', n, n "
    "FROM n",
    (N, line.id, line.id),
)
connection.execute("INSERT INTO item_counts VALUES (?, ?, 'failed', ?)", (line.id, line.id, N))
for position, number in enumerate(line.stages):
    standing = "blocked" if position else "failed"
    connection.execute(
        f"{NUMBERS} INSERT INTO item_stages (item_id, stage_id, state, fence, attempts, ended_at, why) "
        "SELECT n, ?, ?, ?, ?, n, 'ConnectionError: refused' FROM n",
        (N, number, standing, 0 if position else 3, 0 if position else 3),
    )
    connection.execute("INSERT INTO stage_counts VALUES (?, ?, ?)", (number, standing, N))
connection.execute("COMMIT")
connection.close()


def followed(reader: Reader, operation: int | None) -> int:
    """Look at a command until it has ended; returns how many numbers were seen on the way."""
    assert operation is not None
    seen = set()
    while (view := reader.bulk(operation)) is None or view.is_open:
        seen.add(0 if view is None else view.looked)
        time.sleep(LOOK_S)
    return len(seen)


engine = Engine(project, state, mode="once")
engine.start()
engine.command_and_wait("pause", {"job": "line"})
reader = Reader(state, project=root.name)
began, cpu = time.perf_counter(), time.process_time()
look = reader.bulk_look("retry", {}, FAILED)
begun = engine.command_and_wait("bulk", {"name": "retry", "targets": look.targets})
steps = followed(reader, begun.operation)
told: dict[str, Any] = {"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "steps": steps}
assert reader.items_count(FAILED) == 0, "not all were tried again"
began, cpu = time.perf_counter(), time.process_time()
undone = engine.command_and_wait("undo", {})
told |= {"undo_s": time.perf_counter() - began, "undo_cpu_s": time.process_time() - cpu}
assert undone.ok, undone.message
assert reader.items_count(FAILED) == N, undone.message
reader.close()
engine.stop_and_wait(drain=True)
print(json.dumps(told))
