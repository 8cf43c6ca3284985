"""What the guards of a job look at: its counts, what was started of it, and whether a person has set a guard aside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

from engine.store import jobs
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("guards")

LIMIT: Final = "limit"


def counts(connection: sqlite3.Connection, job_id: int) -> dict[str, int]:
    """Items of a job by state."""
    return {state: n for state, n in connection.execute(_SQL.counts, (job_id,)) if n}


def pending(connection: sqlite3.Connection, job_id: int) -> int:
    """How many items of a job are pending."""
    return int(connection.execute(_SQL.pending, (job_id,)).fetchone()[0])


def aside_until(connection: sqlite3.Connection, job_id: int, guard: str, now: int) -> int | None:
    """Until when (ms UTC) a person has set a guard aside."""
    row = connection.execute(_SQL.aside_until, {"job": job_id, "guard": guard, "now": now}).fetchone()
    return None if row is None else int(row[0])


def count_started(connection: sqlite3.Connection, started: Iterable[tuple[str, int]]) -> None:
    """Count items of jobs (by name) that were claimed at their first stage."""
    connection.executemany(_SQL.started, [{"job": job, "n": n} for job, n in started])


def pause_at_limit(connection: sqlite3.Connection, plan: Plan, job: JobPlan, now: int) -> bool:
    """Pause a job that has started all that its limit allows, once what it has started is through; True if it was."""
    behind = [number for number in job.stages if plan.stages[number].before]
    n = job.spec.limit
    values = {"job": job.id, "limit": n, "stages": json.dumps(job.stages), "behind": json.dumps(behind)}
    if n is None or not connection.execute(_SQL.is_through, values).fetchone()[0]:
        return False
    why = f"its limit of {n:,} {'item' if n == 1 else 'items'} is reached; resumed, it starts as many again"
    return jobs.pause(connection, job.id, by="guard", guard=LIMIT, why=why, now=now)
