"""Quotas and aliases as rows: one record of truth for each backend and mode, across restarts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.store.sql import queries

_SQL = queries("quotas")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRow:
    """One quota as it stands; times are ms UTC."""

    name: str
    per_day: int | None
    used: int
    resets_at: int
    blocked_until: int
    failures: int
    broken_until: int
    why: str | None


def names(backend: str, mode: str, alias: str) -> tuple[str, str, str]:
    """Names of the quotas that a call takes from."""
    return backend, f"{backend}/{mode}", f"model:{alias}"


def sync(connection: sqlite3.Connection, project: ProjectSpec, missing: Mapping[str, str | None]) -> None:
    """Write quotas and aliases as configured; `missing`: why an alias cannot be asked at all."""
    connection.execute(_SQL.forget_quotas)
    lanes = [lane for model in project.models for lane in model.lanes]
    for backend in project.backends:
        pace = str(backend.pace) if backend.pace else None
        _put(connection, backend.name, backend.per_day, backend.concurrency, pace)
        for mode in dict.fromkeys((*backend.modes, *(mode for name, mode in lanes if name == backend.name))):
            spec = backend.modes.get(mode)
            pace = str(spec.pace) if spec and spec.pace else None
            limits = (spec.per_day, spec.concurrency) if spec else (None, None)
            _put(connection, f"{backend.name}/{mode}", *limits, pace)
    _sync_budgets(connection, project)
    connection.execute(_SQL.clear_models)
    for position, model in enumerate(project.models):
        _put(connection, f"model:{model.name}", model.per_day, None, None)
        told = json.dumps(["/".join(lane) for lane in model.lanes])
        values = {"name": model.name, "position": position, "lanes": told, "missing": missing.get(model.name)}
        connection.execute(_SQL.put_model, values)


def _sync_budgets(connection: sqlite3.Connection, project: ProjectSpec) -> None:
    connection.execute(_SQL.clear_budgets)
    limits: list[tuple[str | None, int | None]] = [(None, project.settings.daily_cost_usd_micros)]
    limits += [(job.name, job.daily_cost_usd_micros) for job in project.jobs]
    for job, usd_micros in limits:
        if usd_micros is not None:
            values = {"job": job, "usd_micros": usd_micros, "timezone": project.settings.timezone}
            connection.execute(_SQL.put_budget, values)


def _put(
    connection: sqlite3.Connection, name: str, per_day: int | None, concurrency: int | None, pace: str | None
) -> None:
    values = {"name": name, "per_day": per_day, "concurrency": concurrency, "pace": pace}
    connection.execute(_SQL.put_quota, values)


def rows(connection: sqlite3.Connection) -> dict[str, QuotaRow]:
    """Every configured quota by name."""
    return {
        name: QuotaRow(
            name=name,
            per_day=per_day,
            used=used,
            resets_at=resets_at,
            blocked_until=blocked_until,
            failures=failures,
            broken_until=broken_until,
            why=why,
        )
        for name, per_day, used, resets_at, blocked_until, failures, broken_until, why in connection.execute(
            _SQL.all_quotas
        )
    }


def used_up(connection: sqlite3.Connection, names: Sequence[str], now: int) -> tuple[str, int] | None:
    """The first quota that is used up, as (why, when it starts anew); None when all have room."""
    for name in names:
        row = connection.execute(_SQL.quota, (name,)).fetchone()
        if row is not None and row[0] is not None and row[2] > now and row[1] >= row[0]:
            return f"quota of {name}: {row[1]} of {row[0]} used today", row[2]
    return None


def take(connection: sqlite3.Connection, names: Iterable[str], now: int, resets_at: int) -> None:
    """One more of each; `resets_at`: when a day that begins now ends."""
    values = [{"name": name, "now": now, "resets_at": resets_at} for name in names]
    connection.executemany(_SQL.take, values)


def give_back(connection: sqlite3.Connection, names: Iterable[str], now: int) -> None:
    """A request was not sent after all."""
    connection.executemany(_SQL.give_back, [(name, now) for name in names])


def mark(
    connection: sqlite3.Connection,
    name: str,
    *,
    failures: int,
    broken_until: int,
    blocked_until: int = 0,
    why: str | None = None,
) -> None:
    """How a backend's mode fares."""
    values = {"name": name, "failures": failures, "broken_until": broken_until, "blocked_until": blocked_until}
    connection.execute(_SQL.mark, {**values, "why": why})


def hold(connection: sqlite3.Connection, alias: str, why: str | None, until: int | None) -> None:
    """What keeps an alias from being asked now; None: nothing."""
    connection.execute(_SQL.hold, {"name": alias, "hold": why, "until": until})
