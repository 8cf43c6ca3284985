"""A goal: something that is promised, a figure that shows it, and the limit that the figure must keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lane:
    """How much is done: the fast lane belongs to every run of the tests, the deep one to a release."""

    deep: bool
    share: float = 1.0
    """Part of the deep lane's counts, for a machine or an hour that has not the time for all."""

    def n(self, *, fast: int, deep: int) -> int:
        """The count of this lane, at least 1."""
        return max(1, round(deep * self.share)) if self.deep else fast


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured."""

    figure: str
    ok: bool
    notes: tuple[str, ...] = ()
    """What to look at when it is not ok: the first findings, a command that tells one again."""
    skipped: bool = False
    """It could not be measured here (no network, no compiler, no such kernel); the figure says why."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the report."""

    code: str
    title: str
    limit: str
    measure: Callable[[Lane], Reading]
    alone: bool = False
    """It measures times on an idle machine: nothing else runs beside it."""
    minutes: float = 1.0
    """About how long its deep lane takes on one core; the longest begins first."""


def readings(found: list[str], figure: str, *, at_most: int = 5) -> Reading:
    """A reading that is ok when nothing was found."""
    return Reading(figure, not found, tuple(found[:at_most]))
