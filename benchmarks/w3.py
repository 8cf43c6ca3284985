"""W3: an idle engine, one item let go by a command: time until its handler starts; the command's commit is in it."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from benchmarks.figure import Figure, percentile
from benchmarks.pipeline import child, files
from benchmarks.project import HERE, folder, told_by

N = 300
ROUNDS = 3


def measures() -> Iterator[Figure]:
    """p50 and p99 of 300 wake-ups, medians of three rounds, in turns with as many of a stripped loop on aiosqlite."""
    ours, bare, stripped = [], [], []
    for _ in range(ROUNDS):
        with folder(files(N, gate="go")) as root:
            told = told_by(child("wake"), root)
            ours.append(told["ours"])
            bare.append(told["bare"])
            stripped.append(told_by([sys.executable, HERE / "children" / "wake_aiosqlite.py", str(N)], root)["ms"])
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        value = _median(ours, part)
        for peer, took, goal in (
            ("stripped aiosqlite wake-up", stripped, "ratio <= 2; aim <= 1 / 3 ms"),
            ("asyncio wake-up across threads", bare, ""),
        ):
            peer_value = _median(took, part)
            yield Figure(name="w3", value=value, unit="ms", peer=peer, peer_value=peer_value, goal=goal, setting=name)


def _median(rounds: list[list[float]], part: float) -> float:
    return statistics.median(percentile(took, part) for took in rounds)
