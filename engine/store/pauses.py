"""Pauses that a person makes and ends: of a job, or of one stage of it; each journalled with how to take it back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.kit.safe_text import safe_line
from engine.store import jobs, spend
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("pauses")


def pause(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    why: str,
    now: int,
    *,
    stage: str | None = None,
    until: int | None = None,
) -> CommandOutcome:
    """Claim nothing of a job, or of one stage of it, `until` a time (ms UTC) or until it is resumed."""
    cleaned = safe_line(why) or None
    args = {"why": cleaned or "", "until": until}
    if stage is None:
        landed = jobs.pause(connection, job.id, by="person", why=cleaned, until=until, now=now)
        return _said(connection, job, "pause", landed, now, args=args)
    number = _stage(plan, job, stage)
    landed = jobs.pause_stage(connection, job.id, number, by="person", why=cleaned, until=until, now=now)
    return _said(connection, job, "pause", landed, now, stage=stage, args=args)


def resume(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, now: int, *, stage: str | None = None
) -> CommandOutcome:
    """Let a paused job or stage go on; a guard that had paused a job is set aside until it would have let it go."""
    if stage is None:
        paused = connection.execute(_SQL.pause_now, (job.id,)).fetchone()
        spend.set_aside(connection, job.id)
        landed = jobs.resume(connection, job.id, now=now)
    else:
        number = _stage(plan, job, stage)
        paused = connection.execute(_SQL.stage_pause_now, (number,)).fetchone()
        landed = jobs.resume_stage(connection, job.id, number, now=now)
    before = dict(zip(("by", "why", "until", "guard"), paused, strict=False)) if paused else None
    return _said(connection, job, "resume", landed, now, stage=stage, before=before)


def noted(connection: sqlite3.Connection, job: JobPlan, outcome: CommandOutcome) -> CommandOutcome:
    """Say beside what a command set going that it waits, because its job is paused."""
    paused = connection.execute(_SQL.pause_now, (job.id,)).fetchone() if outcome.ok else None
    if paused is None:
        return outcome
    why = safe_line(paused[1] or "by a person", 160)
    return replace(outcome, message=f"{outcome.message}; {job.spec.name} is paused: {why}")


def closed(connection: sqlite3.Connection) -> set[int]:
    """Numbers of the stages at which nothing may start, because they or their jobs do not work now."""
    return {row[0] for row in connection.execute(_SQL.closed)}


def _stage(plan: Plan, job: JobPlan, name: str) -> int:
    number = next((number for number in job.stages if plan.stages[number].spec.name == name), None)
    if number is None:
        known = ", ".join(plan.stages[number].spec.name for number in job.stages)
        raise UseError(f"{job.spec.name} has no stage `{safe_line(name, 80)}`; it has: {known or 'none'}")
    return number


def _said(
    connection: sqlite3.Connection,
    job: JobPlan,
    name: str,
    landed: bool,
    now: int,
    *,
    stage: str | None = None,
    before: Mapping[str, Any] | None = None,
    args: Mapping[str, Any] = MappingProxyType({}),
) -> CommandOutcome:
    done = "paused" if name == "pause" else "resumed"
    what = f"{job.spec.name} {stage}" if stage else job.spec.name
    if not landed:
        state = ("paused already" if stage else "not active") if name == "pause" else "not paused"
        return CommandOutcome(ok=False, message=f"{what} is {state}", skipped={job.spec.name: state})
    kept = {"stage": stage, "pause": before}
    values = {"now": now, "name": name, "job": job.id, "args": json.dumps(dict(args)), "before": json.dumps(kept)}
    (operation,) = connection.execute(_SQL.record, values).fetchone()
    return CommandOutcome(ok=True, message=f"{done} {what}", changed=(job.spec.name,), operation=operation)


def take_back(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    number: int,
    name: str,
    before: Mapping[str, Any],
    now: int,
) -> tuple[str, str | None]:
    """Undo a pause or a resume; returns what it was, and why it could not be taken back."""
    stage = before.get("stage")
    what = f"{name} {job.spec.name}" + (f" {stage}" if stage else "")
    if connection.execute(_SQL.switched_since, {"id": number, "job": job.id, "stage": stage}).fetchone()[0]:
        return what, "a later command changed it too"
    stage_id = None
    if stage is not None:
        try:
            stage_id = _stage(plan, job, stage)
        except UseError:
            return what, "its stage is not in the configuration any more"
    if name == "pause":
        landed = (
            jobs.resume(connection, job.id, now=now)
            if stage_id is None
            else jobs.resume_stage(connection, job.id, stage_id, now=now)
        )
        return what, None if landed else "it is not paused any more"
    paused = before.get("pause") or {"by": "person", "why": None, "until": None}
    if paused["until"] is not None and paused["until"] <= now:
        return what, "the pause would have ended by now"
    if stage_id is not None:
        landed = jobs.pause_stage(connection, job.id, stage_id, **paused, now=now)
        return what, None if landed else "it is paused again"
    if not jobs.pause(connection, job.id, **paused, now=now):
        return what, "it is not active any more"
    if paused["by"] == "guard":
        connection.execute(_SQL.take_word_back, (job.id, paused.get("guard") or spend.DAILY_COST))
    return what, None
