"""An aiosqlite loop that inserts items with three stage rows each, 1,000 items a transaction, first and again.

`aiosqlite_ingest.py N same` inserts the rows that the engine inserts, into its tables with their indexes and checks;
`aiosqlite_ingest.py N bare` rows of the same shape into two tables with the one index that a claim needs. Prints the
seconds of both passes. No engine, no events, no counters: what the rows cost.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import time
from pathlib import Path

import aiosqlite

from engine.store import migrate, sql

N, GROUP = int(sys.argv[1]), 1_000
BARE = """
CREATE TABLE items (id INTEGER PRIMARY KEY, job_id INTEGER, key TEXT, title TEXT, data TEXT, state TEXT,
    created_at INTEGER, UNIQUE (job_id, key));
CREATE TABLE item_stages (item_id INTEGER, stage_id INTEGER, state TEXT, due_at INTEGER,
    PRIMARY KEY (item_id, stage_id)) WITHOUT ROWID;
CREATE INDEX ready ON item_stages (stage_id, due_at) WHERE state = 'ready';
"""
GROUND = """
INSERT INTO jobs (id, name, position, title, emoji, internal, is_check, detail_columns, state)
    VALUES (1, 'line', 0, 'line', '', 0, 0, '[]', 'active');
INSERT INTO stages (id, job_id, name, position, handler, after, enabled, concurrency, max_attempts)
    VALUES (1, 1, 'one', 0, '', '[]', 1, 50, 3), (2, 1, 'two', 1, '', '[]', 1, 50, 3),
    (3, 1, 'three', 2, '', '[]', 1, 50, 3);
"""
AGAIN = "ON CONFLICT (job_id, key) DO UPDATE SET data = excluded.data WHERE data IS NOT excluded.data"


def bare(path: Path) -> tuple[str, str]:
    """Make the small tables; returns the statements that insert."""
    return BARE, "INSERT INTO items (id, job_id, key, title, data, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"


def same(path: Path) -> tuple[str, str]:
    """Make the engine's tables; returns the statements that insert."""
    migrate.prepare(path)
    return GROUND, sql.load("items")["insert"]


def values(n: int, columns: list[str]) -> list[object]:
    told: dict[str, object] = {
        "id": n + 1, "job_id": 1, "key": f"item-{n:06}", "source_id": 1, "origin": "scan", "title": f"item-{n:06}",
        "data": json.dumps({"n": n}), "headings": "[]", "signals": "{}", "state": "pending", "created_at": n,
        "updated_at": n,
    }  # fmt: skip
    return [told.get(name) for name in columns]


async def ingest(connection: aiosqlite.Connection, item: str) -> float:
    (listed,) = re.findall(r"INSERT INTO items \(([^)]*)\)", item)
    columns = [name.strip() for name in listed.split(",")]
    stage = "INSERT INTO item_stages (item_id, stage_id, state, due_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    began = time.perf_counter()
    for first in range(0, N, GROUP):
        group = range(first, min(N, first + GROUP))
        await connection.execute("BEGIN IMMEDIATE")
        stages = [(n + 1, s, "ready" if s == 1 else "blocked", n if s == 1 else None) for n in group for s in (1, 2, 3)]
        await connection.executemany(f"{item} {AGAIN}", [values(n, columns) for n in group])
        await connection.executemany(stage, stages)
        await connection.commit()
    return time.perf_counter() - began


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
        path = Path(folder) / "limit.db"
        ground, item = {"same": same, "bare": bare}[sys.argv[2]](path)
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute("PRAGMA journal_mode = WAL")
            await connection.execute("PRAGMA synchronous = NORMAL")
            await connection.execute("PRAGMA foreign_keys = ON")
            await connection.executescript(ground)
            print(json.dumps({"first_s": await ingest(connection, item), "again_s": await ingest(connection, item)}))


asyncio.run(main())
