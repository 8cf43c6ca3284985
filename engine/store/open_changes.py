"""Changes of code that the rules could not settle: what is needed to try them or to ask about them, and the answer."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any, Final, Literal

from engine.contracts.errors import StateError
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.rules.code.compare import Change
from engine.store import claims, spend, stale, versions
from engine.store.checksum import check_output
from engine.store.claims import Claim
from engine.store.events import record
from engine.store.plan import Plan, StagePlan
from engine.store.sql import queries
from engine.store.versions import Pair

_SQL = queries("open_changes")
_SPAN: Final = 50_000
"""Items, the newest, among whose results inputs are looked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question about a change."""

    verdict: Literal["cosmetic", "semantic"]
    by: versions.By
    why: str
    confidence: float | None = None
    cost_usd_micros: int = 0
    rests_on: tuple[int, ...] = ()
    holds_for_symbols: bool = False
    """Whether it is an answer about these very symbols, which other stages may take over."""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A pair of versions of which results are stale, and of which neither a person nor a trial has said anything."""

    pair: Pair
    stage: StagePlan
    judgement: int
    """The rules' own, which holds until there is a better one."""
    at: int
    why: str
    changes: tuple[Change, ...]
    """Those that mean something."""
    doubts: tuple[str, ...]
    is_held: bool
    """Whether its job is paused because of what it spends."""
    known: Answer | None
    """What was said of the same symbols elsewhere."""


@dataclass(frozen=True, slots=True)
class Input:
    """A stored result, and what a handler would be given to make it again."""

    claim: Claim
    output: str
    output_hash: bytes


def open_changes(connection: sqlite3.Connection, plan: Plan) -> list[OpenChange]:
    """Return what is open, most results first."""
    found = []
    for pair in versions.stale_pairs(connection):
        standing = _standing(connection, pair)
        if pair.stage in plan.stages and standing is not None and standing[1:3] == ("semantic", "rule"):
            found.append(_change(connection, plan, pair, standing))
    return found


def change_of(
    connection: sqlite3.Connection, plan: Plan, job: str, stage: str, version: object = None
) -> OpenChange | None:
    """Return the change that made most results of a stage stale, whoever has judged it; `version`: the one of this
    older version, by the first digits of its hash. None: no such results have a source to compare with."""
    for pair in versions.stale_pairs(connection):
        of = plan.stages.get(pair.stage)
        standing = _standing(connection, pair)
        if of is None or standing is None or (of.job, of.spec.name) != (job, stage):
            continue
        if version is None or versions.hash_of(connection, pair.old).startswith(str(version)):
            return _change(connection, plan, pair, standing)
    return None


def _change(connection: sqlite3.Connection, plan: Plan, pair: Pair, standing: tuple[int, str, str, int]) -> OpenChange:
    stage = plan.stages[pair.stage]
    answer = stale.compared(connection, pair)
    said = versions.cached(connection, answer) if not answer.doubts else None
    held = connection.execute(_SQL.paused_for_cost, {"job": stage.job_id, "guard": spend.DAILY_COST}).fetchone()
    return OpenChange(
        pair=pair,
        stage=stage,
        judgement=standing[0],
        at=standing[3],
        why=answer.reason,
        changes=tuple(change for change in answer.changes if not change.is_cosmetic),
        doubts=answer.doubts,
        is_held=bool(held[0]),
        known=_taken_over(said) if said is not None else None,
    )


def inputs(connection: sqlite3.Connection, plan: Plan, change: OpenChange, n: int, now: int) -> list[Input]:
    """Return up to `n` results of the older version whose inputs are all as they were; damaged ones are left out."""
    values: dict[str, Any] = {
        "stage": change.pair.stage,
        "version": change.pair.old,
        "ancestors": json.dumps(change.stage.ancestors),
        "n": n,
        "span": _SPAN,
    }
    rows = {row[0]: row for row in connection.execute(_SQL.inputs, values)}
    found = []
    for claim in claims.as_if_claimed(connection, plan, change.stage, list(rows), now):
        _, output, digest, answer = rows[claim.item.id]
        try:
            check_output(output, digest)
        except StateError:
            continue
        found.append(Input(replace(claim, answer=answer), output, digest))
    return found


def settle(connection: sqlite3.Connection, plan: Plan, change: OpenChange, answer: Answer, now: int) -> bool:
    """Record an answer, unless the question has gone meanwhile: other code runs now, or somebody has judged."""
    pair = next((one for one in versions.stale_pairs(connection) if _is_same(one, change.pair)), None)
    standing = _standing(connection, change.pair)
    if pair is None or standing is None or standing[0] != change.judgement:
        return False
    why = safe_line(answer.why, 500)
    number = versions.judge(
        connection,
        plan,
        pair,
        verdict=answer.verdict,
        by=answer.by,
        why=why,
        changes=change.changes if answer.holds_for_symbols else (),
        confidence=answer.confidence,
        cost_usd_micros=answer.cost_usd_micros,
        rests_on=answer.rests_on,
        now=now,
    )
    record(connection, [stale.event(pair, change.stage, answer.verdict, f"{answer.by}: {why}", number)], now)
    return True


def _standing(connection: sqlite3.Connection, pair: Pair) -> tuple[int, str, str, int] | None:
    row = connection.execute(_SQL.standing, {"stage": pair.stage, "old": pair.old, "new": pair.new}).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def _is_same(one: Pair, other: Pair) -> bool:
    return (one.stage, one.old, one.new) == (other.stage, other.old, other.new)


def _taken_over(said: tuple[str, str, list[int]]) -> Answer:
    verdict, why, rests_on = said
    return Answer("semantic" if verdict == "semantic" else "cosmetic", "cache", why, rests_on=tuple(rests_on))
