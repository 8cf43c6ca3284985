"""Plain functions in worker processes: stage executions a second through the whole engine, durable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from benchmarks.figure import Figure, interleaved
from benchmarks.pipeline import STAGES, child, files
from benchmarks.project import folder, told_by

ITEMS: Final = 2_000
WORKERS: Final = 2
ROUNDS: Final = 3


def measures() -> Iterator[Figure]:
    """Medians of three rounds, in turns with Python's own pool of as many processes, which stores nothing."""
    found = interleaved(ROUNDS, {"rivus": _rivus, "pool": _pool})
    yield Figure(
        name="w1-processes",
        value=found["rivus"],
        unit="stages/s",
        peer="ProcessPoolExecutor, nothing stored",
        peer_value=found["pool"],
        setting=f"plain functions, {WORKERS} worker processes",
    )


def _rivus() -> float:
    made = files(ITEMS, workers=WORKERS)
    made["load.py"] = made["load.py"].replace("async def work", "def work")
    with folder(made) as root:
        told_by(child("drain", "seed"), root)
        s: float = told_by(child("drain", "line"), root)["s"]
        return ITEMS * STAGES / s


def _pool() -> float:
    with ProcessPoolExecutor(WORKERS) as pool:
        pool.submit(_nothing, 0).result()
        began = time.perf_counter()
        for future in [pool.submit(_nothing, n) for n in range(ITEMS * STAGES)]:
            future.result()
        return ITEMS * STAGES / (time.perf_counter() - began)


def _nothing(_n: int) -> dict[str, bool]:
    return {"ok": True}
