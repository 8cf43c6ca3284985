"""What attempts tell while they run: progress and log lines, written in one go for all, once a second at most."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from engine.contracts.values import dataclass
from engine.store.sql import queries

_SQL = queries("live")

ATTEMPTS_KEPT: Final = 5
"""Attempts of one item at one stage whose log is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one attempt has told so far."""

    item_id: int
    stage_id: int
    fence: int
    done: int | None
    total: int | None
    text: str | None
    lines: str | None
    """JSON list of [at, level, text]; None: it logged nothing."""


def store(connection: sqlite3.Connection, told: Collection[Told], now: int) -> None:
    """Keep what attempts have told; of those that are over for long it forgets."""
    for one in told:
        values = {"item": one.item_id, "stage": one.stage_id, "fence": one.fence, "now": now}
        more = {"done": one.done, "total": one.total, "text": one.text, "lines": one.lines}
        connection.execute(_SQL.store, {**values, **more})
        connection.execute(_SQL.forget, {**values, "kept": ATTEMPTS_KEPT})


def prune(connection: sqlite3.Connection, at: int, n: int) -> int:
    """Delete what was told before `at`, at most `n`; returns how many."""
    return connection.execute(_SQL.prune, {"at": at, "n": n}).rowcount
