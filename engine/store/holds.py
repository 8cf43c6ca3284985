"""Why nothing of a job may start, told by whoever found it, for those who read the state."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from engine.kit.safe_text import safe_line
from engine.store.sql import queries

_SQL = queries("holds")


def tell(connection: sqlite3.Connection, job_id: int, gate: str, whys: Mapping[str, int | None]) -> bool:
    """Say by what (why → until when, ms UTC) one gate holds a job back; returns whether that is new."""
    told = {safe_line(why, 300): until for why, until in whys.items()}
    if dict(connection.execute(_SQL.of_gate, (job_id, gate))) == told:
        return False
    connection.execute(_SQL.clear, (job_id, gate))
    connection.executemany(_SQL.tell, [(job_id, gate, why, until) for why, until in told.items()])
    return True


def clear(connection: sqlite3.Connection) -> None:
    """Forget what an engine before this one has found."""
    connection.execute(_SQL.clear_all)
