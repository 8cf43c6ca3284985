"""W2: 100,000 items with their stage rows from a discovery into the store, first and again; nothing is claimed."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.figure import Figure
from benchmarks.pipeline import child, files
from benchmarks.project import folder, told_by

ITEMS: Final = 100_000
ROUNDS: Final = 3


def measures() -> Iterator[Figure]:
    """Medians of three rounds, in turns with an aiosqlite loop that inserts the same rows."""
    ours: dict[str, list[float]] = {"first": [], "again": []}
    theirs: dict[str, list[float]] = {"first": [], "again": []}
    for _ in range(ROUNDS):
        with folder(files(ITEMS)) as root:
            for turn in ours:
                ours[turn].append(ITEMS / told_by(child("drain", "seed"), root)["seed_s"])
        told = told_by(child("aiosqlite_ingest", ITEMS))
        for turn in theirs:
            theirs[turn].append(ITEMS / told[f"{turn}_s"])
    for turn in ours:
        yield Figure(
            name="w2",
            value=median(ours[turn]),
            unit="items/s",
            peer="aiosqlite loop",
            peer_value=median(theirs[turn]),
            goal=">= 0.5, aim 0.8",
            setting=turn,
        )
