"""What is known of a job in an hour that has passed, or passes."""

from __future__ import annotations

from engine.contracts.states import JobState
from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class HourView:
    """One job in one hour: what it did, and how it stood when the hour, or its engine, ended."""

    hour: int
    """Its start, ms UTC."""
    settled: int = 0
    """Item stages that were done or skipped in it."""
    usd_micros: int = 0
    """Spent in it."""
    state: JobState | None = None
    """None: how it stood was not kept; the counts below say nothing then."""
    ready: int = 0
    """Item stages."""
    running: int = 0
    later: int = 0
    done: int = 0
    """Items."""
    failed: int = 0
    waiting: int = 0

    @property
    def backlog(self) -> int:
        """Item stages that had their turn before them."""
        return self.ready + self.running + self.later
