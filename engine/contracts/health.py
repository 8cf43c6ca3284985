"""What a check may know about the jobs themselves: facts, no judgement."""

from __future__ import annotations

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class JobHealth:
    """One job as the state file knows it. Times are ms UTC, money is micro-dollars."""

    job: str
    state: str
    """active, paused, broken or removed."""
    why: str | None
    guard: str | None
    """The guard that has paused it, such as `daily_cost`; None: none has."""
    paused_at: int | None
    failed: int
    """Items that failed."""
    running_since: int | None
    """When the attempt began that runs for the longest time."""
    ready_since: int | None
    """Since when the item waits that waits for its turn longest."""
    failed_runs: int
    """Runs of its discovery or check in a row that failed, up to the newest."""
    run_error: str | None
    stale: int
    """Results that another version of the code made."""
    stale_since: int | None
    """When the code changed that made them stale."""
    flapping: tuple[tuple[str, str, int], ...]
    """Findings of this check that came back after they were fixed: key, title, how often."""
