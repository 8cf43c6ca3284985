"""W5: kill -9 in the middle of the work, and a restart with the same settings."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from benchmarks.pipeline import STAGES, child, files
from benchmarks.project import RIVUS, folder, told_by

ITEMS: Final = 3_000
KILL_AFTER: Final = 3_000
"""Stage executions."""

LOAD: Final = '''\
"""Handlers that write each of their ends down at once, so that a kill takes nothing of it away."""

import asyncio
import os
import time
from pathlib import Path

from engine.contracts.item import Candidate

LEDGER = os.open(Path(__file__).with_name("ledger"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


async def seed(ctx):
    for n in range(ctx.params["n"]):
        yield Candidate(key=f"item-{n:06}")
    ctx.scope(["."])


async def work(ctx):
    os.write(LEDGER, f"{time.time():.6f} {ctx.stage} {ctx.item.key}\\n".encode())
    await asyncio.sleep(0.001)
    return {"ok": True}
'''


def measures() -> Iterator[Figure]:
    """One kill; what was in flight may run again, once."""
    with folder(files(ITEMS) | {"load.py": LOAD}) as root:
        told_by(child("drain", "seed"), root)
        line = [str(RIVUS), "--state", str(root / "state"), "--trust", "run", "line"]
        with subprocess.Popen(line, cwd=root, stderr=subprocess.DEVNULL) as engine:
            while len(_ledger(root)) < KILL_AFTER:
                time.sleep(0.005)
            engine.kill()
        before = _ledger(root)
        in_flight = _count(root, "running")
        began = time.time()
        subprocess.run([*line, "--once"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        after = _ledger(root)
        ran = Counter(tuple(entry[1:]) for entry in after)
        again = sum(times - 1 for times in ran.values())
        lost = ITEMS * STAGES - _count(root, "done")
    yield Figure(name="w5", value=lost, unit="stages", goal="0", setting="lost")
    told = f"twice beyond the {in_flight} in flight at the kill"
    yield Figure(name="w5", value=max(0, again - in_flight), unit="stages", goal="0", setting=told)
    resumed = float(after[len(before)][0]) - began
    yield Figure(name="w5", value=resumed, unit="s", goal="<= 1, aim 0.3", setting="until work goes on")


def _ledger(root: Path) -> list[list[str]]:
    path = root / "ledger"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def _count(root: Path, state: str) -> int:
    connection = sqlite3.connect(f"file:{root / 'state' / 'rivus.db'}?mode=ro", uri=True)
    try:
        (n,) = connection.execute("SELECT count(*) FROM item_stages WHERE state = ?", (state,)).fetchone()
        return int(n)
    finally:
        connection.close()
