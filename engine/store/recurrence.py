"""Items that come back: when each is due again, stored when it ends, and back to the queue when its time has come."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.contracts.states import ItemState
from engine.contracts.steering import RecurSpec
from engine.rules.recurrence import next_due, of_item
from engine.store import retention, settle
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("recurrence")

DAY_MS: Final = 86_400_000
"""A clock that is set back by less is waited for."""

ENDED: tuple[ItemState, ...] = ("done", "skipped", "failed")
"""A failed one comes back too: one bad day must not end a daily job. Its failure stays visible until then."""


def note(
    connection: sqlite3.Connection, plan: Plan, moved: Iterable[tuple[int, int, ItemState, str | None, int]]
) -> None:
    """Items (number, job, state, closed, since when) have changed their state: store when the recurring come back."""
    zone = ZoneInfo(plan.timezone)
    for item_id, job_id, state, closed, at in moved:
        if not plan.has_job(job_id) or plan.job_of(job_id).spec.recur is None:
            continue
        ended = state in ENDED and closed is None
        recur = _of(connection, plan, job_id, item_id) if ended else None
        values = {"id": item_id, "at": at, "completed": state == "done" and ended}
        connection.execute(_SQL.finished, {**values, "next_due_at": next_due(recur, at, zone) if recur else None})


def renew(connection: sqlite3.Connection, plan: Plan, job_id: int, items: Collection[int]) -> None:
    """Store anew when these items of one job come back: its configuration has changed."""
    ids = json.dumps(list(items))
    zone = ZoneInfo(plan.timezone)
    if plan.job_of(job_id).spec.recur is None:
        connection.execute(_SQL.forget, (ids,))
        return
    for item_id, _, state, at in connection.execute(_SQL.ended, (ids,)).fetchall():
        recur = _of(connection, plan, job_id, item_id)
        values = {"id": item_id, "at": at, "completed": state == "done"}
        connection.execute(_SQL.finished, {**values, "next_due_at": next_due(recur, at, zone) if recur else None})


def _of(connection: sqlite3.Connection, plan: Plan, job_id: int, item_id: int) -> RecurSpec | None:
    """When an item comes back: by its job's rule, or by its own word where that lets it have one."""
    recur = plan.job_of(job_id).spec.recur if plan.has_job(job_id) else None
    if recur is None or recur.by is None:
        return recur
    told: dict[str, Any] = {}
    for text in connection.execute(_SQL.told, (item_id,)).fetchone():
        try:
            told |= json.loads(text)
        except (TypeError, ValueError):
            continue  # damaged: the rule of its job holds
    return of_item(recur, told)


def bring_back(connection: sqlite3.Connection, plan: Plan, now: int) -> int:
    """Let items run again whose time has come, once each, however many times have passed; returns how many."""
    due = [row for row in connection.execute(_SQL.due, (now,)) if plan.has_job(row[1])]
    events = []
    for item_id, job_id in due:
        connection.execute(_SQL.reset_stages, {"item": item_id})
        retention.trim(connection, item_id)
        recur = _of(connection, plan, job_id, item_id)
        events.append(Event(kind="item.due", job_id=job_id, item_id=item_id, text=str(recur) if recur else None))
    ids = [row[0] for row in due]
    connection.execute(_SQL.forget, (json.dumps(ids),))
    settle.settle(connection, plan, ids, now)
    record(connection, events, now)
    return len(due)


def next_time(connection: sqlite3.Connection) -> int | None:
    """When the next item comes back, ms UTC."""
    at: int | None = connection.execute(_SQL.next_due).fetchone()[0]
    return at


def set_back(connection: sqlite3.Connection, plan: Plan, by_ms: int, now: int) -> None:
    """The wall clock was far ahead, by so much, and is right again: nothing waits for the time that it showed.

    A recurring item keeps its next turn where that can be one of the next two: it may have had the first of them.
    """
    zone = ZoneInfo(plan.timezone)
    for query in (_SQL.later_sooner, _SQL.slowed_sooner, _SQL.jobs_sooner, _SQL.stages_sooner, _SQL.quotas_sooner):
        connection.execute(query, {"by": by_ms, "now": now})
    for item_id, job_id in connection.execute(_SQL.coming, (now,)).fetchall():
        recur = _of(connection, plan, job_id, item_id)
        if recur is not None:
            second = next_due(recur, next_due(recur, now, zone), zone)
            connection.execute(_SQL.due_by, {"id": item_id, "by": second})
    text = f"the clock was set back by {by_ms / DAY_MS:,.1f} days; what waited for the time that it showed comes sooner"
    record(connection, [Event(kind="clock.set", level="warning", text=text)], now)
