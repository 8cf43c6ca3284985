"""Rows of incidents for screens and the command line."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from engine.contracts.incident import ActView, BreakerView, IncidentState, IncidentView
from engine.store.sql import queries

_SQL = queries("incident_rows")


def read(connection: sqlite3.Connection, states: Iterable[IncidentState], limit: int) -> list[IncidentView]:
    """Incidents in these states with everything that is known of them, the newest first."""
    values = {"states": json.dumps(list(states)), "n": limit}
    return _views(connection, connection.execute(_SQL.incidents, values).fetchall())


def read_one(connection: sqlite3.Connection, name: str) -> IncidentView | None:
    """One incident by its number or signature."""
    number = int(name) if name.isdecimal() and len(name) < 16 else None
    found = _views(connection, connection.execute(_SQL.one, {"id": number, "signature": name}).fetchall())
    return found[0] if found else None


def _views(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> list[IncidentView]:
    ids = json.dumps([row[0] for row in rows])
    where: dict[int, list[tuple[str, str, int, int]]] = defaultdict(list)
    for incident, job, stage, n, number in connection.execute(_SQL.members, (ids,)):
        where[incident].append((job, stage, n, number))
    acts: dict[int, list[ActView]] = defaultdict(list)
    for incident, action, tier, state, text, job, at, due_at in connection.execute(_SQL.acts, (ids,)):
        acts[incident].append(ActView(action=action, tier=tier, state=state, text=text, job=job, at=at, due_at=due_at))
    breakers: dict[int, list[BreakerView]] = defaultdict(list)
    for number, job, stage, cls, state, opened_at, probe_at in connection.execute(_SQL.breakers):
        breakers[number].append(
            BreakerView(job=job, stage=stage, cls=cls, state=state, opened_at=opened_at, probe_at=probe_at)
        )
    return [_view(row, where[row[0]], acts[row[0]], breakers) for row in rows]


def _view(
    row: tuple[Any, ...],
    where: Sequence[tuple[str, str, int, int]],
    acts: Sequence[ActView],
    breakers: dict[int, list[BreakerView]],
) -> IncidentView:
    evidence = json.loads(row[15])
    return IncidentView(
        id=row[0],
        signature=row[1],
        label=row[2],
        cls=row[3],
        confidence=row[4],
        by=row[5],
        rule=row[6],
        reason=row[7],
        fix=row[8],
        state=row[9],
        count=row[10],
        items=sum(n for _, _, n, _ in where),
        jobs=tuple(dict.fromkeys([job for job, *_ in where] or [evidence["job"]])),
        stages=tuple(dict.fromkeys([stage for _, stage, _, _ in where] or [evidence["stage"]])),
        first_at=row[11],
        last_at=row[12],
        reopened=row[13],
        is_replaying=bool(row[14]),
        evidence=evidence,
        acts=tuple(acts),
        breakers=tuple(
            one for _, _, _, number in where for one in breakers.get(number, ()) if one.cls in (row[3], "rate")
        ),
    )
