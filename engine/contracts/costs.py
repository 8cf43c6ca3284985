"""Rows about models and money that screens and the command line read; made by the reader, already cleaned."""

from __future__ import annotations

from typing import Final, Literal

from engine.contracts.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CostView:
    """What one job, model, purpose or day has cost."""

    name: str
    calls: int
    """Requests that were sent."""
    cached: int
    """Questions that were answered without one."""
    failed: int
    tokens_in: int
    tokens_out: int
    usd_micros: int
    """Micro-dollars; for a job and a day, what its results cost beside models is in it."""
    saved_usd_micros: int
    """What the cached answers had cost."""
    mean_ms: int | None
    """Mean time of a request; None: there was none."""
    p95_ms: int | None = None
    """Of twenty requests, how long the slowest but one took, among the newest `CALLS_READ`; None: there was none."""
    failed_usd_micros: int = 0
    """What failed requests among those cost."""
    unpriced: int = 0
    """Requests among those whose price or tokens were not told: they are counted at the most they may have cost."""


CALLS_READ: Final = 5_000
"""Requests that are looked at one by one, the newest: what it costs to read them does not grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One request to a model that has ended."""

    ended_at: int
    """ms UTC."""
    job: str
    """`(asked)`: a person or the engine itself asked."""
    key: str | None
    """The item that it was for."""
    model: str
    purpose: str
    state: str
    """`settled`, `failed` or `lost`."""
    ms: int
    usd_micros: int
    is_estimate: bool
    """Whether its price or its tokens were not told."""
    tokens_in: int
    tokens_out: int
    error: str | None
    stage: str | None = None
    """The stage of its job that asked; None: something else of it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """A daily limit of money, and how much of it is used."""

    name: str
    """A job, or `all jobs`."""
    limit_usd_micros: int
    spent_usd_micros: int
    reserved_usd_micros: int
    """What requests on their way may cost."""
    resets_at: int
    """When the next day begins, ms UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsView:
    """Money and models since a time."""

    since: int
    """ms UTC."""
    total: CostView
    jobs: tuple[CostView, ...]
    """The dearest first, as in the others; `(asked)` is what people and the engine itself asked."""
    models: tuple[CostView, ...]
    purposes: tuple[CostView, ...]
    stages: tuple[CostView, ...]
    """`job.stage` of those that cost something, whole hours of it; `calls` are its attempts."""
    days: tuple[CostView, ...]
    """The newest first."""
    quarters: tuple[tuple[int, int], ...]
    """Start of each quarter of an hour in which something was spent (ms UTC), and how much (micro-dollars)."""
    budgets: tuple[BudgetView, ...]
    items: tuple[CostView, ...] = ()
    """`job/key` of the items that the newest `CALLS_READ` requests were for, at most 200."""
    today_usd_micros: int = 0
    """Spent since the day began where the machine stands."""
    forecast_usd_micros: int = 0
    """What it will be at the end of the day, when the rest of it goes as the last 24 hours went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaView:
    """A backend, one of its modes, or an alias, as it stands now."""

    name: str
    """`backend`, `backend/mode` or `model:alias`."""
    per_day: int | None
    used: int
    """Of today."""
    resets_at: int | None
    """When it starts anew, ms UTC; None: nothing is counted."""
    concurrency: int | None
    busy: int
    """Requests on their way."""
    pace: str | None
    state: Literal["free", "busy", "used up", "blocked", "broken"]
    why: str | None
    until: int | None
    """When it is free again, ms UTC; None: it is, or when somebody is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWaitView:
    """A request that waits for a backend."""

    alias: str
    purpose: str
    job: str | None
    key: str | None
    since: int
    """ms UTC."""
    why: str
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A conversation."""

    name: str
    job: str | None
    key: str | None
    alias: str
    state: str
    """`open`, `asking`, `paused` (somebody more urgent has the backend), `waiting`, `doubt` or `closed`."""
    why: str | None
    until: int | None
    turns: int
    usd_micros: int
    updated_at: int
    """ms UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsView:
    """The door to the models at this moment."""

    quotas: tuple[QuotaView, ...]
    waits: tuple[ModelWaitView, ...]
    """The most urgent first."""
    conversations: tuple[ConversationView, ...]
    """The newest first, at most 200."""
