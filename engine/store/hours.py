"""How jobs stood and what they did, hour by hour: what sparklines draw and a look back shows."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.history import HourView
from engine.rules.rollup import hour
from engine.store.sql import queries

_SQL = queries("hours")

KEPT_MS: Final = 30 * 86_400_000


def note(connection: sqlite3.Connection, now: int) -> None:
    """Keep how every job stands, as the last word on this hour."""
    connection.execute(_SQL.note, {"hour": hour(now)})


def prune(connection: sqlite3.Connection, now: int) -> int:
    """Delete hours beyond their keeping time; returns how many rows."""
    return connection.execute(_SQL.prune, {"at": now - KEPT_MS}).rowcount


def read(connection: sqlite3.Connection, since: int) -> Mapping[str, list[HourView]]:
    """Return the hours of each job by its name, from the hour of `since` (ms UTC) on, oldest first.

    An hour in which no engine ran has no row; in one that an older Rivus has left, nothing is known of the counts.
    """
    values = {"since": hour(since)}
    found: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
    for job, at, n in connection.execute(_SQL.settled, values):
        found[job, at]["settled"] = n
    for job, at, usd_micros in connection.execute(_SQL.spent, values):
        found[job, at]["usd_micros"] = usd_micros
    for job, at, state, ready, running, later, done, failed, waiting in connection.execute(_SQL.stood, values):
        found[job, at] |= {
            "state": state, "ready": ready, "running": running, "later": later, "done": done, "failed": failed,
            "waiting": waiting,
        }  # fmt: skip
    hours: dict[str, list[HourView]] = defaultdict(list)
    for (job, at), known in sorted(found.items()):
        hours[job].append(HourView(hour=at, **known))
    return hours
