"""Incidents for tests of the doctor's screen: one of every class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from engine.contracts.incident import ActView, BreakerView, IncidentView

NOW: Final = 1_767_276_432_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000


def incident(number: int, label: str, **changes: Any) -> IncidentView:
    """Return an open incident of the sample project."""
    view = IncidentView(
        id=number,
        signature=f"{number:016x}",
        label=label,
        cls="systemic",
        confidence="high",
        by="rule",
        rule="http-door",
        reason="http door; the same for 7 items, none passed",
        fix="Renew the credentials, or ask for access.",
        state="open",
        count=7,
        items=7,
        jobs=("feeds",),
        stages=("fetch",),
        first_at=NOW - 3 * HOUR,
        last_at=NOW - 4 * MINUTE,
        reopened=0,
        is_replaying=False,
        evidence={
            "exc_type": "HTTPStatusError",
            "message": "Client error '403 Forbidden' for url 'https://api.example.org/feed'",
            "traceback_tail": 'Traceback (most recent call last):\n  File "plugins/feeds.py", line 88, in fetch\n'
            "    reply.raise_for_status()\nHTTPStatusError: Client error '403 Forbidden'",
            "keys": ["weekly.xml", "daily.xml"],
        },
    )
    return replace(view, **changes)


def act(action: str, state: Literal["pending", "done", "vetoed"] = "done", **changes: Any) -> ActView:
    """Return something that the doctor did."""
    view = ActView(
        action=action, tier="low", state=state, text="7 items", job="feeds", at=NOW - HOUR, due_at=NOW - HOUR
    )
    return replace(view, **changes)


def incidents() -> list[IncidentView]:
    """Return an incident of every class."""
    breaker = BreakerView(
        job="feeds", stage="fetch", cls="systemic", state="open", opened_at=NOW - HOUR, probe_at=NOW + 27 * MINUTE
    )
    paused = act("pause", text="systemic, 7 failures at fetch: HTTPStatusError HTTP 403")
    planned = act("todo", "pending", tier="medium", due_at=NOW + 6 * MINUTE, text="KeyError <value>", job="docs")
    return [
        incident(
            1,
            "HTTPStatusError HTTP 403 Client error <value> for url <value> at plugins/feeds.py:fetch",
            acts=(act("notify", text="feeds: systemic: HTTPStatusError HTTP 403"), paused, act("fail")),
            breakers=(breaker,),
        ),
        incident(
            2,
            "KeyError <value> at plugins/outline.py:outline",
            cls="code_bug",
            confidence="medium",
            rule="misuse-type",
            reason="misuse type",
            fix="Mend the handler or what it calls.",
            count=1,
            items=1,
            jobs=("docs",),
            stages=("outline",),
            last_at=NOW - HOUR,
            acts=(planned, act("fail", text="1 item", job="docs")),
        ),
        incident(
            3,
            "ReadTimeout at plugins/feeds.py:fetch",
            cls="transient",
            by="cache",
            rule=None,
            reason="timeout",
            fix="",
            count=2,
            items=1,
            last_at=NOW - 9 * MINUTE,
        ),
        incident(
            4,
            "UnicodeDecodeError <value> codec can't decode byte <hex>",
            cls="item",
            by="model",
            rule=None,
            confidence="medium",
            reason="the file is not text",
            fix="",
            count=1_204,
            items=4,
            jobs=("todos",),
            stages=("brief",),
            last_at=NOW - 22 * MINUTE,
            acts=(act("fail", text="4 items", job="todos"),),
        ),
        incident(
            5,
            "RuntimeError the frobnicator is out of tune",
            cls="unknown",
            confidence="low",
            by="none",
            rule=None,
            reason="no rule applies",
            fix="Look at the evidence and classify it.",
            count=1,
            items=1,
            last_at=NOW - 2 * MINUTE,
        ),
    ]
