"""What a report says: how long stages take, how often they succeed, how fast items pass, and what it all cost."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class StageReport:
    """One stage in a span of time."""

    stage: str
    ended: Mapping[str, int]
    """How attempts ended: `done`, `skipped`, `failed` (for good), `retried`, `postponed`, `asked`."""
    p50_ms: float | None
    """Half of those that ended well took less; known to a fifth. None: none did."""
    p95_ms: float | None
    success: float | None
    """Share of the attempts that ended well or failed (for good or not) and ended well; None: none of these."""
    per_hour: float
    """Items that passed it an hour, from the first of the last 24 hours in which any did."""
    open: int
    """Items that have not passed it yet and do not wait for a person."""
    oldest_ready_at: int | None
    """Since when (ms UTC) the one that waits longest for its turn does."""
    usd_micros: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelReport:
    """What a job asked of a model in a span of time."""

    model: str
    calls: int
    failed: int
    usd_micros: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JobReport:
    """One job in a span of time."""

    job: str
    since: int
    """ms UTC."""
    items: Mapping[str, int]
    """Items by state, now."""
    stages: tuple[StageReport, ...]
    models: tuple[ModelReport, ...]
    eta_s: float | None
    """How long what is open takes at the present pace; None: nothing tells, or nothing is open."""
    usd_micros: int
    per_day: Mapping[str, int]
    """Local date → micro-dollars."""
    per_item_usd_micros: float | None
    """What was spent for each item that passed its last stage; None: none did."""
