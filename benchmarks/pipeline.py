"""The project that the engine measures work on: three no-op stages, and a check that fills their queue."""

from __future__ import annotations

import sys
from typing import Final

from benchmarks.project import HERE

STAGES: Final = 3

JOBS: Final = """\
settings: {{durability: {durability}, workers: {workers}}}
jobs:
  line:
    handler: load.work
    stages:
      - one: {{concurrency: 50{gate}}}
      - two: {{concurrency: 50}}
      - three: {{concurrency: 50}}
  seed:
    check: load.seed
    findings_to: line
    params: {{n: {n}}}
"""

LOAD: Final = '''\
"""No-op handlers that count from outside: a buffered file, and the clocks at the first and each thousandth of them.

Reading the CPU time of a process is a call of the system, which may cost as much as all the rest of a stage.
"""

import atexit
import json
import time
from pathlib import Path

from engine.contracts.item import Candidate

HERE = Path(__file__).parent
SEEDED = []
LEDGER = []
CLOCKS = []


async def seed(ctx):
    SEEDED.append(time.perf_counter())
    for n in range(ctx.params["n"]):
        yield Candidate(key=f"item-{n:06}", data={"n": n})
    ctx.scope(["."])


async def work(ctx):
    LEDGER.append((ctx.stage, ctx.item.key, time.perf_counter()))
    if len(LEDGER) == 1 or not len(LEDGER) % 1_000:
        CLOCKS.append((len(LEDGER), time.perf_counter(), time.process_time(), time.time()))
    return {"ok": True}


@atexit.register
def flush():
    if LEDGER:
        with (HERE / "ledger").open("a") as file:
            file.writelines(f"{stage} {key}\\n" for stage, key, _ in LEDGER)
        (_, began, cpu, at), (n, ended, cpu_ended, _) = CLOCKS[0], CLOCKS[-1]
        (HERE / "clocks").write_text(json.dumps({"n": n, "s": ended - began, "cpu_s": cpu_ended - cpu, "at": at}))
'''


def files(n: int, durability: str = "normal", gate: str = "", workers: int = 2) -> dict[str, str]:
    """The project's files."""
    jobs = JOBS.format(n=n, durability=durability, workers=workers, gate=f", gate: {gate}" if gate else "")
    return {"jobs.yaml": jobs, "load.py": LOAD}


def child(name: str, *args: object) -> list[str]:
    """The line that runs one of the scripts in benchmarks/children with this interpreter."""
    return [sys.executable, str(HERE / "children" / f"{name}.py"), *map(str, args)]
