"""Money: booked in the transaction that stores the result it bought, and guarded by the day."""

from __future__ import annotations

import sqlite3
from zoneinfo import ZoneInfo

from engine.contracts.spec import ProjectSpec
from engine.rules.budget import day_bounds, dollars, quarter, tripped
from engine.store import jobs
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("spend")

DAILY_COST = "daily_cost"


def book(connection: sqlite3.Connection, job_id: int, usd_micros: int, now: int) -> None:
    """Add what a job has spent."""
    connection.execute(_SQL.book, (quarter(now), job_id, usd_micros))


def since(connection: sqlite3.Connection, at: int) -> dict[int, int]:
    """Job number → micro-dollars spent since `at` (ms UTC)."""
    return dict(connection.execute(_SQL.since, (at,)))


def asked(connection: sqlite3.Connection, at: int) -> int:
    """Micro-dollars that people and the engine itself have spent on models since a time, on no job's account."""
    return int(connection.execute(_SQL.asked, (at,)).fetchone()[0])


def guard(connection: sqlite3.Connection, plan: Plan, project: ProjectSpec, now: int) -> set[int]:
    """Pause what has reached its daily limit until the next day begins; returns the numbers of the jobs paused now.

    The project's limit pauses every job that has spent anything today.
    """
    start, end = day_bounds(now, ZoneInfo(project.settings.timezone))
    spent = since(connection, start)
    if not spent:
        return set()
    aside = {row[0] for row in connection.execute(_SQL.overridden, (DAILY_COST, now))}
    total = sum(spent.values()) + asked(connection, start)
    whole = project.settings.daily_cost_usd_micros
    paused = set()
    for job in plan.jobs.values():
        if job.id in aside or job.id not in spent:
            continue
        why = None
        if tripped(spent[job.id], job.spec.daily_cost_usd_micros):
            why = _why("this job", spent[job.id], job.spec.daily_cost_usd_micros)
        elif tripped(total, whole):
            why = _why("all jobs", total, whole)
        if why and jobs.pause(connection, job.id, by="guard", guard=DAILY_COST, why=why, until=end, now=now):
            event = Event(kind="guard.tripped", level="warning", job_id=job.id, text=why, data={"until": end})
            record(connection, [event], now)
            paused.add(job.id)
    return paused


def _why(whose: str, spent: int, limit: int | None) -> str:
    return f"daily cost of {whose}: {dollars(spent)} of {dollars(limit or 0)} spent"


def set_aside(connection: sqlite3.Connection, job_id: int) -> None:
    """A person resumes a job: a guard that had paused it holds its tongue until it would have let it go."""
    row = connection.execute(_SQL.pause_of, (job_id,)).fetchone()
    if row is not None and row[0] is not None and row[1] is not None:
        connection.execute(_SQL.override, (job_id, row[0], row[1]))


def end_pauses(connection: sqlite3.Connection, now: int) -> int:
    """Let jobs go on whose pause has ended; returns how many."""
    due = [row[0] for row in connection.execute(_SQL.due, (now,))]
    for job_id in due:
        jobs.resume(connection, job_id, by="engine", now=now)
        if (breaker := connection.execute(_SQL.open_breaker, (job_id,)).fetchone()) is not None:
            # It opened while the job was paused for another reason: its canary lets the job go on, not the clock.
            why = f"{breaker[0]} failures at {breaker[1]}: its breaker is open"
            jobs.pause(connection, job_id, by="doctor", why=why, now=now)
    jobs.end_stage_pauses(connection, now)
    return len(due)


def next_end(connection: sqlite3.Connection) -> int | None:
    """When the next pause ends by itself, ms UTC."""
    at: int | None = connection.execute(_SQL.next_due).fetchone()[0]
    return at
