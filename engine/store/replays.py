"""Replay of what failed with an incident: three canaries first, the rest when they have passed."""

from __future__ import annotations

import json
import sqlite3
from typing import Final, Literal

from engine.store import settle
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("doctor")

CANARIES: Final = 3
_ALL: Final = -1


def start(connection: sqlite3.Connection, plan: Plan, incident: int, now: int) -> int:
    """Start the canaries of an incident; with nothing left to replay it is resolved. Returns how many were started."""
    rows = connection.execute(_SQL.members, {"incident": incident, "n": CANARIES}).fetchall()
    if not rows:
        close(connection, incident, "resolved", now)
        return 0
    for item, stage, _ in rows:
        connection.execute(_SQL.mark_canary, {"incident": incident, "item": item, "stage": stage})
    connection.execute(_SQL.set_replaying, {"incident": incident, "at": now})
    started = _run(connection, plan, rows, now)
    record(connection, [_event("incident.replayed", incident, f"{started} canaries run")], now)
    return started


def going_on(connection: sqlite3.Connection) -> list[int]:
    """Incidents whose canaries run."""
    return [row[0] for row in connection.execute(_SQL.replaying)]


def look(connection: sqlite3.Connection, plan: Plan, incident: int, now: int) -> Literal["running", "passed", "failed"]:
    """See how the canaries stand; when all have passed, start the rest and resolve the incident."""
    states = connection.execute(_SQL.canaries, {"incident": incident}).fetchall()
    if any(state in ("failed", "later", "waiting") and ran for state, ran in states):
        connection.execute(_SQL.keep_canaries, {"incident": incident})
        connection.execute(_SQL.set_replaying, {"incident": incident, "at": None})
        record(connection, [_event("incident.replay_failed", incident, "a canary failed again")], now)
        return "failed"
    if any(state not in ("done", "skipped") for state, _ in states):
        return "running"
    connection.execute(_SQL.drop_canaries, {"incident": incident})
    rows = connection.execute(_SQL.members, {"incident": incident, "n": _ALL}).fetchall()
    started = _run(connection, plan, rows, now)
    values = {"incident": incident, "rows": json.dumps([row[:2] for row in rows])}
    connection.execute(_SQL.drop_members, values)
    record(connection, [_event("incident.replayed", incident, f"the canaries passed; {started} more run")], now)
    close(connection, incident, "resolved", now)
    return "passed"


def all_members(connection: sqlite3.Connection, plan: Plan, incident: int, now: int) -> int:
    """Start every member at once; returns how many."""
    rows = connection.execute(_SQL.members, {"incident": incident, "n": _ALL}).fetchall()
    connection.execute(_SQL.drop_members, {"incident": incident, "rows": json.dumps([row[:2] for row in rows])})
    return _run(connection, plan, rows, now)


def close(connection: sqlite3.Connection, incident: int, state: Literal["resolved", "dismissed"], now: int) -> bool:
    """It is over; False when it was not open."""
    values = {"incident": incident, "state": state, "now": now}
    landed = connection.execute(_SQL.close_incident, values).rowcount == 1
    if landed:
        record(connection, [_event(f"incident.{state}", incident, None)], now)
    return landed


def _run(connection: sqlite3.Connection, plan: Plan, rows: list[tuple[int, int, int]], now: int) -> int:
    moved: set[int] = set()
    started = 0
    for item, stage, fence in rows:
        values = {"item": item, "stage": stage, "fence": fence, "due_at": now}
        if connection.execute(_SQL.replay, values).fetchall():
            moved.add(item)
            started += 1
    settle.settle(connection, plan, moved, now)
    return started


def _event(kind: str, incident: int, text: str | None) -> Event:
    return Event(kind=kind, text=text, data={"incident": incident})
