"""One figure, its peer, and rounds that take turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measured value, and the same of a peer from the same run."""

    name: str
    value: float | None
    """None: it could not be measured, and `skipped` says why."""
    unit: str
    peer: str | None = None
    """What it is compared with."""
    peer_value: float | None = None
    goal: str = ""
    """What docs/performance.md asks for."""
    setting: str | None = None
    """What was varied, such as SQLite's `synchronous`."""
    skipped: str | None = None

    @property
    def ratio(self) -> float | None:
        """Value by peer's value."""
        return self.value / self.peer_value if self.value is not None and self.peer_value else None

    def row(self) -> dict[str, Any]:
        """As a JSON object."""
        if self.skipped is not None:
            return {"name": self.name, "skipped": self.skipped}
        told = {
            "name": self.name,
            "value": rounded(self.value),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": rounded(self.peer_value),
            "ratio": rounded(self.ratio),
            "goal": self.goal,
        }
        return told | ({"setting": self.setting} if self.setting else {})


def rounded(value: float | None) -> float | None:
    """Four significant digits."""
    return None if value is None else float(f"{value:.4g}")


def interleaved(rounds: int, runs: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Run each once a round, in turns that start with another one each time; returns the medians."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            found[name].append(runs[name]())
    return {name: statistics.median(values) for name, values in found.items()}


def percentile(values: list[float], part: float) -> float:
    """The value below which `part` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
