"""Failures in, incidents out: what was judged is stored, and what that means for the items' rows.

One transaction for a batch: incidents and their members, what happens to the rows (tried later, failed), what the
breakers count. Rows are guarded by state and fence: what ran again meanwhile is left alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from engine.contracts.values import dataclass
from engine.contracts.verdict import Neighbourhood, Verdict
from engine.kit.safe_text import safe_line
from engine.store import settle
from engine.store.events import Event, record
from engine.store.plan import JobPlan, Plan
from engine.store.sql import insert, queries

_SQL = queries("doctor")

BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Failed:
    """One failed attempt in the queue."""

    id: int
    item_id: int
    stage_id: int
    fence: int
    at: int
    error_type: str
    message: str
    traceback: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Failures of one signature at one stage, with what was said of them."""

    signature: str
    label: str
    stage_id: int
    verdict: Verdict
    failures: Sequence[Failed]
    evidence: str
    """JSON."""
    fate: str
    """`leave` as the attempt left them, `fail`, or `later`."""
    due_at: int | None = None
    """When they come back (`later`)."""


@dataclass(slots=True)
class Stored:
    """What a batch brought about."""

    incidents: dict[tuple[str, int], int] = field(default_factory=dict)
    """(signature, stage) → number of the incident."""
    opened: list[int] = field(default_factory=list)
    """Incidents that are new or open again."""
    next_later: int | None = None


def queue(connection: sqlite3.Connection, after: int, n: int = BATCH) -> list[Failed]:
    """Return failed attempts that wait for a verdict, with numbers above `after`."""
    return [Failed(*row) for row in connection.execute(_SQL.queue, {"after": after, "n": n})]


def around(connection: sqlite3.Connection, stage_id: int, signature: str, passed: int) -> Neighbourhood:
    """What happened at the same stage lately; `passed` is counted by who sees attempts end."""
    (same,) = connection.execute(_SQL.same_items, {"stage": stage_id, "signature": signature}).fetchone()
    return Neighbourhood(same_items=same, passed=passed)


def known_verdict(connection: sqlite3.Connection, stage_id: int, signature: str, now: int) -> Verdict | None:
    """Return what was said of this signature at this stage and still holds."""
    row = connection.execute(_SQL.verdict_of, {"stage": stage_id, "signature": signature, "now": now}).fetchone()
    if row is None:
        return None
    cls, confidence, by, reason, fix = row
    source = "person" if by == "person" else "cache"
    return Verdict(cls=cls, confidence=confidence, by=source, reason=reason, fix=fix)  # type: ignore[arg-type]


def teach(
    connection: sqlite3.Connection, stage_id: int, signature: str, verdict: Verdict, now: int, until: int | None
) -> None:
    """Remember a verdict until a time, or for good."""
    values = {"stage": stage_id, "signature": signature, **_said(verdict), "now": now, "until": until}
    connection.execute(_SQL.teach, {name: values[name] for name in values if name != "rule"})


def store(connection: sqlite3.Connection, plan: Plan, judged: Iterable[Judged], now: int) -> Stored:
    """Store a batch of verdicts."""
    result = Stored()
    unsettled: set[int] = set()
    events: list[Event] = []
    attempts: list[int] = []
    for group in judged:
        attempts += [failure.id for failure in group.failures]
        stage = plan.stages.get(group.stage_id)
        incident = _count_in(connection, stage.job_id if stage else None, group, result, events)
        members = [(incident, one.item_id, group.stage_id, one.fence, one.at) for one in group.failures]
        insert(connection, _SQL.member, list({(row[1], row[2]): row for row in members}.values()))
        moved = _fate(connection, group, now)
        unsettled |= moved
        if moved and group.fate == "later":
            assert group.due_at is not None
            result.next_later = min(result.next_later or group.due_at, group.due_at)
    connection.execute(_SQL.judged, {"attempts": json.dumps(attempts), "now": now})
    settle.settle(connection, plan, unsettled, now)
    record(connection, events, now)
    return result


def _count_in(
    connection: sqlite3.Connection, job_id: int | None, group: Judged, result: Stored, events: list[Event]
) -> int:
    before = connection.execute(_SQL.incident, {"incident": None, "signature": group.signature}).fetchone()
    times = [failure.at for failure in group.failures]
    (incident,) = connection.execute(
        _SQL.count_in,
        {
            "signature": group.signature,
            "label": group.label,
            **_said(group.verdict),
            "n": len(group.failures),
            "first_at": min(times),
            "last_at": max(times),
            "evidence": group.evidence,
        },
    ).fetchone()
    result.incidents[group.signature, group.stage_id] = incident
    if before is None or before[9] == "resolved":
        result.opened.append(incident)
        events.append(
            Event(
                kind="incident.opened" if before is None else "incident.reopened",
                level="warning",
                job_id=job_id,
                stage_id=group.stage_id or None,
                text=safe_line(f"{group.verdict.cls}: {group.label}", 300),
                data={"incident": incident, "class": group.verdict.cls, "by": group.verdict.by},
            )
        )
    return int(incident)


# Runs of discoveries and checks: incidents without items


def run_prefix(job: JobPlan) -> str:
    """What signatures of failed runs of a job begin with; those of attempts have no such word."""
    return f"run:{job.spec.name}:"


def said_of_run(connection: sqlite3.Connection, signature: str) -> Verdict | None:
    """What a person has said of this failure of runs."""
    row = connection.execute(_SQL.said_of_run, (signature,)).fetchone()
    if row is None:
        return None
    cls, reason, fix = row
    return Verdict(cls=cls, confidence="high", by="person", reason=reason, fix=fix)


def run_failed(connection: sqlite3.Connection, job: JobPlan, judged: Judged, now: int) -> int | None:
    """Store that a run failed so; returns the number of its incident where that is new, or open again."""
    result, events = Stored(), list[Event]()
    _count_in(connection, job.id, judged, result, events)
    record(connection, events, now)
    return result.opened[0] if result.opened else None


def run_recovered(connection: sqlite3.Connection, job: JobPlan, now: int) -> None:
    """A run of this job went well: whatever was wrong with its runs is over."""
    rows = connection.execute(_SQL.run_recovered, {"prefix": run_prefix(job), "now": now}).fetchall()
    told = [Event(kind="incident.resolved", job_id=job.id, data={"incident": number}) for (number,) in rows]
    record(connection, told, now)


def _fate(connection: sqlite3.Connection, group: Judged, now: int) -> set[int]:
    """Move the rows of a group; returns the items that moved."""
    if group.fate == "leave":
        return set()
    moved: set[int] = set()
    why = safe_line(f"{group.verdict.cls}: {group.failures[-1].error_type}: {group.failures[-1].message}", 300)
    for failure in group.failures:
        values: dict[str, Any] = {
            "item": failure.item_id,
            "stage": failure.stage_id,
            "fence": failure.fence,
            "now": now,
            "why": why,
        }
        if group.fate == "fail":
            rows = connection.execute(_SQL.fail_later, values).fetchall()
        else:
            rows = connection.execute(_SQL.try_later, {**values, "due_at": group.due_at, "give_back": 1}).fetchall()
        moved |= {row[0] for row in rows}
    if moved:
        connection.execute(_SQL.set_item_why, {"why": why, "items": json.dumps(sorted(moved))})
    return moved


def _said(verdict: Verdict) -> dict[str, Any]:
    return {
        "class": verdict.cls,
        "confidence": verdict.confidence,
        "by": verdict.by,
        "rule": verdict.rule,
        "reason": safe_line(verdict.reason, 300),
        "fix": safe_line(verdict.fix, 300),
    }


def leave_unjudged(connection: sqlite3.Connection, attempts: Sequence[int], now: int) -> None:
    """Take attempts out of the queue that their job does not want judged."""
    if attempts:
        connection.execute(_SQL.judged, {"attempts": json.dumps(list(attempts)), "now": now})


def keep_bell(connection: sqlite3.Connection, rings: bool) -> None:
    """Keep for the screens whether the terminal rings when an incident opens."""
    connection.execute(_SQL.keep_bell, ("1" if rings else "",))


def slow(connection: sqlite3.Connection, names: Mapping[str, int], now: int) -> None:
    """Keep what is held back, and until when."""
    connection.execute(_SQL.not_slowed, (now,))
    for name, until in names.items():
        connection.execute(_SQL.slow, (name, until))


def slowed(connection: sqlite3.Connection, now: int) -> dict[str, int]:
    """What is held back."""
    return dict(connection.execute(_SQL.slowed, (now,)))


def forget(connection: sqlite3.Connection, now: int) -> None:
    """Forget verdicts of models that are too old."""
    connection.execute(_SQL.forget_old, (now,))


def class_of(connection: sqlite3.Connection, incident: int) -> str:
    """The class of an incident."""
    return str(connection.execute(_SQL.incident, {"incident": incident, "signature": None}).fetchone()[3])
