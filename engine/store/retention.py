"""Finished items beyond the keeping time of their job: they go with all that belongs to them.

Of one that runs again and again, as a recurring one does for years, the newest traces of earlier runs are kept.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Final

from engine.store.events import Event, record
from engine.store.sql import queries

_SQL = queries("retention")

BATCH: Final = 500
"""Items that one transaction deletes at most."""
TRACES_KEPT: Final = 200
"""Failed attempts, and replaced results, that one item leaves when it runs again."""
# Results leave a trace in the history as they go, so the history goes after them; rows go before their items.
_BELONGINGS: Final = (
    *(
        _SQL.live,
        _SQL.turns,
        _SQL.conversations,
        _SQL.ballots,
        _SQL.juries,
        _SQL.checkpoints,
        _SQL.results,
        _SQL.attempts,
        _SQL.provenance,
        _SQL.needs,
        _SQL.incidents,
    ),
    *(_SQL.history, _SQL.stages, _SQL.items),
)


def prune(connection: sqlite3.Connection, job_id: int, before: int, now: int) -> int:
    """Delete one batch of finished items that nothing has changed or seen since `before` (ms UTC); returns how many."""
    found = [row[0] for row in connection.execute(_SQL.over, {"job": job_id, "before": before, "n": BATCH})]
    if not found:
        return 0
    ids = json.dumps(found)
    for query in _BELONGINGS:
        connection.execute(query, (ids,))
    text = f"{len(found)} finished items are beyond their keeping time"
    record(connection, [Event(kind="items.pruned", job_id=job_id, text=text)], now)
    return len(found)


def trim(connection: sqlite3.Connection, item_id: int) -> None:
    """All of an item runs again: keep so much of what it has left behind."""
    for query in (_SQL.trim_attempts, _SQL.trim_history):
        connection.execute(query, {"item": item_id, "kept": TRACES_KEPT})


def known(connection: sqlite3.Connection, items: Collection[int]) -> set[int]:
    """Which of these items there are."""
    return {row[0] for row in connection.execute(_SQL.known, (json.dumps(list(items)),))}
