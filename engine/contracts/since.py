"""What happened while nobody looked."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSince:
    """One job since a time."""

    job: str
    finished: int
    """Items that came through its last stage."""
    failed: int
    """Attempts after which an item was given up."""
    usd_micros: int
    new: int
    """Items that its discoveries found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SinceView:
    """Everything that a person who comes back wants to know first."""

    since: int
    """ms UTC; sums are kept by the hour, so what happened earlier in this hour counts too."""
    jobs: tuple[JobSince, ...]
    """Those of which there is something to tell."""
    incidents: tuple[str, ...]
    """What opened since and is still open, the newest first, at most five."""
    incidents_open: int
    failed: int
    """Items that stand failed now."""
    waiting: int
    """Items that wait for a person now."""
    paused: Mapping[str, str]
    """Jobs that do not work now, with why."""
    deeds: Mapping[str, int]
    """What people did since, by command."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happened, whatever still waits from before."""
        return not (self.jobs or self.incidents or self.deeds)
