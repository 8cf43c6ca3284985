"""Taking back what a person said to the doctor: an overrule, a dismissal. What ran because of it has run."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from engine.store.sql import queries

_SQL = queries("doctor_undo")

UNDOABLE: Final = ("overrule", "dismiss")
_INCIDENT: Final = (
    "class", "confidence", "judged_by", "rule", "reason", "fix", "state", "closed_at", "replaying_at",
)  # fmt: skip
_VERDICT: Final = ("stage_id", "class", "confidence", "judged_by", "reason", "fix", "at", "until")


def before(connection: sqlite3.Connection, incident: int) -> dict[str, Any]:
    """An incident, its verdicts and what is planned about it, as they are now."""
    row = connection.execute(_SQL.incident, (incident,)).fetchone()
    return {
        "incident": incident,
        "row": dict(zip(_INCIDENT, row[1:], strict=True)),
        "verdicts": [dict(zip(_VERDICT, one, strict=True)) for one in connection.execute(_SQL.verdicts, (row[0],))],
        "planned": [one[0] for one in connection.execute(_SQL.planned, (incident,))],
    }


def journal(
    connection: sqlite3.Connection, name: str, job: int | None, args: dict[str, Any], kept: dict[str, Any], now: int
) -> int:
    """Write a command into the journal; returns its number."""
    values = {"now": now, "name": name, "job": job, "args": json.dumps(args), "before": json.dumps(kept)}
    return int(connection.execute(_SQL.record, values).fetchone()[0])


def restore(connection: sqlite3.Connection, kept: dict[str, Any], now: int) -> str | None:
    """Put it back as it was; returns why not."""
    row = connection.execute(_SQL.incident, (kept["incident"],)).fetchone()
    if row is None:
        return "the incident is not there any more"
    connection.execute(_SQL.put_back, {**kept["row"], "incident": kept["incident"]})
    connection.execute(_SQL.forget_person, {"signature": row[0]})
    for verdict in kept["verdicts"]:
        connection.execute(_SQL.put_verdict, {**verdict, "signature": row[0]})
    connection.execute(_SQL.plan_again, {"acts": json.dumps(kept["planned"]), "now": now})
    return None
