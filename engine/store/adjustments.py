"""Limits that a person has set, as rows: each change journalled with what stood there before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from engine.contracts.adjustment import Adjustment, LimitKind
from engine.contracts.rate import Rate
from engine.store.events import Event, record
from engine.store.sql import queries

_SQL = queries("adjustments")


def read(connection: sqlite3.Connection) -> list[Adjustment]:
    """Return all that hold."""
    return [Adjustment(kind=kind, name=name, value=_value(raw)) for kind, name, raw in connection.execute(_SQL.read)]


def put(
    connection: sqlite3.Connection,
    kind: LimitKind,
    name: str,
    value: int | Rate | None,
    now: int,
    *,
    configured: str | None,
) -> int | None:
    """Set a limit, or drop what was set (None); returns its number in the journal, None when nothing changed.

    `configured` is what jobs.yaml says."""
    row = connection.execute(_SQL.one, (kind, name)).fetchone()
    before, raw = row[0] if row else None, None if value is None else _raw(value)
    if before == raw:
        return None
    _store(connection, kind, name, raw, now)
    connection.execute(_SQL.note, {"kind": kind, "name": name, "configured": configured})
    said = f"{kind} of {name}: {value if value is not None else 'as jobs.yaml says'}"
    record(connection, [Event(kind="limit.set", actor="person", text=said)], now)
    kept = json.dumps({"kind": kind, "name": name, "value": before})
    (number,) = connection.execute(_SQL.journal, {"now": now, "args": json.dumps({}), "before": kept}).fetchone()
    return int(number)


def take_back(connection: sqlite3.Connection, before: Mapping[str, str | None], now: int) -> str:
    """Set a limit as it was before a command; returns what it is called."""
    kind, name = str(before["kind"]), str(before["name"])
    _store(connection, kind, name, before["value"], now)
    return f"{kind} of {name}"


def note_configured(connection: sqlite3.Connection, limits: Mapping[tuple[LimitKind, str], str | None]) -> None:
    """Note beside each what jobs.yaml says."""
    for one in read(connection):
        values = {"kind": one.kind, "name": one.name, "configured": limits.get((one.kind, one.name))}
        connection.execute(_SQL.note, values)


def _store(connection: sqlite3.Connection, kind: str, name: str, raw: str | None, now: int) -> None:
    if raw is None:
        connection.execute(_SQL.drop, (kind, name))
    else:
        connection.execute(_SQL.put, {"kind": kind, "name": name, "value": raw, "now": now})


def _raw(value: int | Rate) -> str:
    return json.dumps(value if isinstance(value, int) else [value.count, value.per_s, value.burst])


def _value(raw: str) -> int | Rate:
    told = json.loads(raw)
    return told if isinstance(told, int) else Rate(count=told[0], per_s=told[1], burst=told[2])
