"""What screens and the command line show of stale results."""

from __future__ import annotations

from typing import Literal

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolChange:
    """One symbol of a stage's code that is not as it was; None where there is none on that side."""

    name: str
    place: str
    """`path:line` as it is now, else as it was; empty for what is not code."""
    old: str | None
    new: str | None
    is_cosmetic: bool
    """Whether the rules know that this change cannot reach an output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StaleView:
    """Results of one stage that one older version of its code made."""

    job: str
    stage: str
    internal: bool
    old: str | None
    """Hash of the version that made them; None: unknown, there is no source to compare with."""
    new: str | None
    """Hash of the version that runs now; None: the code is not to be found."""
    results: int
    verdict: Literal["semantic", "unknown"]
    by: str | None
    why: str
    confidence: float | None
    cost_usd_micros: int
    """What the verdict cost."""
    judgement: int | None
    at: int | None
    changes: tuple[SymbolChange, ...]
    """Those that mean something first."""
    doubts: tuple[str, ...]
    """Why not all of the code could be seen."""
    item_ms: int
    """Median time of one result, of the newest; 0: not known."""
    item_usd_micros: int
    downstream: tuple[tuple[str, int], ...]
    """Stages that depend on it, with how many of their results a reset takes along at most."""
    downstream_ms: int = 0
    """About how long those would work, all one after the other."""
    downstream_usd_micros: int = 0

    @property
    def reset_ms(self) -> int:
        """About how long a reset would work, all items one after the other, without what depends on it."""
        return self.results * self.item_ms

    @property
    def reset_usd_micros(self) -> int:
        """About what a reset would cost, without what depends on it."""
        return self.results * self.item_usd_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class BlessingView:
    """Two versions of a stage that count as the same."""

    judgement: int
    job: str
    stage: str
    internal: bool
    old: str
    new: str
    verdict: str
    by: str
    why: str
    results: int
    """How many results of the older version are there."""
    at: int
