"""Stale results as screens and the command line show them: read from what is counted, never from the results."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import TypedDict

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
                **_downstream(connection, job_id, stage, results),
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
                **_downstream(connection, job_id, stage, results),
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


def judged_changes(connection: sqlite3.Connection, judgement: int) -> tuple[SymbolChange, ...]:
    """Return what differs between the versions that a judgement is about; nothing where there is no such one."""
    pair = versions.judged_pair(connection, judgement)
    if pair is None:
        return ()
    sides = (versions.fingerprint_of(connection, number) for number in (pair.old, pair.new))
    return _changes(compare(*sides))


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


class _Along(TypedDict):
    downstream: tuple[tuple[str, int], ...]
    downstream_ms: int
    downstream_usd_micros: int


def _downstream(connection: sqlite3.Connection, job: int, stage: str, results: int) -> _Along:
    """Return what a reset takes along, and what that takes."""
    found = connection.execute(_SQL.stages_of_job, (job,)).fetchall()
    after: dict[str, list[str]] = {name: json.loads(before) for _, name, before, _ in found}
    along = [(number, name, min(results, n)) for number, name, _, n in found if _depends(name, stage, after)]
    prices = [(n, *price(connection, number)) for number, _, n in along]
    return {
        "downstream": tuple((name, n) for _, name, n in along),
        "downstream_ms": sum(n * ms for n, ms, _ in prices),
        "downstream_usd_micros": sum(n * micros for n, _, micros in prices),
    }


def _depends(name: str, on: str, after: Mapping[str, list[str]]) -> bool:
    return any(before == on or _depends(before, on, after) for before in after.get(name, ()))
