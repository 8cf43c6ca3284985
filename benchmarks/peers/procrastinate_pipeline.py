"""N items through three no-op tasks of procrastinate on PostgreSQL, each deferring the next: `… N URL`.

Runs in the peers' own environment; 50 jobs at once, as its documentation does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time

import procrastinate

N, URL = int(sys.argv[1]), sys.argv[2]
logging.disable(logging.CRITICAL)
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))
ledger = []
clocks = []
finished = asyncio.Event()


@app.task(name="step")
async def step(stage, item):
    if not clocks:
        clocks.append((time.perf_counter(), time.process_time()))
    ledger.append((stage, item))
    if stage < 3:
        await step.defer_async(stage=stage + 1, item=item)
    elif len(ledger) == 3 * N:
        clocks.append((time.perf_counter(), time.process_time()))
        finished.set()


async def main():
    async with app.open_async():
        with contextlib.suppress(procrastinate.exceptions.ConnectorException):  # there from the round before
            await app.schema_manager.apply_schema_async()
        await step.batch_defer_async(*[{"stage": 1, "item": item} for item in range(N)])
        worker = asyncio.create_task(app.run_worker_async(concurrency=50, install_signal_handlers=False))
        await finished.wait()
        worker.cancel()
        await asyncio.wait({worker})
    (began, cpu), (ended, cpu_ended) = clocks
    print(json.dumps({"s": ended - began, "cpu_s": cpu_ended - cpu}), flush=True)


asyncio.run(main())
