"""The wake-up of a stripped engine of the usual kind, as a limit: aiosqlite, one transaction to add, one to claim.

`wake_aiosqlite.py N` adds N items one by one from another thread to an idle loop, and prints milliseconds from each
call to the start of its handler. No journal, events, counters, leases, states of items, gates or limits.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
import time

import aiosqlite

N = int(sys.argv[1])
PAUSE_S = 0.005
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE rows (item INTEGER PRIMARY KEY, state INTEGER, due INTEGER, fence INTEGER DEFAULT 0);
CREATE INDEX ready ON rows (due) WHERE state = 1;
CREATE TABLE results (item INTEGER PRIMARY KEY, output TEXT);
"""
CLAIM = """
UPDATE rows SET state = 2, fence = fence + 1
WHERE item IN (SELECT item FROM rows WHERE state = 1 ORDER BY due LIMIT 50) RETURNING item, fence
"""
COMPLETE = "UPDATE rows SET state = 3 WHERE item = ? AND state = 2 AND fence = ?"


class Loop:
    """One worker that waits for a signal, claims what is there, runs it and stores its result."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.wake = asyncio.Event()
        self.writes = asyncio.Lock()
        self.began: dict[int, float] = {}
        self.ended = threading.Event()

    async def add(self, item: int) -> None:
        async with self.writes:
            await self.connection.execute("BEGIN IMMEDIATE")
            await self.connection.execute("INSERT INTO rows (item, state, due) VALUES (?, 1, ?)", (item, item))
            await self.connection.execute("COMMIT")
        self.wake.set()

    async def handler(self, item: int) -> dict[str, bool]:
        self.began[item] = time.perf_counter()
        return {"ok": True}

    async def run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            async with self.writes:
                await self.connection.execute("BEGIN IMMEDIATE")
                async with self.connection.execute(CLAIM) as cursor:
                    claimed = await cursor.fetchall()
                await self.connection.execute("COMMIT")
            for item, fence in claimed:
                output = json.dumps(await self.handler(item))
                async with self.writes:
                    await self.connection.execute("BEGIN IMMEDIATE")
                    await self.connection.execute(COMPLETE, (item, fence))
                    await self.connection.execute("INSERT INTO results VALUES (?, ?)", (item, output))
                    await self.connection.execute("COMMIT")
                self.ended.set()


async def opened(path: str) -> Loop:
    connection = await aiosqlite.connect(path, isolation_level=None)
    await connection.executescript(SCHEMA)
    return Loop(connection)


with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    worker = asyncio.run_coroutine_threadsafe(opened(f"{folder}/limit.db"), loop).result()
    running = asyncio.run_coroutine_threadsafe(worker.run(), loop)
    took = []
    for item in range(N):
        worker.ended.clear()
        asked = time.perf_counter()
        asyncio.run_coroutine_threadsafe(worker.add(item), loop).result()
        worker.ended.wait()
        took.append((worker.began[item] - asked) * 1000)
        time.sleep(PAUSE_S)
    running.cancel()
    asyncio.run_coroutine_threadsafe(worker.connection.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
print(json.dumps({"ms": took}))
