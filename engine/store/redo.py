"""What was taken back and can be done again: the command that was undone last, unless something was done since."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.values import dataclass
from engine.store.sql import queries

_SQL = queries("redo")

REDOABLE: Final = (
    "accept", "drop", "snooze", "prioritise", "answer", "retry", "cancel", "pause", "resume", "edit", "amend",
    "merge", "start", "triage",
)  # fmt: skip
"""Commands that mean the same when they are given again."""


@dataclass(frozen=True, slots=True)
class Undone:
    """A command that was taken back."""

    number: int
    name: str
    args: Mapping[str, Any]
    is_bulk: bool


def find(connection: sqlite3.Connection) -> Undone | None:
    """Return what a redo is about; None when there is nothing."""
    row = connection.execute(_SQL.last_undone).fetchone()
    if row is None:
        return None
    number, name, raw, before, job, is_bulk = row
    if not is_bulk and name not in REDOABLE:
        return None
    args = json.loads(raw)
    if not is_bulk:
        args["job"] = job
        stage = json.loads(before).get("stage")
        if name in ("pause", "resume") and stage is not None:
            args["stage"] = stage
    return Undone(number, name, args, bool(is_bulk))


def done(connection: sqlite3.Connection, number: int, by: int) -> None:
    """What was taken back of a command was done again by the command `by`."""
    connection.execute(_SQL.done, {"id": number, "by": by})
