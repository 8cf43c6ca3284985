"""Versions of the stages' code: what each was made of, what each made, and which count as the same.

Two versions are the same where a judgement that holds says so, or a chain of them (`class_id` is kept for that). A
revoked judgement takes its chain apart again. How many results a version made is counted where results are stored, so
that the question what is stale never looks at results.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from engine.contracts.values import dataclass
from engine.rules.code.compare import Change, Comparison
from engine.rules.code.fingerprint import Fingerprint, SymbolPrint
from engine.store.plan import Plan, StagePlan
from engine.store.sql import queries

_SQL = queries("versions")
By = Literal["rule", "person", "cache", "canary", "model"]
NO_LIMIT: Final = -1


@dataclass(frozen=True, slots=True)
class Pair:
    """A version that made results, and the one that its stage runs now."""

    stage: int
    old: int
    new: int
    results: int


def as_stored(connection: sqlite3.Connection, plan: Plan) -> Plan:
    """Return the plan with the versions that the last engine noted; for one that starts no attempt."""
    current = dict(connection.execute(_SQL.current).fetchall())
    return replace(
        plan, stages={number: replace(stage, version=current.get(number)) for number, stage in plan.stages.items()}
    )


def sync(connection: sqlite3.Connection, plan: Plan, prints: Mapping[tuple[str, str], Fingerprint], now: int) -> Plan:
    """Store the versions that new attempts run, with their snapshots, and return the plan with them.

    `prints` has (job, stage) → fingerprint and (job, "") → that of its discovery; the version of a stage that is not in
    it is unknown.
    """
    stages: dict[int, StagePlan] = {}
    for number, stage in plan.stages.items():
        found = prints.get((stage.job, stage.spec.name))
        version = None if found is None else _version(connection, number, found, now)
        connection.execute(_SQL.set_current, {"stage": number, "version": version})
        stages[number] = replace(stage, version=version)
    for job in plan.jobs.values():
        discovery = prints.get((job.spec.name, ""))
        connection.execute(_SQL.set_code, {"job": job.id, "hash": discovery.version if discovery else None})
    return replace(plan, stages=stages)


def _version(connection: sqlite3.Connection, stage: int, found: Fingerprint, now: int) -> int:
    row = connection.execute(_SQL.version_of, {"stage": stage, "hash": found.version}).fetchone()
    if row is not None:
        return int(row[0])
    values = {"stage": stage, "hash": found.version, "doubts": json.dumps(found.doubts), "now": now}
    (version,) = connection.execute(_SQL.insert_version, values).fetchone()
    connection.execute(_SQL.found_class, (version,))
    for position, symbol in enumerate(found.symbols):
        (number,) = connection.execute(
            _SQL.store_symbol,
            {
                "name": symbol.name,
                "raw": symbol.raw,
                "norm": symbol.norm,
                "erased": symbol.erased,
                "source": symbol.source,
            },
        ).fetchone()
        connection.execute(
            _SQL.store_version_symbol,
            {"version": version, "position": position, "symbol": number, "place": symbol.place},
        )
    return int(version)


def fingerprint_of(connection: sqlite3.Connection, version: int) -> Fingerprint:
    """Return a version as its snapshot tells it."""
    _, digest, doubts, *_ = connection.execute(_SQL.version, (version,)).fetchone()
    symbols = tuple(
        SymbolPrint(name=name, place=place, raw=raw, norm=norm, erased=erased, source=source)
        for name, place, raw, norm, erased, source in connection.execute(_SQL.symbols_of, (version,))
    )
    return Fingerprint(version=digest, symbols=symbols, doubts=tuple(json.loads(doubts)))


def hash_of(connection: sqlite3.Connection, version: int) -> str:
    """Return the hash of a version."""
    return str(connection.execute(_SQL.version, (version,)).fetchone()[1])


def stale_pairs(connection: sqlite3.Connection) -> list[Pair]:
    """Return every version whose results are stale, the one with most of them first."""
    return [Pair(*row) for row in connection.execute(_SQL.stale_pairs)]


def verdict_on(connection: sqlite3.Connection, pair: Pair) -> tuple[int, str] | None:
    """Return (judgement, verdict) that holds for a pair; None when nobody has judged it."""
    row = connection.execute(_SQL.judged, {"stage": pair.stage, "old": pair.old, "new": pair.new}).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def cached(connection: sqlite3.Connection, answer: Comparison) -> tuple[str, str, list[int]] | None:
    """Return (verdict, why, what it rests on) where every change that means something was judged before; else None.

    What a person or a model said of the same change of a symbol holds for all stages; one `semantic` decides. What was
    said of several together holds for these together: two changes may be harmless only because of each other.
    """
    meaning = [change for change in answer.changes if not change.is_cosmetic]
    if len(meaning) > 1 and (row := _said_of(connection, meaning)) is not None:
        return row[0], f"these changes were judged together before ({row[2]}): {row[3]}", [row[1]]
    said: list[tuple[str, str]] = []
    rests_on: list[int] = []
    for change in meaning:
        row = _said_of(connection, [change])
        if row is None:
            return None
        said.append((row[0], f"{change.name} was judged before ({row[2]}): {row[3]}"))
        rests_on.append(row[1])
    if not said:
        return None
    verdict, why = next((found for found in said if found[0] == "semantic"), said[0])
    return verdict, why, rests_on


def _said_of(connection: sqlite3.Connection, changes: Sequence[Change]) -> tuple[str, int, str, str] | None:
    old, new = _together(changes)
    row = connection.execute(_SQL.symbol_verdict, {"old": old, "new": new}).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def _together(changes: Sequence[Change]) -> tuple[str, str]:
    """Return what a verdict about these changes is kept under; for one change, its own pair."""
    pairs = sorted(change.pair for change in changes)
    return "+".join(old for old, _ in pairs), "+".join(new for _, new in pairs)


def judge(
    connection: sqlite3.Connection,
    plan: Plan,
    pair: Pair,
    *,
    verdict: str,
    by: By,
    why: str,
    changes: Iterable[Change] = (),
    confidence: float | None = None,
    cost_usd_micros: int = 0,
    rests_on: Sequence[int] = (),
    now: int,
) -> int:
    """Record a judgement; versions that it makes the same are so from here on. Returns its number."""
    (number,) = connection.execute(
        _SQL.judge,
        {
            "stage": pair.stage,
            "old": pair.old,
            "new": pair.new,
            "verdict": verdict,
            "by": by,
            "why": why,
            "confidence": confidence,
            "cost": cost_usd_micros,
            "rests_on": json.dumps(list(rests_on)),
            "now": now,
        },
    ).fetchone()
    meaning = [change for change in changes if not change.is_cosmetic]
    if by in ("person", "model") and meaning:
        old, new = _together(meaning)
        kept = "semantic" if verdict == "semantic" else "cosmetic"
        connection.execute(_SQL.keep_symbol_verdict, {"old": old, "new": new, "judgement": number, "verdict": kept})
    _classify(connection, pair.stage)
    return int(number)


def revoke(connection: sqlite3.Connection, judgement: int, now: int) -> list[int]:
    """A judgement does not hold any more, nor what rests on it; returns those that do not, none if it did not hold."""
    row = connection.execute(_SQL.judgement, (judgement,)).fetchone()
    if row is None or row[5] is not None:
        return []
    rows = connection.execute(_SQL.revoke, {"id": judgement, "now": now}).fetchall()
    for stage in {stage for stage, _ in rows}:
        _classify(connection, stage)
    return [number for _, number in rows]


def restore(connection: sqlite3.Connection, judgements: Sequence[int]) -> None:
    """Revoked judgements hold again."""
    rows = connection.execute(_SQL.restore, (json.dumps(list(judgements)),)).fetchall()
    for stage in {stage for (stage,) in rows}:
        _classify(connection, stage)


def _classify(connection: sqlite3.Connection, stage: int) -> None:
    """Give all versions of a stage that are the same, directly or by a chain, one class."""
    parent: dict[int, int] = {}

    def top(version: int) -> int:
        while (above := parent.setdefault(version, version)) != version:
            version = above
        return version

    for old, new in connection.execute(_SQL.equivalences, (stage,)).fetchall():
        low, high = sorted((top(old), top(new)))
        parent[high] = low
    for number, *_ in connection.execute(_SQL.stage_versions, {"stage": stage}).fetchall():
        connection.execute(_SQL.set_class, {"id": number, "class": top(number)})


# Results, where they are stored


def made(connection: sqlite3.Connection, version: int | None, n: int) -> None:
    """`n` results of a version are stored now."""
    if version is not None:
        connection.execute(_SQL.made, {"id": version, "n": n})


def replaced(connection: sqlite3.Connection, stage: int, items: str) -> None:
    """Results of these items (JSON list of numbers) at a stage are about to be replaced, where there are any."""
    connection.execute(_SQL.replaced, {"stage": stage, "items": items})


def keep_what_is_good(connection: sqlite3.Connection, plan: Plan, stage_id: int, items: str) -> set[int]:
    """A stage was run again: what depends on it and waited for it stays done where the output is what it was.

    `items` is a JSON list of numbers. Returns the items of which something was kept.
    """
    same = [row[0] for row in connection.execute(_SQL.unchanged, {"stage": stage_id, "items": items})]
    kept: set[int] = set()
    if not same:
        return kept
    job = plan.job_of(plan.stages[stage_id].job_id)
    for number in job.stages:
        after = plan.stages[number]
        if stage_id in after.ancestors and after.version is not None:
            rows = connection.execute(
                _SQL.still_good,
                {
                    "stage": number,
                    "items": json.dumps(same),
                    "current": after.version,
                    "ancestors": json.dumps(after.ancestors),
                },
            ).fetchall()
            kept.update(row[0] for row in rows)
    return kept


def stale_keys(
    connection: sqlite3.Connection, stage: int, versions: Sequence[int], *, unknown: bool = False, limit: int = NO_LIMIT
) -> list[str]:
    """Return keys of items whose result at a stage one of these versions made."""
    values: dict[str, Any] = {
        "stage": stage,
        "versions": json.dumps(list(versions)),
        "unknown": unknown,
        "limit": limit,
    }
    return [row[0] for row in connection.execute(_SQL.stale_items, values)]


def judged_pair(connection: sqlite3.Connection, judgement: int) -> Pair | None:
    """Return what a judgement is about; None when there is none of this number."""
    row = connection.execute(_SQL.judgement, (judgement,)).fetchone()
    return None if row is None else Pair(row[0], row[1], row[2], 0)
