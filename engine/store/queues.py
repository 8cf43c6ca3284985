"""Queues as they stand, for the weights by which they share what is scarce."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from engine.rules.scheduler import Waiting, Weight, weigh
from engine.store.sql import queries

_SQL = queries("queues")


def weight(connection: sqlite3.Connection, stage_id: int, now: int) -> Weight:
    """The weight of one queue; four looks at indexes, whatever its length."""
    head = connection.execute(_SQL.head, (stage_id,)).fetchone() or (None, None, 0)
    ready = connection.execute(_SQL.ready, (stage_id,)).fetchone()
    quota = connection.execute(_SQL.quota, {"stage": stage_id, "now": now}).fetchone() or (None, None)
    waiting = Waiting(
        ready=ready[0] if ready else 0,
        due_at=head[0],
        priority=head[1],
        answered=bool(head[2]),
        quota_left=quota[0],
        quota_resets_at=quota[1],
        advised=connection.execute(_SQL.advice, {"stage": stage_id, "now": now}).fetchone(),
    )
    return weigh(waiting, now)


def weights(connection: sqlite3.Connection, stages: Collection[int], now: int) -> dict[int, float]:
    """Stage → weight."""
    return {stage: weight(connection, stage, now).value for stage in stages}
