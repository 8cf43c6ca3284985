"""Run some jobs of the project in the current folder until nothing is left: `drain.py JOB…`.

Prints the seconds from the start of the engine and of the discovery until then, and the memory at that moment.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from engine.config.load import load_project
from engine.facade import Engine
from engine.store.state_dir import StateDir

root = Path.cwd()
engine = Engine(load_project(root / "jobs.yaml", root), StateDir(root / "state"), mode="once", only=set(sys.argv[1:]))
began = time.perf_counter()
engine.start(discover=True)
engine.wait_drained()
ended = time.perf_counter()
rss = psutil.Process().memory_info().rss
engine.stop_and_wait(drain=True)
seeded = getattr(sys.modules.get("load"), "SEEDED", [])
print(json.dumps({"s": ended - began, "seed_s": ended - seeded[0] if seeded else None, "rss_mb": rss / 1e6}))
