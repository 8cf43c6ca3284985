"""What a stage may know of the other items of its job: those that are open, with what one stage gave for them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from engine.contracts.errors import StateError
from engine.store.checksum import check_output
from engine.store.sql import queries

_SQL = queries("peers")

PEERS_MAX: Final = 500
_LARGEST: Final = 32_768
"""Characters of JSON; an item whose data or output is larger is left out, so that an answer stays small."""


def peers(connection: sqlite3.Connection, *, job_id: int, item_id: int, stage: str) -> list[dict[str, Any]]:
    """Fields of `engine.contracts.context.Peer`; none when there is no such stage."""
    found = connection.execute(_SQL.stage, {"job": job_id, "name": stage}).fetchone()
    if found is None:
        return []
    values = {"job": job_id, "item": item_id, "stage": found[0], "n": PEERS_MAX, "largest": _LARGEST}
    told: list[dict[str, Any]] = []
    for row in connection.execute(_SQL.open_ones, values):
        key, title, data, path, line, priority, state, output, output_hash = row
        try:
            check_output(output, output_hash)
        except StateError:
            continue  # the stage that needs it says so; a comparison does without
        told.append(
            {"key": key, "title": title, "data": json.loads(data), "path": path, "line": line}
            | {"priority": priority, "state": state, "output": json.loads(output)}
        )
    return told
