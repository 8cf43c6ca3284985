"""Rows of models and money as values for screens: from the sums, so that they cost the same at any number of items."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from engine.contracts.costs import (
    BudgetView,
    ConversationView,
    CostsView,
    CostView,
    ModelsView,
    ModelWaitView,
    QuotaView,
)
from engine.rules.budget import day_bounds
from engine.store.sql import queries

_SQL = queries("costs")

_NOTHING = (0,) * 8
_HOUR_MS = 3_600_000


def costs(connection: sqlite3.Connection, since: int, now: int) -> CostsView:
    """Money and models since a time; one consistent look."""
    connection.execute("BEGIN")
    try:
        by_job, by_model, by_purpose = (
            _sums(connection, query, since) for query in (_SQL.by_job, _SQL.by_model, _SQL.by_purpose)
        )
        quarters = {at: row for at, *row in connection.execute(_SQL.by_quarter, (since,))}
        by_stage: dict[str, tuple[int, ...]] = {
            str(name): (n, 0, failed, 0, 0, usd_micros, 0, 0)
            for name, n, failed, usd_micros in connection.execute(_SQL.by_stage, (since - since % _HOUR_MS,))
        }
        spent_by_job = dict(connection.execute(_SQL.spent_by_job, (since,)))
        spent: dict[int, int] = defaultdict(int)
        for query in (_SQL.spent_by_quarter, _SQL.asked_by_quarter):
            for at, usd_micros in connection.execute(query, (since,)):
                spent[at] += usd_micros
        limits = tuple(budgets(connection, now))
    finally:
        connection.execute("COMMIT")
    jobs = dict(by_job)
    for name, usd_micros in spent_by_job.items():
        row = list(jobs.get(name, _NOTHING))
        row[5] = usd_micros
        jobs[name] = tuple(row)
    return CostsView(
        since=since,
        total=_view("total", _added(jobs.values())),
        jobs=_dearest(jobs),
        models=_dearest(by_model),
        purposes=_dearest(by_purpose),
        stages=_dearest(by_stage),
        days=_days(quarters, spent),
        quarters=tuple(sorted((at, usd_micros) for at, usd_micros in spent.items() if usd_micros)),
        budgets=limits,
    )


def _sums(connection: sqlite3.Connection, query: str, since: int) -> dict[str, tuple[int, ...]]:
    return {str(name): tuple(row) for name, *row in connection.execute(query, (since,))}


def _dearest(rows: dict[str, tuple[int, ...]]) -> tuple[CostView, ...]:
    views = [_view(name, row) for name, row in rows.items()]
    return tuple(sorted(views, key=lambda view: (-view.usd_micros, -view.calls, view.name)))


def _view(name: str, row: Iterable[int]) -> CostView:
    calls, cached, failed, tokens_in, tokens_out, usd_micros, saved, ms = row
    return CostView(
        name=name,
        calls=calls,
        cached=cached,
        failed=failed,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        usd_micros=usd_micros,
        saved_usd_micros=saved,
        mean_ms=round(ms / calls) if calls else None,
    )


def _added(rows: Iterable[Iterable[int]]) -> tuple[int, ...]:
    total = list(_NOTHING)
    for row in rows:
        total = [one + other for one, other in zip(total, row, strict=True)]
    return tuple(total)


def _days(quarters: dict[int, list[int]], spent: dict[int, int]) -> tuple[CostView, ...]:
    """Days as the machine's own time zone has them, the newest first."""
    days: dict[str, tuple[int, ...]] = {}
    for at in quarters.keys() | spent.keys():
        day = datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d")
        row = list(quarters.get(at, _NOTHING))
        row[5] = spent.get(at, 0)
        days[day] = _added((days.get(day, _NOTHING), row))
    return tuple(_view(day, days[day]) for day in sorted(days, reverse=True))


def budgets(connection: sqlite3.Connection, now: int) -> Iterator[BudgetView]:
    """Daily limits and what is used of them, that of all jobs together first."""
    reserved = dict(connection.execute(_SQL.reserved))
    for job_id, name, limit, timezone in connection.execute(_SQL.budgets).fetchall():
        start, end = day_bounds(now, ZoneInfo(timezone))
        by_job = dict(connection.execute(_SQL.spent_by_job, (start,)))
        asked = sum(usd for _, usd in connection.execute(_SQL.asked_by_quarter, (start,)))
        yield BudgetView(
            name=name,
            limit_usd_micros=limit,
            spent_usd_micros=by_job.get(name, 0) if job_id else sum(by_job.values()) + asked,
            reserved_usd_micros=reserved.get(job_id, 0) if job_id else sum(reserved.values()),
            resets_at=end,
        )


def models(connection: sqlite3.Connection, now: int) -> ModelsView:
    """The door to the models at this moment; one consistent look."""
    connection.execute("BEGIN")
    try:
        quotas = connection.execute(_SQL.quotas).fetchall()
        way = connection.execute(_SQL.on_their_way).fetchall()
        waits = connection.execute(_SQL.waits).fetchall()
        talks = connection.execute(_SQL.conversations).fetchall()
    finally:
        connection.execute("COMMIT")
    busy: dict[str, int] = defaultdict(int)
    for backend, mode, alias, n in way:
        for name in (backend, f"{backend}/{mode}", f"model:{alias}"):
            busy[name] += n
    return ModelsView(
        quotas=tuple(_quota(row, busy[row[0]], now) for row in quotas),
        waits=tuple(
            ModelWaitView(alias=alias, purpose=purpose, job=job, key=key, since=at, why=why, until=until)
            for alias, purpose, job, key, at, why, until in waits
        ),
        conversations=tuple(_conversation(row) for row in talks),
    )


def _quota(row: tuple[Any, ...], busy: int, now: int) -> QuotaView:
    name, per_day, concurrency, pace, used, resets_at, blocked_until, failures, broken_until, why = row
    used = used if resets_at > now else 0
    state: Literal["free", "busy", "used up", "blocked", "broken"] = "free"
    until: int | None = None
    told: str | None = None
    if per_day is not None and used >= per_day:
        state, until, told = "used up", resets_at, f"{used} of {per_day} used today"
    elif broken_until > now:
        state, until, told = "broken", broken_until, f"failed {failures} times in a row: {why}"
    elif blocked_until > now:
        state, until, told = "blocked", blocked_until, why
    elif concurrency is not None and busy >= concurrency:
        state, told = "busy", f"{busy} of {concurrency} places taken"
    return QuotaView(
        name=name,
        per_day=per_day,
        used=used,
        resets_at=resets_at if per_day is not None and resets_at > now else None,
        concurrency=concurrency,
        busy=busy,
        pace=pace,
        state=state,
        why=told,
        until=until,
    )


def _conversation(row: tuple[Any, ...]) -> ConversationView:
    name, job, key, alias, state, why, until, turns, usd_micros, updated_at = row
    return ConversationView(
        name=name,
        job=job,
        key=key,
        alias=alias,
        state=state,
        why=why,
        until=until,
        turns=turns,
        usd_micros=usd_micros,
        updated_at=updated_at,
    )
