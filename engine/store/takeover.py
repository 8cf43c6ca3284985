"""Taking a state file over: the first transaction of an engine, and the one that brings a new configuration."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.chaos import point
from engine.rules.code.fingerprint import Fingerprint
from engine.store import (
    claims,
    conversations,
    facts,
    holds,
    hours,
    incidents,
    items,
    jobs,
    model_calls,
    outlays,
    recurrence,
    runs,
    spend,
    stale,
    versions,
)
from engine.store import limits as store_limits
from engine.store.events import Event, last_at, record
from engine.store.jobs import JobRow
from engine.store.plan import Plan

Prints: TypeAlias = Mapping[tuple[str, str], Fingerprint]
"""(Job, stage) → fingerprint of the code that new attempts run."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first transaction of an engine gives."""

    epoch: int
    plan: Plan
    jobs: Sequence[JobRow]
    next_runs: Mapping[str, int | None]
    heads: Mapping[str, str | None]
    """Where HEAD of each repository was."""
    next_later: int | None
    buckets: Mapping[str, float]
    slowed: Mapping[str, int]
    """What was asked to go slower, and until when."""


def begin(connection: sqlite3.Connection, project: ProjectSpec, now: int, prints: Prints | None = None) -> Begun:
    """The first transaction: this start's epoch, the jobs as configured, and nothing left running by the dead."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        epoch = jobs.begin_epoch(connection)
        for source in ("configuration", "disk"):
            jobs.tell_problem(connection, source, None, now)
        holds.clear(connection)
        plan, changed = jobs.sync(connection, project.jobs, now, timezone=project.settings.timezone)
        plan = _take_versions(connection, plan, prints, now)
        reclaimed = claims.reclaim(connection, plan, epoch, now)
        cut = runs.cut_dead(connection, now)
        lost = model_calls.lose(connection, epoch, now) + outlays.lose(connection, epoch, now)
        conversations.doubt(connection, now)
        _reconcile(connection, plan, changed, now)
        if (back := last_at(connection) - now) > recurrence.DAY_MS:
            recurrence.set_back(connection, plan, back, now)
        next_later = claims.wake(connection, plan, now)
        facts.follow(connection, plan, now)
        if lost:
            spend.guard(connection, plan, project, now)
        rows = jobs.rows(connection)
        heads = jobs.heads(connection)
        store_limits.sync_resources(connection, project.resources)
        stored = store_limits.buckets(connection)
        slowed = incidents.slowed(connection, now)
        incidents.keep_bell(connection, project.settings.doctor.bell)
        text = f"engine started; {reclaimed} interrupted stages back in the queue" if reclaimed else "engine started"
        record(connection, [Event(kind="engine.started", text=text, data={"epoch": epoch, "cut": cut})], now)
        point("start.commits")
        connection.execute("COMMIT")
        point("start.committed")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return Begun(
        epoch=epoch,
        plan=plan,
        jobs=rows,
        next_runs={row.name: row.next_run_at for row in rows},
        heads=heads,
        next_later=next_later,
        buckets=stored,
        slowed=slowed,
    )


def reconfigure(
    connection: sqlite3.Connection,
    now: int,
    *,
    project: ProjectSpec,
    lines: list[str],
    prints: Prints | None = None,
) -> tuple[Plan, list[JobRow]]:
    """Make jobs, stages and items what the new configuration says; returns its plan and the rows of jobs."""
    plan, changed = jobs.sync(connection, project.jobs, now, timezone=project.settings.timezone)
    plan = _take_versions(connection, plan, prints, now)
    _reconcile(connection, plan, changed, now)
    facts.follow(connection, plan, now)
    store_limits.sync_resources(connection, project.resources)
    incidents.keep_bell(connection, project.settings.doctor.bell)
    text = f"{len(lines)} changes" if len(lines) != 1 else lines[0]
    record(connection, [Event(kind="config.reloaded", text=text, data={"changes": lines})], now)
    return plan, jobs.rows(connection)


def _take_versions(connection: sqlite3.Connection, plan: Plan, prints: Prints | None, now: int) -> Plan:
    """Note the code that new attempts run, and judge what that means for what older code made."""
    if prints is None:
        return versions.as_stored(connection, plan)
    plan = versions.sync(connection, plan, prints, now)
    stale.judge_by_rules(connection, plan, now)
    return plan


def record_stop(connection: sqlite3.Connection, now: int) -> None:
    """The last event of an engine, and how it leaves the jobs."""
    record(connection, [Event(kind="engine.stopped", text="engine stopped")], now)
    hours.note(connection, now)


def _reconcile(connection: sqlite3.Connection, plan: Plan, changed: set[int], now: int) -> None:
    for job in plan.jobs.values():
        if job.id in changed:
            items.reconcile(connection, plan, job, now)
