"""Stale results as screens and the command line show them: read from what is counted, never from the results."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from engine.contracts.staleness import BlessingView, StaleView, SymbolChange
from engine.rules.code.compare import Comparison, compare
from engine.store import versions
from engine.store.forecasts import price
from engine.store.sql import queries

_SQL = queries("stale_views")


def stale(connection: sqlite3.Connection) -> list[StaleView]:
    """Return what is stale, most results first, and then what nobody knows the code of."""
    views = []
    for job, stage, internal, old, new, results, old_id, new_id, stage_id, job_id, judgement in connection.execute(
        _SQL.stale
    ).fetchall():
        answer = compare(versions.fingerprint_of(connection, old_id), versions.fingerprint_of(connection, new_id))
        said = connection.execute(_SQL.judgement, (judgement,)).fetchone() if judgement is not None else None
        _, by, why, confidence, cost, at = said or (None, None, answer.reason, None, 0, None)
        item_ms, item_cost = price(connection, stage_id)
        views.append(
            StaleView(
                job=job,
                stage=stage,
                internal=bool(internal),
                old=old,
                new=new,
                results=results,
                verdict="semantic",
                by=by,
                why=why,
                confidence=confidence,
                cost_usd_micros=cost,
                judgement=judgement,
                at=at,
                changes=_changes(answer),
                doubts=answer.doubts,
                item_ms=item_ms,
                item_usd_micros=item_cost,
                downstream=_downstream(connection, job_id, stage, results),
            )
        )
    return views + _unknown(connection)


def _unknown(connection: sqlite3.Connection) -> list[StaleView]:
    views = []
    for job, stage, internal, new, results, stage_id, job_id in connection.execute(_SQL.unknown).fetchall():
        item_ms, item_cost = price(connection, stage_id)
        views.append(
            StaleView(
                job=job,
                stage=stage,
                internal=bool(internal),
                old=None,
                new=new,
                results=results,
                verdict="unknown",
                by=None,
                why="nobody knows which code made them: there is no source to compare with",
                confidence=None,
                cost_usd_micros=0,
                judgement=None,
                at=None,
                changes=(),
                doubts=(),
                item_ms=item_ms,
                item_usd_micros=item_cost,
                downstream=_downstream(connection, job_id, stage, results),
            )
        )
    return views


def blessings(connection: sqlite3.Connection, since: int, limit: int = 200) -> list[BlessingView]:
    """Return what was made the same since a time (ms UTC), newest first."""
    return [
        BlessingView(
            judgement=number,
            job=job,
            stage=stage,
            internal=bool(internal),
            old=old,
            new=new,
            verdict=verdict,
            by=by,
            why=why,
            results=results,
            at=at,
        )
        for number, job, stage, internal, old, new, verdict, by, why, results, at in connection.execute(
            _SQL.blessings, {"since": since, "limit": limit}
        )
    ]


def _changes(answer: Comparison) -> tuple[SymbolChange, ...]:
    found = sorted(answer.changes, key=lambda change: change.is_cosmetic)
    return tuple(
        SymbolChange(
            name=change.name,
            place=change.new.place if change.new else change.old.place if change.old else "",
            old=change.old.source if change.old else None,
            new=change.new.source if change.new else None,
            is_cosmetic=change.is_cosmetic,
        )
        for change in found
    )


def _downstream(connection: sqlite3.Connection, job: int, stage: str, results: int) -> tuple[tuple[str, int], ...]:
    done: dict[str, int] = {}
    after: dict[str, list[str]] = {}
    for name, before, n in connection.execute(_SQL.stages_of_job, (job,)):
        done[name], after[name] = n, json.loads(before)
    return tuple((name, min(results, done[name])) for name in done if _depends(name, stage, after))


def _depends(name: str, on: str, after: Mapping[str, list[str]]) -> bool:
    return any(before == on or _depends(before, on, after) for before in after.get(name, ()))
