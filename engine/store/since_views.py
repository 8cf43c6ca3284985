"""What happened since a time: from sums by the hour, the journal and what stands now, whatever the number of items."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Final

from engine.contracts.since import JobSince, SinceView
from engine.rules.rollup import hour
from engine.store.sql import queries

_SQL = queries("since_views")
_QUARTER_MS: Final = 900_000
"""Spending is summed by quarters of an hour."""


def read(connection: sqlite3.Connection, since: int) -> SinceView:
    """Return what happened since a time (ms UTC); one consistent look."""
    values = {"since": since, "hour": hour(since), "quarter": since - since % _QUARTER_MS}
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    connection.execute("BEGIN")
    try:
        for place, query in enumerate((_SQL.finished, _SQL.given_up, _SQL.spent, _SQL.found)):
            for job, n in connection.execute(query, values):
                sums[job][place] += n
        standing = dict(connection.execute(_SQL.standing))
        incidents = [row[0] for row in connection.execute(_SQL.incidents, values)]
        return SinceView(
            since=since,
            jobs=tuple(
                JobSince(job=job, finished=done, failed=failed, usd_micros=spent, new=new)
                for job, (done, failed, spent, new) in sorted(sums.items(), key=lambda one: -sum(one[1]))
                if done or failed or spent or new
            ),
            incidents=tuple(incidents[:5]),
            incidents_open=len(incidents),
            failed=standing.get("failed", 0),
            waiting=standing.get("waiting", 0),
            paused=dict(connection.execute(_SQL.paused)),
            deeds=dict(connection.execute(_SQL.deeds, values)),
        )
    finally:
        connection.execute("COMMIT")
