"""The engine's claim of 50 rows at a million ready ones against the same at a thousand."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.figure import Figure
from benchmarks.pipeline import child, files
from benchmarks.project import folder, told_by


def measures() -> Iterator[Figure]:
    """Medians of 300 claims; the small state is measured before and after the large one."""
    few = [_claim(1_000)]
    many = _claim(1_000_000)
    few.append(_claim(1_000))
    yield Figure(
        name="claim-1m",
        value=many,
        unit="us",
        peer="1,000 ready rows",
        peer_value=median(few),
        goal="<= 1.5, aim 1.3",
    )


def _claim(n: int) -> float:
    with folder(files(n)) as root:
        us: float = told_by(child("claim", n), root)["us"]
        return us
