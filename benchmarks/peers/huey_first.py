"""One task of Huey on SQLite, from the start of the process; prints when its handler ran. In the peers' environment."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
import time

from huey import SqliteHuey

logging.disable(logging.CRITICAL)

with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
    huey = SqliteHuey(filename=f"{folder}/huey.db")
    at = []
    finished = threading.Event()

    @huey.task()
    def work(item):
        at.append(time.time())
        finished.set()

    work(1)
    consumer = huey.create_consumer(workers=1, worker_type="thread", initial_delay=0.001, periodic=False)
    consumer.start()
    finished.wait(30)
    consumer.stop(graceful=False)
    print(json.dumps({"at": at[0]}), flush=True)
