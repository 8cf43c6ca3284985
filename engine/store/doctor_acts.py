"""What the doctor did about incidents, and what it would do unless somebody vetoes it."""

from __future__ import annotations

import json
import sqlite3
from typing import Final, Literal

from engine.contracts.doctor import Tier
from engine.contracts.item import Candidate
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.store import items
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("doctor")

AGAIN_MS: Final = 1_800_000
"""The same is done or told again after half an hour at the earliest."""
TODO_JOB: Final = "todos"


@dataclass(frozen=True, slots=True)
class Act:
    """One planned action."""

    id: int
    incident: int
    job_id: int
    stage_id: int | None
    action: str
    text: str


def note(connection: sqlite3.Connection, incident: int, job: int, stage: int, action: str, text: str, now: int) -> None:
    """Note what was done, once in half an hour for an incident, a job and an action."""
    if not _is_there(connection, incident, job, action, now):
        _write(connection, incident, job, stage, action, "low", "done", text, now, now)


def plan(
    connection: sqlite3.Connection,
    incident: int,
    job: int,
    stage: int,
    action: str,
    tier: Tier,
    text: str,
    due_at: int,
    now: int,
) -> bool:
    """Plan an action; False when it is planned already, or was done, vetoed or told lately."""
    if _is_there(connection, incident, job, action, now):
        return False
    _write(connection, incident, job, stage, action, tier, "pending", text, due_at, now)
    if tier != "low":
        event = Event(
            kind="doctor.planned",
            level="warning",
            job_id=job,
            stage_id=stage,
            text=safe_line(f"{action}: {text}", 300),
            data={"incident": incident, "tier": tier, "due_at": due_at},
        )
        record(connection, [event], now)
    return True


def due(connection: sqlite3.Connection, now: int) -> list[Act]:
    """Planned actions whose time has come."""
    return [Act(*row) for row in connection.execute(_SQL.actions_due, {"now": now})]


def pending_of(connection: sqlite3.Connection, incident: int) -> list[Act]:
    """What would be done about an incident."""
    return [Act(*row) for row in connection.execute(_SQL.actions_pending_of, {"incident": incident})]


def end(connection: sqlite3.Connection, act: Act, state: Literal["done", "vetoed"], now: int) -> None:
    """It was done, or vetoed."""
    connection.execute(_SQL.end_action, {"id": act.id, "state": state, "now": now})
    if state == "vetoed":
        event = Event(
            kind="doctor.vetoed",
            actor="person",
            job_id=act.job_id,
            text=f"{act.action}: {act.text}",
            data={"incident": act.incident},
        )
        record(connection, [event], now)


def next_at(connection: sqlite3.Connection) -> int | None:
    """When the next action is taken, ms UTC."""
    at: int | None = connection.execute(_SQL.next_action).fetchone()[0]
    return at


def send_to_todos(connection: sqlite3.Connection, project: Plan, incident: int, now: int) -> str:
    """Make the incident an item of the TODO list; returns its key, or an empty text when there is no such list."""
    row = connection.execute(_SQL.incident, {"incident": incident, "signature": None}).fetchone()
    target = project.jobs.get(TODO_JOB)
    if row is None or target is None:
        return ""
    label, cls, fix = row[2], row[3], row[8]
    key = f"doctor-{row[1]}"
    candidate = Candidate(
        key=key,
        title=safe_line(f"{cls}: {label}", 200),
        data={"incident": incident, "class": cls, "fix": fix, "evidence": json.loads(row[16]), "by": "doctor"},
        revision=str(row[11]),
    )
    items.upsert(connection, project, target, [candidate], source_id=target.id, origin="emit", run_id=None, now=now)
    record(connection, [Event(kind="doctor.sent", job_id=target.id, text=f"to the TODO list: {label}")], now)
    return key


def _is_there(connection: sqlite3.Connection, incident: int, job: int, action: str, now: int) -> bool:
    values = {"incident": incident, "job": job, "action": action, "since": now - AGAIN_MS}
    return bool(connection.execute(_SQL.has_action, values).fetchone()[0])


def _write(
    connection: sqlite3.Connection,
    incident: int,
    job: int,
    stage: int | None,
    action: str,
    tier: str,
    state: str,
    text: str,
    due_at: int,
    now: int,
) -> None:
    connection.execute(
        _SQL.plan_action,
        {
            "incident": incident,
            "job": job,
            "stage": stage,
            "action": action,
            "tier": tier,
            "state": state,
            "text": safe_line(text, 300),
            "now": now,
            "due_at": due_at,
        },
    )
