"""Incidents as screens and the command line read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.contracts.values import dataclass
from engine.contracts.verdict import Confidence, FailureClass

IncidentState = Literal["open", "resolved", "dismissed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ActView:
    """Something that the doctor did about an incident, or would do."""

    action: str
    tier: Literal["low", "medium", "high"]
    state: Literal["pending", "done", "vetoed"]
    text: str
    job: str
    at: int
    due_at: int
    """When it is (was) to be taken, ms UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerView:
    """A breaker that is not closed."""

    job: str
    stage: str
    cls: str
    """The class that opened it; `rate` for the guard of the error rate."""
    state: Literal["open", "probing"]
    opened_at: int
    probe_at: int | None
    """When the next canary runs, ms UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentView:
    """Failures of one signature."""

    id: int
    signature: str
    label: str
    cls: FailureClass
    confidence: Confidence
    by: str
    """`rule`, `cache`, `model`, `person` or `none`."""
    rule: str | None
    reason: str
    fix: str
    state: IncidentState
    count: int
    items: int
    """Items that stand with it now."""
    jobs: tuple[str, ...]
    stages: tuple[str, ...]
    first_at: int
    last_at: int
    reopened: int
    is_replaying: bool
    evidence: Mapping[str, Any]
    """What the classifier saw of the newest: exc_type, message, traceback_tail, keys."""
    acts: tuple[ActView, ...] = ()
    """Newest first."""
    breakers: tuple[BreakerView, ...] = ()

    @property
    def action(self) -> str:
        """In a few words: what is going to be done, or what was done last."""
        pending = [act for act in self.acts if act.state == "pending"]
        if pending:
            return f"will {pending[0].action}"
        if self.is_replaying:
            return "canaries run"
        if self.breakers:
            return "job paused"
        done = [act.action for act in reversed(self.acts) if act.state == "done" and act.action != "notify"]
        return {"fail": "failed", "later": "waits", "slow": "slowed", "pause": "was paused", "todo": "in todos"}.get(
            done[-1] if done else "", "tried again"
        )
