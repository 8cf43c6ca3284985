"""A stripped engine of the usual kind, as a limit: asyncio, aiosqlite, group commit, 50 handlers at once a stage.

`stripped_aiosqlite.py N SYNCHRONOUS` prints seconds and CPU seconds for N items through three stages, from the first
handler to the last. Claims are fenced and each result is stored in the transaction that completes its row and claims
the next one; no leases, events, counters, item states, dependencies or limits.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence

import aiosqlite

N, SYNCHRONOUS = int(sys.argv[1]), sys.argv[2]
SLOTS = 50
STAGES = (1, 2, 3)

SCHEMA = """
CREATE TABLE rows (item INTEGER, stage INTEGER, state INTEGER, due INTEGER, fence INTEGER DEFAULT 0,
    PRIMARY KEY (item, stage)) WITHOUT ROWID;
CREATE INDEX ready ON rows (stage, due) WHERE state = 1;
CREATE TABLE results (item INTEGER, stage INTEGER, output TEXT, PRIMARY KEY (item, stage)) WITHOUT ROWID;
"""
CLAIM = """
UPDATE rows SET state = 2, fence = fence + 1 WHERE (item, stage) IN (
    SELECT item, stage FROM rows WHERE stage = ? AND state = 1 ORDER BY due LIMIT ?) RETURNING item, stage, fence
"""
GO_ON = """
UPDATE rows SET state = 2, fence = fence + 1
WHERE stage = ? AND item IN (SELECT value FROM json_each(?)) AND state = 0 RETURNING item, stage, fence
"""
COMPLETE = """
UPDATE rows SET state = 3
WHERE stage = ? AND item IN (SELECT value FROM json_each(?)) AND state = 2 AND fence = ? RETURNING item
"""
RESULTS = "INSERT INTO results SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"

Claim = tuple[int, int, int]


class Loop:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.ended: list[tuple[Claim, str]] = []
        self.wake = asyncio.Event()
        self.running = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def handler(self, _item: int) -> dict[str, bool]:
        return {"ok": True}

    async def attempt(self, claim: Claim) -> None:
        output = json.dumps(await self.handler(claim[0]))
        self.ended.append((claim, output))
        self.running -= 1
        self.wake.set()

    async def rows(self, statement: str, values: Sequence[object]) -> list[Claim]:
        async with self.connection.execute(statement, values) as cursor:
            return [tuple(row) for row in await cursor.fetchall()]  # type: ignore[misc]

    async def run(self) -> tuple[float, float]:
        began = cpu = 0.0
        free = dict.fromkeys(STAGES, SLOTS)
        self.wake.set()
        while True:
            await self.wake.wait()
            self.wake.clear()
            ended, self.ended = self.ended, []
            groups: dict[tuple[int, int], list[int]] = defaultdict(list)
            for (item, stage, fence), _ in ended:
                groups[stage, fence].append(item)
                free[stage] += 1
            await self.connection.execute("BEGIN IMMEDIATE")
            claimed: list[Claim] = []
            for (stage, fence), items in groups.items():
                landed = await self.rows(COMPLETE, (stage, json.dumps(items), fence))
                assert len(landed) == len(items)
                if stage < STAGES[-1]:
                    claimed += await self.rows(GO_ON, (stage + 1, json.dumps(items)))
            if ended:
                told = json.dumps([(item, stage, output) for (item, stage, _), output in ended])
                await self.connection.execute(RESULTS, (told,))
            if free[STAGES[0]]:
                claimed += await self.rows(CLAIM, (STAGES[0], free[STAGES[0]]))
            await self.connection.commit()
            if not claimed and not self.running and not self.ended:
                return time.perf_counter() - began, time.process_time() - cpu
            if not began:
                began, cpu = time.perf_counter(), time.process_time()
            self.running += len(claimed)
            for claim in claimed:
                free[claim[1]] -= 1
                task = asyncio.create_task(self.attempt(claim))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
        async with aiosqlite.connect(f"{folder}/limit.db", isolation_level=None) as connection:
            await connection.execute("PRAGMA journal_mode = WAL")
            await connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
            await connection.executescript(SCHEMA)
            await connection.execute("BEGIN")
            rows = [(item, stage, 1 if stage == 1 else 0, item) for item in range(N) for stage in STAGES]
            await connection.executemany("INSERT INTO rows (item, stage, state, due) VALUES (?, ?, ?, ?)", rows)
            await connection.commit()
            s, cpu_s = await Loop(connection).run()
            (done,) = next(iter(await connection.execute_fetchall("SELECT count(*) FROM results")))
            assert done == N * len(STAGES), done
            print(json.dumps({"s": s, "cpu_s": cpu_s}))


asyncio.run(main())
