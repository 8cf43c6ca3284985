"""N items through three no-op entrypoints of PgQueuer on PostgreSQL, each enqueuing the next: `… N URL`.

Runs in the peers' own environment; batches of 50, its fastest setting for no-op jobs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

N, URL = int(sys.argv[1]), sys.argv[2]
logging.disable(logging.CRITICAL)
ledger = []
clocks = []


async def main():
    connection = await asyncpg.connect(URL)
    driver = AsyncpgDriver(connection)
    queries = Queries(driver)
    try:
        await queries.install()
    except asyncpg.PostgresError:
        await queries.uninstall()
        await queries.install()
    pgq = PgQueuer(driver)

    def entry(stage):
        @pgq.entrypoint(f"step{stage}")
        async def step(job):
            if not clocks:
                clocks.append((time.perf_counter(), time.process_time()))
            ledger.append((stage, job.payload))
            if stage < 3:
                await queries.enqueue([f"step{stage + 1}"], [job.payload], [0])
            elif len(ledger) == 3 * N:
                clocks.append((time.perf_counter(), time.process_time()))
                pgq.shutdown.set()

    for stage in (1, 2, 3):
        entry(stage)
    await queries.enqueue(["step1"] * N, [str(item).encode() for item in range(N)], [0] * N)
    await pgq.run(batch_size=50, dequeue_timeout=timedelta(seconds=1))
    (began, cpu), (ended, cpu_ended) = clocks
    print(json.dumps({"s": ended - began, "cpu_s": cpu_ended - cpu}), flush=True)


asyncio.run(main())
