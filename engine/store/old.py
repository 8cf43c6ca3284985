"""What is old and consists of several tables: conversations, juries, closed incidents, versions of code, sums."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from engine.store.rollups import KEPT_MS as SUMS_KEPT_MS
from engine.store.sql import queries

_SQL = queries("old")

KEPT_MS: Final = 90 * 86_400_000
"""Of what single calls, failures and versions said; sums are kept as long as those of attempts."""
BATCH: Final = 200
"""Conversations, juries, incidents or versions that one transaction deletes at most: each has rows of its own."""
# What refers goes before what it refers to.
_KINDS: Final = (
    (_SQL.conversations, (_SQL.turns, _SQL.delete_conversations)),
    (_SQL.juries, (_SQL.ballots, _SQL.delete_juries)),
    (_SQL.incidents, (_SQL.incident_items, _SQL.actions, _SQL.delete_incidents)),
    (_SQL.versions, (_SQL.symbol_verdicts, _SQL.judgements, _SQL.version_symbols, _SQL.delete_versions)),
)


def prune(connection: sqlite3.Connection, now: int) -> int:
    """Delete one batch of each kind that is beyond its keeping time; returns how many."""
    deleted = 0
    for find, parts in _KINDS:
        found = [row[0] for row in connection.execute(find, {"at": now - KEPT_MS, "n": BATCH})]
        if found:
            ids = json.dumps(found)
            for query in parts:
                connection.execute(query, {"ids": ids} if ":ids" in query else (ids,))
            deleted += len(found)
    deleted += connection.execute(_SQL.symbols, {"n": BATCH}).rowcount
    for query in (_SQL.model_use, _SQL.spent):
        deleted += connection.execute(query, {"at": now - SUMS_KEPT_MS}).rowcount
    return deleted
