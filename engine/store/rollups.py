"""How attempts ended, by hour, job and stage: written a group at a time, read by reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from engine.rules.rollup import bucket, hour
from engine.store.sql import queries

_SQL = queries("rollups")

KEPT_MS: Final = 400 * 86_400_000
OUTCOMES: Final = {
    "finish": "done",
    "skip": "skipped",
    "ask": "asked",
    "fail": "failed",
    "retry_later": "retried",
    "postpone": "postponed",
}
"""Transition out of `running` → the outcome that it counts as; what is released at a shutdown has not ended."""


def note(connection: sqlite3.Connection, ended: Mapping[tuple[int, int, str, int, int], int], now: int) -> None:
    """Add attempts that ended in this transaction: (job, stage, transition, ms, micro-dollars) → how many."""
    sums: dict[tuple[int, int, str, int], list[int]] = {}
    for (job_id, stage_id, transition, ms, cost), n in ended.items():
        outcome = OUTCOMES.get(transition)
        if outcome is None:
            continue
        found = sums.setdefault((job_id, stage_id, outcome, bucket(ms)), [0, 0, 0])
        found[0] += n
        found[1] += n * ms
        found[2] += n * cost
    if sums:
        rows = json.dumps([[*key, *values] for key, values in sums.items()])
        connection.execute(_SQL.add, {"hour": hour(now), "rows": rows})


def prune(connection: sqlite3.Connection, now: int) -> int:
    """Delete hours beyond their keeping time; returns how many rows."""
    return connection.execute(_SQL.prune, {"at": now - KEPT_MS}).rowcount
