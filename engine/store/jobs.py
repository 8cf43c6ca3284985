"""Jobs and stages as rows: what the configuration says, kept beside what a person said (a pause)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

from engine.contracts.spec import JobSpec
from engine.contracts.states import JobState
from engine.contracts.values import dataclass
from engine.store.events import Event, record
from engine.store.plan import Plan, make_plan
from engine.store.sql import queries

_SQL = queries("jobs")


@dataclass(frozen=True, slots=True)
class JobRow:
    """What the store keeps of a job beyond its configuration."""

    id: int
    name: str
    state: JobState
    next_run_at: int | None
    started: int = 0
    """Items that were started since it was last resumed."""
    resumed: int = 0
    """How often it was resumed."""
    paused_stages: tuple[int, ...] = ()


def begin_epoch(connection: sqlite3.Connection) -> int:
    """Count this start of an engine; leases carry the number."""
    row = connection.execute(_SQL.meta_get, ("epoch",)).fetchone()
    epoch = int(row[0]) + 1 if row else 1
    connection.execute(_SQL.meta_set, ("epoch", str(epoch)))
    return epoch


def sync(
    connection: sqlite3.Connection, specs: Iterable[JobSpec], now: int, *, timezone: str = "UTC"
) -> tuple[Plan, set[int]]:
    """Make the rows of jobs and stages what the configuration says.

    Returns the plan and the numbers of the jobs whose stages changed (new, enabled, disabled, with another gate or
    place), whose items
    `reconcile` has to look at.
    """
    known = {row[1]: row for row in connection.execute(_SQL.all_jobs)}
    rows: list[tuple[int, JobSpec, Mapping[str, int]]] = []
    changed: set[int] = set()
    for position, spec in enumerate(specs):
        values: dict[str, object] = {
            "name": spec.name,
            "position": position,
            "title": spec.title,
            "emoji": spec.emoji,
            "internal": spec.internal,
            "is_check": spec.is_check,
            "findings_to": spec.findings_to,
            "detail_columns": json.dumps(spec.detail_columns),
            "cron": spec.discovery.cron if spec.discovery else None,
            "pace": str(spec.pace) if spec.pace else None,
            "every_s": spec.discovery.every_s if spec.discovery else None,
            "recur": str(spec.recur) if spec.recur else None,
            "steering": _steering(spec, timezone),
            "state": "broken" if spec.broken else "active",
            "why": spec.broken,
        }
        if spec.name not in known:
            (job_id,) = connection.execute(_SQL.insert_job, values).fetchone()
        else:
            job_id, _, state, why = known[spec.name][:4]
            if state == "removed":
                # What ended while the job was away moved nothing that stands after it.
                changed.add(job_id)
            if state == "paused" and not spec.broken:
                values |= {"state": "paused", "why": why}
            connection.execute(_SQL.update_job, {**values, "id": job_id})
            if spec.broken and state != "broken":
                record(connection, [Event(kind="job.broken", level="error", job_id=job_id, text=spec.broken)], now)
        numbers, did_change = _sync_stages(connection, job_id, spec)
        if did_change:
            changed.add(job_id)
        rows.append((job_id, spec, numbers))
    kept = {job_id for job_id, _, _ in rows}
    for job_id, *_ in known.values():
        if job_id not in kept and connection.execute(_SQL.remove_job, (job_id,)).rowcount:
            record(connection, [Event(kind="job.removed", level="warning", job_id=job_id)], now)
    return make_plan(rows, timezone), changed


def _steering(spec: JobSpec, timezone: str) -> str | None:
    """What the facts of a job's items follow from, for comparison; None: nothing."""
    if not spec.steers and spec.recur is None:
        return None
    filters = spec.eligibility.fields if spec.eligibility is not None else ()
    return hashlib.sha256(repr((spec.internal, spec.priority, filters, spec.recur, timezone)).encode()).hexdigest()


def _sync_stages(connection: sqlite3.Connection, job_id: int, spec: JobSpec) -> tuple[dict[str, int], bool]:
    known = {
        name: (number, enabled, removed, after, gate)
        for name, number, enabled, removed, after, gate in connection.execute(_SQL.stages_of, (job_id,))
    }
    numbers: dict[str, int] = {}
    changed = False
    for position, stage in enumerate(spec.stages):
        values: dict[str, object] = {
            "job_id": job_id,
            "name": stage.name,
            "position": position,
            "handler": stage.handler,
            "after": json.dumps(stage.after),
            "gate": stage.gate,
            "enabled": stage.enabled,
            "concurrency": stage.concurrency,
            "max_attempts": stage.attempts,
            "pace": str(stage.pace) if stage.pace else None,
            "resources": json.dumps(stage.resources),
            "model": (stage.model or "") if stage.needs_model else None,
        }
        if stage.name in known:
            number, *before = known[stage.name]
            connection.execute(_SQL.update_stage, {**values, "id": number})
            changed |= before != [int(stage.enabled), 0, values["after"], stage.gate]
        else:
            (number,) = connection.execute(_SQL.insert_stage, values).fetchone()
            changed = True
        numbers[stage.name] = number
    for name, (number, _, removed, *_) in known.items():
        if name not in numbers and not removed:
            connection.execute(_SQL.remove_stage, (number,))
            changed = True
    return numbers, changed


def rows(connection: sqlite3.Connection) -> list[JobRow]:
    """State and schedule of every job."""
    paused: dict[int, list[int]] = defaultdict(list)
    for job_id, stage_id in connection.execute(_SQL.paused_stages):
        paused[job_id].append(stage_id)
    return [
        JobRow(row[0], row[1], row[2], row[6], started=row[7], resumed=row[8], paused_stages=tuple(paused[row[0]]))
        for row in connection.execute(_SQL.all_jobs)
    ]


def pause(
    connection: sqlite3.Connection,
    job_id: int,
    *,
    by: Literal["person", "guard", "doctor"],
    why: str | None,
    until: int | None = None,
    guard: str | None = None,
    now: int,
) -> bool:
    """Pause an active job, `until` a time (ms UTC) or until it is resumed; False when it was not active.

    `guard` names the guard that does it, which a person sets aside by resuming the job.
    """
    values = {"id": job_id, "why": why, "by": by, "until": until, "guard": guard, "now": now}
    landed = connection.execute(_SQL.pause, values).rowcount == 1
    if landed:
        actor: Literal["person", "engine"] = "person" if by == "person" else "engine"
        record(connection, [Event(kind="job.paused", actor=actor, job_id=job_id, text=why)], now)
    return landed


def resume(
    connection: sqlite3.Connection, job_id: int, *, by: Literal["person", "engine"] = "person", now: int
) -> bool:
    """Let a paused job go on; False when it was not paused."""
    landed = connection.execute(_SQL.resume, {"id": job_id}).rowcount == 1
    if landed:
        record(connection, [Event(kind="job.resumed", actor=by, job_id=job_id)], now)
    return landed


def pause_stage(
    connection: sqlite3.Connection,
    job_id: int,
    stage_id: int,
    *,
    by: Literal["person", "guard"],
    why: str | None,
    until: int | None = None,
    now: int,
) -> bool:
    """Claim nothing at one stage; False when it was paused already."""
    values = {"id": stage_id, "by": by, "why": why, "until": until, "now": now}
    landed = connection.execute(_SQL.pause_stage, values).rowcount == 1
    if landed:
        actor: Literal["person", "engine"] = "person" if by == "person" else "engine"
        event = Event(kind="stage.paused", actor=actor, job_id=job_id, stage_id=stage_id, text=why)
        record(connection, [event], now)
    return landed


def resume_stage(
    connection: sqlite3.Connection,
    job_id: int,
    stage_id: int,
    *,
    by: Literal["person", "engine"] = "person",
    now: int,
) -> bool:
    """Let a paused stage go on; False when it was not paused."""
    landed = connection.execute(_SQL.resume_stage, {"id": stage_id}).rowcount == 1
    if landed:
        record(connection, [Event(kind="stage.resumed", actor=by, job_id=job_id, stage_id=stage_id)], now)
    return landed


def end_stage_pauses(connection: sqlite3.Connection, now: int) -> None:
    """Let stages go on whose pause has ended."""
    for stage_id, job_id in connection.execute(_SQL.stages_due, (now,)).fetchall():
        resume_stage(connection, job_id, stage_id, by="engine", now=now)


def tell_problem(
    connection: sqlite3.Connection, source: Literal["configuration", "disk"], problem: str | None, now: int
) -> None:
    """Show a problem with the whole project to whoever reads the state, or take it away; one for each source."""
    row = connection.execute(_SQL.meta_get, (f"problem:{source}",)).fetchone()
    before = row[0] if row else ""
    if before == (problem or ""):
        return
    connection.execute(_SQL.meta_set, (f"problem:{source}", problem or ""))
    if problem:
        record(connection, [Event(kind="engine.problem", level="error", text=problem)], now)


def heads(connection: sqlite3.Connection) -> dict[str, str | None]:
    """Where HEAD of each repository was when an engine looked last: path → mark."""
    row = connection.execute(_SQL.meta_get, ("heads",)).fetchone()
    found: dict[str, str | None] = json.loads(row[0]) if row else {}
    return found


def keep_heads(connection: sqlite3.Connection, marks: Mapping[str, str | None]) -> None:
    """Keep where they are, for the next engine."""
    connection.execute(_SQL.meta_set, ("heads", json.dumps(marks)))


def schedule(connection: sqlite3.Connection, job_id: int, next_run_at: int | None) -> None:
    """Store when the discovery of a job runs next."""
    connection.execute(_SQL.schedule, (next_run_at, job_id))
