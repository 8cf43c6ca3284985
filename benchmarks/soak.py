"""Memory of an engine while it runs 300,000 stage executions: what they leave behind in the process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from benchmarks.figure import Figure
from benchmarks.pipeline import STAGES, child, files
from benchmarks.project import folder, told_by

ITEMS: Final = 100_000
WARM: Final = 0.3
"""The part of the executions after which memory is looked at: SQLite has filled its cache of 16 MB by then."""

LOAD: Final = '''\
"""No-op handlers that note the memory of their process from time to time."""

import atexit
import json
from pathlib import Path

import psutil

from engine.contracts.item import Candidate

RSS = []
RAN = [0]
PROCESS = psutil.Process()


async def seed(ctx):
    for n in range(ctx.params["n"]):
        yield Candidate(key=f"item-{n:06}", data={"n": n})
    ctx.scope(["."])


async def work(ctx):
    if not RAN[0] % 5_000:
        RSS.append((RAN[0], PROCESS.memory_info().rss))
    RAN[0] += 1
    return {"ok": True}


@atexit.register
def flush():
    Path(__file__).with_name("rss").write_text(json.dumps({"ran": RAN[0], "rss": RSS}))
'''


def measures() -> Iterator[Figure]:
    """The slope of a straight line through what was noted after that part."""
    with folder(files(ITEMS) | {"load.py": LOAD}) as root:
        told_by(child("drain", "seed"), root)
        told_by(child("drain", "line"), root)
        told = json.loads((root / "rss").read_text())
    assert told["ran"] == ITEMS * STAGES, told["ran"]
    kept = [(ran / 100_000, rss / 1e6) for ran, rss in told["rss"] if ran > ITEMS * STAGES * WARM]
    middle_x = sum(x for x, _ in kept) / len(kept)
    middle_y = sum(y for _, y in kept) / len(kept)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in kept) / sum((x - middle_x) ** 2 for x, _ in kept)
    yield Figure(
        name="soak",
        value=slope,
        unit="MB/100,000 stages",
        goal="<= 1",
        setting=f"{told['ran']:,} executions, {kept[0][1]:.0f} MB after warming up, {kept[-1][1]:.0f} MB at the end",
    )
