"""How the jobs are, for the check that looks after them."""

from __future__ import annotations

import sqlite3
from itertools import takewhile

from engine.contracts.health import JobHealth
from engine.rules.order import slack_ms
from engine.store.sql import queries

_SQL = queries("health")


def health(connection: sqlite3.Connection) -> list[JobHealth]:
    """Every configured job with its facts, in the order written."""
    found: list[JobHealth] = []
    for row in connection.execute(_SQL.jobs).fetchall():
        job_id, name, state, why, guard, paused_at, failed, running_since = row
        ready = [due_at - slack_ms(priority) for due_at, priority in connection.execute(_SQL.ready, (job_id,))]
        runs = connection.execute(_SQL.runs, (job_id,)).fetchall()
        failures = list(takewhile(lambda run: run[0] == "failed", runs))
        stale, since = connection.execute(_SQL.stale, (job_id,)).fetchone()
        found.append(
            JobHealth(
                job=name,
                state=state,
                why=why,
                guard=guard,
                paused_at=paused_at,
                failed=failed,
                running_since=running_since,
                ready_since=min(ready, default=None),
                failed_runs=len(failures),
                run_error=failures[0][1] if failures else None,
                stale=stale,
                stale_since=since if stale else None,
                flapping=tuple(connection.execute(_SQL.flapping, (job_id,)).fetchall()),
            )
        )
    return found
