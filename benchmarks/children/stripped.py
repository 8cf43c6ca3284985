"""The least that a durable pipeline does, as a limit: claim, complete, result, in groups; no events, no engine.

`stripped.py N SYNCHRONOUS` prints seconds and CPU seconds for N items through three stages, from the first handler to
the last.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time

N, SYNCHRONOUS = int(sys.argv[1]), sys.argv[2]
GROUP = 50
STAGES = (1, 2, 3)

SCHEMA = """
CREATE TABLE rows (item INTEGER, stage INTEGER, state INTEGER, due INTEGER, fence INTEGER DEFAULT 0,
    PRIMARY KEY (item, stage)) WITHOUT ROWID;
CREATE INDEX ready ON rows (stage, due) WHERE state = 1;
CREATE TABLE results (item INTEGER, stage INTEGER, output TEXT, PRIMARY KEY (item, stage)) WITHOUT ROWID;
"""
CLAIM = """
UPDATE rows SET state = 2, fence = fence + 1 WHERE (item, stage) IN (
    SELECT item, stage FROM rows WHERE stage = ? AND state = 1 ORDER BY due LIMIT ?) RETURNING item, fence
"""
COMPLETE = "UPDATE rows SET state = 3 WHERE item = ? AND stage = ? AND state = 2 AND fence = ?"


async def handler(_item: int) -> dict[str, bool]:
    return {"ok": True}


async def main(connection: sqlite3.Connection) -> None:
    began = cpu = 0.0
    done: list[tuple[int, int, int, str]] = []
    while True:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(COMPLETE, [(item, stage, fence) for item, stage, fence, _ in done])
        connection.executemany("INSERT INTO results VALUES (?, ?, ?)", [(i, s, output) for i, s, _, output in done])
        connection.executemany(
            "UPDATE rows SET state = 1 WHERE item = ? AND stage = ?",
            [(item, stage + 1) for item, stage, _, _ in done if stage < STAGES[-1]],
        )
        claimed = [(i, s, f) for s in reversed(STAGES) for i, f in connection.execute(CLAIM, (s, GROUP)).fetchall()]
        connection.execute("COMMIT")
        if not claimed:
            break
        if not began:
            began, cpu = time.perf_counter(), time.process_time()
        tasks = [asyncio.create_task(handler(item)) for item, _, _ in claimed]
        outputs = [json.dumps(await task) for task in tasks]
        done = [(*claim, output) for claim, output in zip(claimed, outputs, strict=True)]
    print(json.dumps({"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}))


with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
    connection = sqlite3.connect(f"{folder}/limit.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    connection.executescript(SCHEMA)
    connection.execute("BEGIN")
    rows = [(item, stage, 1 if stage == 1 else 0, item) for item in range(N) for stage in STAGES]
    connection.executemany("INSERT INTO rows (item, stage, state, due) VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    asyncio.run(main(connection))
    connection.close()
