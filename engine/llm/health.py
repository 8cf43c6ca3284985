"""How lanes fare: what the end of a call says about its lane, at once in memory, and stored with the settlement."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from engine.contracts.llm import BackendFailure
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.llm.lanes import Lane, Lanes
from engine.rules.outage import after_failure, throttle_s
from engine.store import quotas
from engine.store.events import Event, record

_COUNTED: Final = ("transient", "systemic", "throttled")
"""Failures that say something about the lane; the others are about the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How a lane fares now."""

    failures: int
    broken_until: int
    blocked_until: int
    why: str | None
    is_news: bool

    @property
    def values(self) -> dict[str, Any]:
        return {
            "failures": self.failures,
            "broken_until": self.broken_until,
            "blocked_until": self.blocked_until,
            "why": self.why,
        }


def judge(lanes: Lanes, lane: Lane, error: BackendFailure | None, now: int) -> Mark:
    """What the end of a call says about its lane; at once, so that nothing more is sent to one that asks to wait."""
    before = lanes.failures(lane)
    if error is None or error.kind not in _COUNTED:
        mark = Mark(failures=0, broken_until=0, blocked_until=0, why=None, is_news=bool(before))
    elif error.kind == "throttled":
        # Those that were on their way together are refused together: that is one time, not one for each of them.
        failures = before if lanes.is_blocked(lane) else before + 1
        until = now + round(throttle_s(error.retry_after_s, failures - 1) * 1000)
        why = safe_line(str(error), 200)
        mark = Mark(failures=failures, broken_until=0, blocked_until=until, why=why, is_news=True)
    else:
        failures, broken = after_failure(before, systemic=error.kind == "systemic", now=now)
        blocked = 0 if error.retry_after_s is None else now + round(throttle_s(error.retry_after_s, 0) * 1000)
        why, is_news = safe_line(str(error), 200), bool(broken or blocked)
        mark = Mark(failures=failures, broken_until=broken, blocked_until=blocked, why=why, is_news=is_news)
    lanes.mark(lane, **mark.values)
    return mark


def store(connection: sqlite3.Connection, name: str, mark: Mark, now: int) -> None:
    quotas.mark(connection, name, **mark.values)
    if not mark.is_news:
        return
    if mark.broken_until:
        told = (f"nothing is sent to {name} for a while: {mark.why}", "model.broken", mark.broken_until)
    elif mark.blocked_until:
        told = (f"{name} asks to wait: {mark.why}", "model.throttled", mark.blocked_until)
    else:
        record(connection, [Event(kind="model.recovered", text=f"{name} answers again")], now)
        return
    text, kind, until = told
    record(connection, [Event(kind=kind, level="warning", text=text, data={"until": until})], now)
