"""Memory of an engine that has 100,000 waiting items, against one that has 1,000: a backlog should cost disk only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.figure import Figure
from benchmarks.pipeline import child, files
from benchmarks.project import folder, told_by

FEW: Final = 1_000
MANY: Final = 101_000


def measures() -> Iterator[Figure]:
    """Resident memory of a fresh engine on each state."""
    few, many = _waiting(FEW), _waiting(MANY)
    yield Figure(
        name="memory",
        value=many - few,
        unit="MB growth",
        goal="<= 5",
        setting=f"{MANY:,} waiting items ({many:.0f} MB) against {FEW:,} ({few:.0f} MB)",
    )


def _waiting(n: int) -> float:
    with folder(files(n, gate="go")) as root:
        told_by(child("drain", "seed"), root)
        rss: float = told_by(child("drain", "line"), root)["rss_mb"]
        return rss
