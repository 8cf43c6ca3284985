"""Checkpoints: a small value that an attempt saves, for the one that comes after it if this one is interrupted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any, Final

from engine.contracts.errors import RivusError
from engine.store.sql import queries

_SQL = queries("checkpoints")

SIZE_MAX: Final = 64 << 10
"""Largest value, in bytes of its JSON."""


class BadCheckpoint(RivusError):
    """The value cannot be saved."""


class Superseded(RivusError):
    """This attempt no longer holds its item: it was taken over, closed or reset."""


def encode(value: Any) -> str:
    """Encode a value; BadCheckpoint says what is wrong with it."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadCheckpoint(f"the checkpoint is not JSON: {error}") from error
    if len(text) > SIZE_MAX:
        raise BadCheckpoint(f"the checkpoint has {len(text):,} bytes of JSON, {SIZE_MAX:,} are allowed")
    return text


def save(
    connection: sqlite3.Connection, item_id: int, stage_id: int, *, fence: int, epoch: int, value: str, now: int
) -> None:
    """Keep an encoded value; Superseded when the attempt with this fence does not hold the row any more."""
    values = {"item": item_id, "stage": stage_id, "fence": fence, "epoch": epoch, "value": value, "now": now}
    if not connection.execute(_SQL.save, values).rowcount:
        raise Superseded


def load(connection: sqlite3.Connection, stage_id: int, items: Collection[int]) -> dict[int, Any]:
    """What earlier attempts saved of these items at a stage, by item."""
    if not connection.execute(_SQL.any).fetchone()[0]:
        return {}
    values = {"stage": stage_id, "items": json.dumps(list(items))}
    return {item_id: json.loads(value) for item_id, value in connection.execute(_SQL.load, values)}


def prune(connection: sqlite3.Connection, n: int) -> int:
    """Delete values of stages that are done; returns how many, at most `n`."""
    return connection.execute(_SQL.prune, {"n": n}).rowcount
