"""What a change of code means for results: judged by the rules when it is first seen, and by people's commands."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.kit.safe_text import safe_line
from engine.rules.code.compare import Comparison, compare
from engine.store import people, versions
from engine.store.events import Event, record
from engine.store.plan import JobPlan, Plan, StagePlan
from engine.store.sql import queries
from engine.store.versions import Pair

_SQL = queries("stale")
_MOST: Final = 200_000
"""Items of one reset."""


def judge_by_rules(connection: sqlite3.Connection, plan: Plan, now: int) -> list[Pair]:
    """Judge every pair of versions that nobody has judged, most results first; returns those that a person, a canary
    or a model has to decide. Each is told once."""
    open_pairs: list[Pair] = []
    events: list[Event] = []
    for pair in versions.stale_pairs(connection):
        stage = plan.stages.get(pair.stage)
        if stage is None or versions.verdict_on(connection, pair) is not None:
            continue
        if all(one.old != pair.old or one.stage != pair.stage for one in versions.stale_pairs(connection)):
            continue  # a judgement just made has made it the same by a chain
        answer = compared(connection, pair)
        said = versions.cached(connection, answer) if answer.verdict == "semantic" and not answer.doubts else None
        verdict, why, rests_on = said if said is not None else (answer.verdict, answer.reason, [])
        by: versions.By = "cache" if said is not None else "rule"
        number = versions.judge(
            connection,
            plan,
            pair,
            verdict=verdict,
            by=by,
            why=safe_line(why, 500),
            changes=answer.changes,
            rests_on=rests_on,
            now=now,
        )
        events.append(event(pair, stage, verdict, why, number))
        if verdict == "semantic":
            open_pairs.append(pair)
    record(connection, events, now)
    return open_pairs


def compared(connection: sqlite3.Connection, pair: Pair) -> Comparison:
    """Compare the snapshots of two versions."""
    return compare(versions.fingerprint_of(connection, pair.old), versions.fingerprint_of(connection, pair.new))


def event(pair: Pair, stage: StagePlan, verdict: str, why: str, judgement: int) -> Event:
    """Return what is told of a judgement."""
    n = f"{pair.results:,} {'result' if pair.results == 1 else 'results'} of {stage.spec.name}"
    is_stale = verdict == "semantic"
    return Event(
        kind="stale.found" if is_stale else "stale.blessed",
        level="warning" if is_stale else "info",
        job_id=stage.job_id,
        stage_id=stage.id,
        text=safe_line(f"{n}: {why}", 500),
        data={"judgement": judgement, "results": pair.results},
    )


def bless(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, name: str, args: Mapping[str, Any], now: int
) -> CommandOutcome:
    """A person says that the change of a stage's code means nothing for what was made before it."""
    stage = _stage(plan, job, name)
    why = safe_line(str(args.get("why") or ""), 500) or "a person looked at it"
    numbers: list[int] = []
    kept = 0
    for pair in _pairs(connection, stage, args.get("version")):
        answer = compared(connection, pair)
        numbers.append(
            versions.judge(
                connection, plan, pair, verdict="cosmetic", by="person", why=why, changes=answer.changes, now=now
            )
        )
        kept += pair.results
    if not numbers and args.get("version") is None and stage.version is not None:
        kept = connection.execute(_SQL.adopt, {"stage": stage.id, "version": stage.version}).rowcount
        versions.made(connection, stage.version, kept)
    if not kept:
        return CommandOutcome(ok=False, message=f"nothing of {job.spec.name}.{name} is stale")
    text = f"{kept:,} {'result' if kept == 1 else 'results'} of {name}: {why}"
    record(
        connection,
        [Event(kind="stale.blessed", actor="person", job_id=job.id, stage_id=stage.id, text=text)],
        now,
    )
    operation = people.journal(connection, job, "bless", {"stage": name, "why": why}, {"judgements": numbers}, now)
    return CommandOutcome(
        ok=True,
        message=f"kept {kept:,} {'result' if kept == 1 else 'results'} of {job.spec.name}.{name}",
        changed=(job.spec.name,),
        operation=operation if numbers else None,
        data={"judgements": numbers},
    )


def revoke(connection: sqlite3.Connection, plan: Plan, judgement: int, now: int) -> CommandOutcome:
    """Two versions do not count as the same any more: a person says that the change means something."""
    pair = versions.judged_pair(connection, judgement)
    stage = plan.stages.get(pair.stage) if pair is not None else None
    revoked = versions.revoke(connection, judgement, now) if pair is not None else []
    if pair is None or stage is None or not revoked:
        return CommandOutcome(ok=False, message=f"there is no judgement {judgement} that holds")
    job = plan.job_of(stage.job_id)
    why = f"a person revoked judgement {judgement}"
    instead = versions.judge(connection, plan, pair, verdict="semantic", by="person", why=why, now=now)
    event = Event(kind="stale.revoked", actor="person", job_id=job.id, stage_id=stage.id, text=f"judgement {judgement}")
    record(connection, [event], now)
    before = {"revoked": revoked, "judgements": [instead]}
    operation = people.journal(connection, job, "revoke", {"judgement": judgement}, before, now)
    return CommandOutcome(
        ok=True,
        message=f"revoked judgement {judgement} of {job.spec.name}.{stage.spec.name}",
        changed=(job.spec.name,),
        operation=operation,
    )


def reset(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, name: str, args: Mapping[str, Any], now: int
) -> CommandOutcome:
    """Run a stage again where its result is stale, and what depends on it."""
    stage = _stage(plan, job, name)
    if args.get("keys"):
        keys = [str(key) for key in args["keys"]]
    else:
        olds = [pair.old for pair in _pairs(connection, stage, args.get("version"))]
        limit = int(args.get("sample") or _MOST)
        unknown = args.get("version") in (None, "unknown")
        keys = versions.stale_keys(connection, stage.id, olds, unknown=unknown, limit=limit)
    if not keys:
        return CommandOutcome(ok=False, message=f"nothing of {job.spec.name}.{name} is stale")
    return people.reset(connection, plan, job, stage.id, keys, now)


def _stage(plan: Plan, job: JobPlan, name: str) -> StagePlan:
    for number in job.stages:
        if plan.stages[number].spec.name == name:
            return plan.stages[number]
    known = ", ".join(plan.stages[number].spec.name for number in job.stages)
    raise UseError(f"{job.spec.name} has no stage `{safe_line(name, 80)}`; it has: {known or 'none'}")


def _pairs(connection: sqlite3.Connection, stage: StagePlan, version: object) -> list[Pair]:
    """Return the stale versions of a stage; `version`: only the one whose hash begins so."""
    found = [pair for pair in versions.stale_pairs(connection) if pair.stage == stage.id]
    if version is None:
        return found
    return [pair for pair in found if versions.hash_of(connection, pair.old).startswith(str(version))]
