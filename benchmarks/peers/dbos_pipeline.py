"""N workflows of three no-op steps of DBOS on SQLite as it comes: `dbos_pipeline.py N`.

Runs in the peers' own environment.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time

from dbos import DBOS

N = int(sys.argv[1])
logging.disable(logging.CRITICAL)

with tempfile.TemporaryDirectory(prefix="rivus-bench-") as folder:
    os.chdir(folder)
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{folder}/dbos.sqlite",
            "log_level": "CRITICAL",
            "run_admin_server": False,
        }
    )
    ledger = []
    clocks = []

    @DBOS.step()
    def step(stage, item):
        if not clocks:
            clocks.append((time.perf_counter(), time.process_time()))
        ledger.append((stage, item))
        return item

    @DBOS.workflow()
    def line(item):
        for stage in (1, 2, 3):
            step(stage, item)

    DBOS.launch()
    handles = [DBOS.start_workflow(line, item) for item in range(N)]
    for handle in handles:
        handle.get_result()
    (began, cpu) = clocks[0]
    told = {"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "n": len(ledger)}
    print(json.dumps(told), flush=True)
    os._exit(0)
