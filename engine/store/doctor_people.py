"""What a person says to the doctor: overrule, apply, dismiss, probe, clear the breakers, send to the TODO list."""

from __future__ import annotations

import sqlite3
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.contracts.values import dataclass
from engine.contracts.verdict import FailureClass, Verdict
from engine.kit.safe_text import safe_line
from engine.rules.verdicts.rule import FIXES
from engine.store import breakers, doctor_acts, doctor_undo, incidents, jobs, replays, settle
from engine.store.events import Event, record
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("doctor")


@dataclass(frozen=True, slots=True)
class _Incident:
    id: int
    signature: str
    label: str
    cls: FailureClass
    state: str
    stages: tuple[int, ...]


def overrule(
    connection: sqlite3.Connection, plan: Plan, name: str, cls: FailureClass, why: str, now: int
) -> CommandOutcome:
    """A person says what an incident is; that word stays, and teaches the cache for every stage it happened at."""
    found = _find(connection, name)
    if found is None:
        return _none(name)
    kept = doctor_undo.before(connection, found.id)
    verdict = Verdict(
        cls=cls, confidence="high", by="person", reason=safe_line(why, 300) or "a person said so", fix=FIXES[cls]
    )
    for stage in found.stages:
        incidents.teach(connection, stage, found.signature, verdict, now, None)
        connection.execute(_SQL.close_breaker, {"stage": stage, "class": found.cls, "now": now})
    values = {"class": cls, "confidence": "high", "by": "person", "reason": verdict.reason, "fix": verdict.fix}
    connection.execute(_SQL.reclass, {**values, "incident": found.id})
    for act in doctor_acts.pending_of(connection, found.id):
        doctor_acts.end(connection, act, "vetoed", now)
    _let_go(connection, plan, found, now)
    moved = _enact(connection, plan, found, cls, now)
    event = Event(
        kind="incident.overruled",
        actor="person",
        text=safe_line(f"{found.cls} → {cls}: {found.label}", 300),
        data={"incident": found.id, "from": found.cls, "to": cls},
    )
    record(connection, [event], now)
    args = {"incident": found.id, "class": cls}
    operation = doctor_undo.journal(connection, "overrule", _job(plan, found), args, kept, now)
    return _done(found, f"{cls} from now on{moved}", operation)


def _enact(connection: sqlite3.Connection, plan: Plan, found: _Incident, cls: FailureClass, now: int) -> str:
    """What the new class means for the items that stand with the incident."""
    if cls in ("transient", "throttled"):
        started = replays.start(connection, plan, found.id, now) if found.state == "open" and found.stages else 0
        return f"; {started} tried again first" if started else ""
    failed: set[int] = set()
    for item, stage, fence in connection.execute(_SQL.members, {"incident": found.id, "n": -1}).fetchall():
        values = {"item": item, "stage": stage, "fence": fence, "now": now, "why": f"{cls}: {found.label}"}
        failed |= {row[0] for row in connection.execute(_SQL.fail_later, values)}
    settle.settle(connection, plan, failed, now)
    return f"; {len(failed)} failed" if failed else ""


def _let_go(connection: sqlite3.Connection, plan: Plan, found: _Incident, now: int) -> None:
    """A job that the doctor had paused for this goes on, unless another breaker holds it."""
    for job_id in {plan.stages[stage].job_id for stage in found.stages if stage in plan.stages}:
        row = connection.execute(_SQL.pause_of, (job_id,)).fetchone()
        still = connection.execute(_SQL.breakers_of, {"job": job_id}).fetchone()
        if row is not None and row[0] == breakers.PAUSED_BY and still is None:
            jobs.resume(connection, job_id, by="engine", now=now)


def apply(connection: sqlite3.Connection, plan: Plan, name: str, now: int) -> CommandOutcome:
    """Take at once what the doctor would do: planned actions, else a canary, else canaries and then the rest."""
    found = _find(connection, name)
    if found is None:
        return _none(name)
    acts = doctor_acts.pending_of(connection, found.id)
    if acts:
        connection.execute(_SQL.hurry_actions, {"incident": found.id, "now": now})
        return _done(found, f"now: {', '.join(act.action for act in acts)}")
    probed = [stage for stage in found.stages if _hurry(connection, stage, now)]
    if probed:
        return _done(found, "one canary runs; when it passes, the job goes on and the rest follows")
    if found.state != "open":
        return CommandOutcome(ok=False, message=f"the incident is {found.state}", skipped={name: found.state})
    started = replays.start(connection, plan, found.id, now)
    if not started:
        return _done(found, "resolved; nothing was left to replay")
    return _done(found, f"{started} {'canary runs' if started == 1 else 'canaries run'}, then the rest")


def dismiss(connection: sqlite3.Connection, plan: Plan, name: str, now: int) -> CommandOutcome:
    """Veto what is planned; with nothing planned, the incident is put aside for good."""
    found = _find(connection, name)
    if found is None:
        return _none(name)
    kept = doctor_undo.before(connection, found.id)
    acts = doctor_acts.pending_of(connection, found.id)
    for act in acts:
        doctor_acts.end(connection, act, "vetoed", now)
    if not acts and not replays.close(connection, found.id, "dismissed", now):
        return CommandOutcome(ok=False, message=f"the incident is {found.state}", skipped={name: found.state})
    operation = doctor_undo.journal(connection, "dismiss", _job(plan, found), {"incident": found.id}, kept, now)
    if acts:
        return _done(found, f"vetoed: {', '.join(act.action for act in acts)}", operation)
    return _done(found, "dismissed; it stays so when it happens again", operation)


def send(connection: sqlite3.Connection, plan: Plan, name: str, now: int) -> CommandOutcome:
    """Send an incident to the TODO list."""
    found = _find(connection, name)
    if found is None:
        return _none(name)
    key = doctor_acts.send_to_todos(connection, plan, found.id, now)
    if not key:
        return CommandOutcome(ok=False, message=f"there is no job `{doctor_acts.TODO_JOB}` to take it")
    return _done(found, f"in {doctor_acts.TODO_JOB} as {key}")


def probe(connection: sqlite3.Connection, job: JobPlan, now: int) -> CommandOutcome:
    """Let a paused job try one item now."""
    probed = [stage for stage in job.stages if _hurry(connection, stage, now)]
    if not probed:
        return CommandOutcome(
            ok=False, message=f"no breaker of {job.spec.name} is open", skipped={job.spec.name: "no open breaker"}
        )
    return CommandOutcome(ok=True, message=f"{job.spec.name}: one canary runs", changed=(job.spec.name,))


def clear_errors(connection: sqlite3.Connection, plan: Plan, job: JobPlan, now: int) -> CommandOutcome:
    """Close the breakers of a job, let it go on, and replay what failed: one act."""
    was_open = connection.execute(_SQL.breakers_of, {"job": job.id}).fetchone() is not None
    was_paused = breakers.paused_by(connection, job.id) is not None
    begun = breakers.clear(connection, plan, job.id, by="person", now=now)
    if not (was_open or was_paused):
        return CommandOutcome(
            ok=False, message=f"{job.spec.name} has no open breaker", skipped={job.spec.name: "nothing to clear"}
        )
    replayed = f"; {len(begun)} {'incident is' if len(begun) == 1 else 'incidents are'} replayed" if begun else ""
    return CommandOutcome(ok=True, message=f"{job.spec.name} goes on{replayed}", changed=(job.spec.name,))


def _hurry(connection: sqlite3.Connection, stage: int, now: int) -> bool:
    return connection.execute(_SQL.probe_now, {"stage": stage, "now": now}).rowcount > 0


def _find(connection: sqlite3.Connection, name: str) -> _Incident | None:
    """An incident by its number or signature."""
    number = int(name) if name.isdecimal() and len(name) < 16 else None
    row: Any = connection.execute(_SQL.incident, {"incident": number, "signature": name}).fetchone()
    if row is None:
        return None
    stages = tuple(stage for (stage,) in connection.execute(_SQL.incident_stages, {"signature": row[1], "id": row[0]}))
    return _Incident(id=row[0], signature=row[1], label=row[2], cls=row[3], state=row[9], stages=stages)


def _none(name: str) -> CommandOutcome:
    text = safe_line(name, 60)
    return CommandOutcome(
        ok=False, message=f"there is no incident `{text}`; `rivus doctor list` names them", skipped={text: "not there"}
    )


def _done(found: _Incident, what: str, operation: int | None = None) -> CommandOutcome:
    return CommandOutcome(
        ok=True,
        message=f"{found.label}: {what}",
        changed=(str(found.id),),
        operation=operation,
        data={"incident": found.id},
    )


def _job(plan: Plan, found: _Incident) -> int | None:
    """The first job that an incident happened in."""
    return next((plan.stages[stage].job_id for stage in found.stages if stage in plan.stages), None)
