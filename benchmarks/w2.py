"""W2: 100,000 items with their stage rows from a discovery into the store, first and again; nothing is claimed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.figure import Figure
from benchmarks.pipeline import child, files
from benchmarks.project import folder, told_by

ITEMS: Final = 100_000
ROUNDS: Final = 3
TURNS: Final = ("first", "again")
LOOPS: Final = {"same": "aiosqlite loop, the same rows", "bare": "aiosqlite loop, two bare tables"}
"""Argument of the child → what it is called."""


def measures() -> Iterator[Figure]:
    """Medians of three rounds, in turns with aiosqlite loops that insert the same rows, and rows of the same shape."""
    ours: dict[str, list[float]] = defaultdict(list)
    theirs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        with folder(files(ITEMS)) as root:
            for turn in TURNS:
                ours[turn].append(ITEMS / told_by(child("drain", "seed"), root)["seed_s"])
        for loop in LOOPS:
            told = told_by(child("aiosqlite_ingest", ITEMS, loop))
            for turn in TURNS:
                theirs[loop, turn].append(ITEMS / told[f"{turn}_s"])
    for loop, name in LOOPS.items():
        for turn in TURNS:
            yield Figure(
                name="w2",
                value=median(ours[turn]),
                unit="items/s",
                peer=name,
                peer_value=median(theirs[loop, turn]),
                goal=">= 0.5, aim 0.8" if loop == "same" else "",
                setting=turn,
            )
