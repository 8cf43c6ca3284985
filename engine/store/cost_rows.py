"""Rows of models and money as values for screens: from the sums, so that they cost the same at any number of items."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from engine.contracts.costs import (
    CALLS_READ,
    BudgetView,
    CallView,
    ConversationView,
    CostsView,
    CostView,
    ModelsView,
    ModelWaitView,
    QuotaView,
)
from engine.rules.budget import day_bounds, forecast, local_day
from engine.store.sql import queries

_SQL = queries("costs")

_NOTHING = (0,) * 8
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_ITEMS = 200


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
        ledger = _calls(connection, since, CALLS_READ)
        begins, ends = local_day(now)
        today = _spent_since(connection, begins)
        last_day = _spent_since(connection, now - _DAY_MS)
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
        jobs=_looked_at(_dearest(jobs), ledger, lambda call: call.job),
        models=_looked_at(_dearest(by_model), ledger, lambda call: call.model),
        purposes=_looked_at(_dearest(by_purpose), ledger, lambda call: call.purpose),
        items=_items(ledger),
        today_usd_micros=today,
        forecast_usd_micros=forecast(today, last_day, ends - now),
        stages=_dearest(by_stage),
        days=_days(quarters, spent),
        quarters=tuple(sorted((at, usd_micros) for at, usd_micros in spent.items() if usd_micros)),
        budgets=limits,
    )


def calls(connection: sqlite3.Connection, since: int, limit: int) -> list[CallView]:
    """The newest requests that have ended since a time."""
    return _calls(connection, since, limit)


def _calls(connection: sqlite3.Connection, since: int, limit: int) -> list[CallView]:
    return [
        CallView(
            ended_at=at, job=job, key=key, model=model, purpose=purpose, state=state, ms=max(ms, 0),
            usd_micros=usd_micros, is_estimate=bool(is_estimate), tokens_in=tokens_in, tokens_out=tokens_out,
            error=error, stage=stage,
        )
        for at, job, key, model, purpose, state, ms, usd_micros, is_estimate, tokens_in, tokens_out, error, stage
        in connection.execute(_SQL.calls, {"since": since, "limit": limit})
    ]  # fmt: skip


def _spent_since(connection: sqlite3.Connection, since: int) -> int:
    """What was spent since a time by jobs, and by what was asked on no job's account."""
    queries = (_SQL.spent_by_job, _SQL.asked_by_quarter)
    return sum(usd_micros for query in queries for _, usd_micros in connection.execute(query, (since,)))


def _looked_at(
    rows: tuple[CostView, ...], ledger: Iterable[CallView], group: Callable[[CallView], str]
) -> tuple[CostView, ...]:
    """Sums with what only the requests one by one tell."""
    found: dict[str, list[CallView]] = defaultdict(list)
    for call in ledger:
        found[group(call)].append(call)
    return tuple(replace(row, **_seen(found[row.name])) if row.name in found else row for row in rows)


def _seen(calls: list[CallView]) -> dict[str, Any]:
    took = sorted(call.ms for call in calls)
    return {
        "p95_ms": took[min(len(took) * 19 // 20, len(took) - 1)],
        "failed_usd_micros": sum(call.usd_micros for call in calls if call.state != "settled"),
        "unpriced": sum(call.is_estimate for call in calls),
    }


def _items(ledger: Iterable[CallView]) -> tuple[CostView, ...]:
    """What single items cost, the dearest first."""
    found: dict[str, list[CallView]] = defaultdict(list)
    for call in ledger:
        if call.key is not None:
            found[f"{call.job}/{call.key}"].append(call)
    rows: dict[str, tuple[int, ...]] = {
        name: (
            len(of), 0, sum(call.state != "settled" for call in of), sum(call.tokens_in for call in of),
            sum(call.tokens_out for call in of), sum(call.usd_micros for call in of), 0, sum(call.ms for call in of),
        )
        for name, of in found.items()
    }  # fmt: skip
    return tuple(replace(row, **_seen(found[row.name])) for row in _dearest(rows)[:_ITEMS])


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
