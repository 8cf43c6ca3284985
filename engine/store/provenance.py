"""Where items come from: which discoveries gave them, by which topic or query; what leads to one again adds to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from engine.kit.safe_text import safe_line
from engine.store.sql import queries

_SQL = queries("provenance")

NAMES_MAX: Final = 20
VALUES_MAX: Final = 100
"""Values of one kind that an item keeps."""


def add(connection: sqlite3.Connection, item_id: int, given: Mapping[str, str | Sequence[str]], now: int) -> None:
    """Add what led to an item; a single value is a list of one."""
    for name, values in list(given.items())[:NAMES_MAX]:
        listed = [values] if isinstance(values, str) else list(values)[:VALUES_MAX]
        cleaned = safe_line(str(name), 60)
        for value in listed:
            told = {"item": item_id, "name": cleaned, "value": safe_line(str(value), 300), "now": now}
            connection.execute(_SQL.add, told)
        connection.execute(_SQL.trim, {"item": item_id, "name": cleaned, "kept": VALUES_MAX})


def seen(connection: sqlite3.Connection, items: Collection[int], now: int) -> None:
    """These items were seen again."""
    if items:
        connection.execute(_SQL.seen, {"items": json.dumps(list(items)), "now": now})
