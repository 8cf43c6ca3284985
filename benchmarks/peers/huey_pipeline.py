"""N items through three dependent no-op tasks of Huey on SQLite: `huey_pipeline.py N SYNCHRONOUS`.

Runs in the peers' own environment. FULL is how Huey comes; NORMAL is set on each of its connections.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
import time

from huey import SqliteHuey
from huey.storage import SqliteStorage

N, SYNCHRONOUS = int(sys.argv[1]), sys.argv[2]
logging.disable(logging.CRITICAL)

if SYNCHRONOUS == "NORMAL":
    create = SqliteStorage._create_connection

    def normal(self):
        connection = create(self)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    SqliteStorage._create_connection = normal

with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
    huey = SqliteHuey(filename=f"{folder}/huey.db")
    ledger = []
    clocks = []
    finished = threading.Event()

    def note(stage, item):
        if not clocks:
            clocks.append((time.perf_counter(), time.process_time()))
        ledger.append((stage, item))
        if len(ledger) == 3 * N:
            clocks.append((time.perf_counter(), time.process_time()))
            finished.set()
        return item

    @huey.task()
    def one(item):
        return note(1, item)

    @huey.task()
    def two(item):
        return note(2, item)

    @huey.task()
    def three(item):
        return note(3, item)

    for item in range(N):
        huey.enqueue(one.s(item).then(two).then(three))
    consumer = huey.create_consumer(workers=1, worker_type="thread", initial_delay=0.001, periodic=False)
    consumer.start()
    finished.wait(240)
    consumer.stop(graceful=False)
    (began, cpu), (ended, cpu_ended) = clocks
    twice = len(ledger) - len(set(ledger))
    print(json.dumps({"s": ended - began, "cpu_s": cpu_ended - cpu, "twice": twice}), flush=True)
