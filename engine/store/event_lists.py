"""Lists of events: of all, of a scope, of a job, of a stage, of an incident; each read from where an index points."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.contracts.view import EVENTS_LOOKED_AT, EventView, Scope
from engine.store.event_words import event_view
from engine.store.sql import queries

_SQL = queries("views")
_NEWEST: Final = 2**62


def count(connection: sqlite3.Connection, job: int | None, scope: Scope) -> int:
    """Return how many events there are; one job by itself is what it is of, whatever the scope."""
    if job is not None:
        row = connection.execute(_SQL.events_count_of_job, {"job": job}).fetchone()
    elif scope != "all":
        row = connection.execute(_SQL.events_count_in_scope, {"internal": scope == "internal"}).fetchone()
    else:
        row = connection.execute(_SQL.events_count).fetchone()
    return int(row[0])


def before(
    connection: sqlite3.Connection, number: int | None, limit: int, job: int | None, scope: Scope
) -> list[EventView]:
    """Return events below a number (None: from the newest on), newest first."""
    values = {"before": _NEWEST if number is None else number, "limit": limit}
    if job is not None:
        return _read(connection, _SQL.events_before_of_job, values | {"job": job})
    if scope != "all":
        return _read(connection, _SQL.events_before_in_scope, values | {"internal": scope == "internal"})
    return _read(connection, _SQL.events_before, values)


def after(connection: sqlite3.Connection, number: int, limit: int, job: int | None, scope: Scope) -> list[EventView]:
    """Return events above a number, oldest first."""
    values = {"after": number, "limit": limit}
    if job is not None:
        return _read(connection, _SQL.events_after_of_job, values | {"job": job})
    if scope != "all":
        return _read(connection, _SQL.events_after_in_scope, values | {"internal": scope == "internal"})
    return _read(connection, _SQL.events_after, values)


def of_item(connection: sqlite3.Connection, item: int) -> list[EventView]:
    """Return the newest 200 events of an item, newest first."""
    return _read(connection, _SQL.events_of_item, {"item": item})


def of_stage(connection: sqlite3.Connection, job: int, stage: str, limit: int) -> list[EventView]:
    """Return events of a stage, newest first, among the newest of its job."""
    values = {"job": job, "stage": stage, "limit": limit, "looked": EVENTS_LOOKED_AT}
    return _read(connection, _SQL.events_of_stage, values)


def of_incident(connection: sqlite3.Connection, incident: int, jobs: Sequence[str], limit: int) -> list[EventView]:
    """Return events of an incident, newest first, among the newest of its jobs and of the engine itself."""
    values = {"incident": incident, "jobs": json.dumps(list(jobs)), "limit": limit, "looked": EVENTS_LOOKED_AT}
    return _read(connection, _SQL.events_of_incident, values)


def _read(connection: sqlite3.Connection, condition: str, values: Mapping[str, Any]) -> list[EventView]:
    rows = connection.execute("\n".join((_SQL.event_columns, condition)), values)
    return [event_view(row) for row in rows]
