"""Events: what happened, one row each, written in the transaction that made it happen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from engine.contracts.values import dataclass
from engine.store.sql import insert, queries

_SQL = queries("events")

Level = Literal["debug", "info", "warning", "error"]
Actor = Literal["engine", "person", "discovery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row to be written."""

    kind: str
    level: Level = "info"
    actor: Actor = "engine"
    job_id: int | None = None
    item_id: int | None = None
    stage_id: int | None = None
    text: str | None = None
    """One cleaned line; None where the kind says it all."""
    ms: int | None = None
    data: Mapping[str, Any] | None = None


def record(connection: sqlite3.Connection, events: Iterable[Event], now: int) -> None:
    """Write events with the time `now`."""
    insert(
        connection,
        _SQL.record,
        [
            (
                now,
                event.kind,
                event.level,
                event.actor,
                event.job_id,
                event.item_id,
                event.stage_id,
                event.text,
                event.ms,
                None if event.data is None else json.dumps(event.data),
            )
            for event in events
        ],
    )


def record_done(
    connection: sqlite3.Connection, job_id: int, stage_id: int, ended: Sequence[tuple[int, int]], now: int
) -> None:
    """Write that attempts of one stage ended well: (item, milliseconds) each."""
    insert(connection, _SQL.record_done, ended, (now, job_id, stage_id))


def last_at(connection: sqlite3.Connection) -> int:
    """When the last event was written, ms UTC; 0: there is none."""
    row = connection.execute(_SQL.last_at).fetchone()
    return int(row[0]) if row else 0
