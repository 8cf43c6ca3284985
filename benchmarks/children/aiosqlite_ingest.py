"""An aiosqlite loop that inserts items with three stage rows each, 1,000 items a transaction, first and again.

`aiosqlite_ingest.py N` prints the seconds of both passes. No engine, no events, no counters: what the rows cost.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time

import aiosqlite

N, GROUP = int(sys.argv[1]), 1_000
SCHEMA = """
CREATE TABLE items (id INTEGER PRIMARY KEY, job_id INTEGER, key TEXT, title TEXT, data TEXT, state TEXT,
    created_at INTEGER, UNIQUE (job_id, key));
CREATE TABLE item_stages (item_id INTEGER, stage_id INTEGER, state TEXT, due_at INTEGER,
    PRIMARY KEY (item_id, stage_id)) WITHOUT ROWID;
CREATE INDEX ready ON item_stages (stage_id, due_at) WHERE state = 'ready';
"""
ITEM = """
INSERT INTO items VALUES (?, 1, ?, ?, ?, 'pending', ?)
ON CONFLICT (job_id, key) DO UPDATE SET data = excluded.data WHERE data IS NOT excluded.data
"""
STAGE = "INSERT INTO item_stages VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


async def ingest(connection: aiosqlite.Connection) -> float:
    began = time.perf_counter()
    for first in range(0, N, GROUP):
        group = range(first, min(N, first + GROUP))
        await connection.execute("BEGIN IMMEDIATE")
        items = [(n + 1, f"item-{n:06}", f"item-{n:06}", json.dumps({"n": n}), n) for n in group]
        stages = [(n + 1, s, "ready" if s == 1 else "blocked", n if s == 1 else None) for n in group for s in (1, 2, 3)]
        await connection.executemany(ITEM, items)
        await connection.executemany(STAGE, stages)
        await connection.commit()
    return time.perf_counter() - began


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
        async with aiosqlite.connect(f"{folder}/limit.db", isolation_level=None) as connection:
            await connection.execute("PRAGMA journal_mode = WAL")
            await connection.execute("PRAGMA synchronous = NORMAL")
            await connection.executescript(SCHEMA)
            print(json.dumps({"first_s": await ingest(connection), "again_s": await ingest(connection)}))


asyncio.run(main())
