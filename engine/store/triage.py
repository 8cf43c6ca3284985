"""What the rules of a job propose for items that wait to be accepted, and the command that does it, as one operation.

A proposal is stored with its item, so that what a person sees is what a key then does. Rules with `auto` act once for
each item, when they see it for the first time: what a person takes back, or puts off, stays a person's matter.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import StateError
from engine.kit.safe_text import safe_line
from engine.rules.conditions import fields
from engine.rules.triage import propose
from engine.store import people
from engine.store.checksum import check_output
from engine.store.events import Actor, Event, record
from engine.store.people import Act, run_on_items
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("triage")

AT_ONCE: Final = 500
"""Items that are judged in one transaction."""
GATE: Final = "accept"
"""The only gate that rules know: what is merged or published needs a person."""
AUTO: Final = "rules"
"""Name in the journal of what rules did by themselves."""
_DID: Final = (("accept", "accepted"), ("drop", "dropped"), ("snooze", "put off"))


def gates(plan: Plan, job: JobPlan) -> list[int]:
    """Stages of a job that its rules look at."""
    if not job.spec.triage:
        return []
    return [number for number in job.stages if plan.stages[number].spec.gate == GATE]


def has_new(connection: sqlite3.Connection, stages: Sequence[int], since: int) -> bool:
    """Whether something waits there that was changed, or found, since the rules were last applied."""
    return any(_to_judge(connection, stage, since, 1) for stage in stages)


def judge(connection: sqlite3.Connection, plan: Plan, job: JobPlan, since: int, now: int) -> CommandOutcome | None:
    """Apply the rules to a batch of what waits: store what they propose, and do what they may do by themselves.

    `since`: what was judged before it (ms UTC) is judged again. Returns what was done; None: nothing was.
    """
    autos: list[str] = []
    for stage in gates(plan, job):
        for row in _to_judge(connection, stage, since, AT_ONCE):
            item, key, ruled_at = row[0], row[1], row[-2]
            one = propose(job.spec.triage, found) if (found := _found(row, now)) is not None else None
            values = {"id": item, "now": now, "do": None, "why": None, "ms": None}
            if one is not None:
                ms = round(one.for_s * 1000) or None
                values |= {"do": one.do, "why": safe_line(one.why, 300), "ms": ms}
                if one.auto and ruled_at is None:
                    autos.append(key)
            connection.execute(_SQL.judged, values)
    if not autos:
        return None
    done = apply(connection, plan, job, autos, now, actor="engine")
    if done.operation is not None:
        text = f"{done.message}; `rivus undo {done.operation}` takes it back"
        record(connection, [Event(kind="rules.applied", job_id=job.id, text=text)], now)
    return done


def _found(row: tuple[Any, ...], now: int) -> dict[str, Any] | None:
    """What rules may ask about an item; None where something of it is damaged: a person looks at it, no rule does."""
    _, key, title, data, signals, origin, source, path, confidence, priority, created_at, _, results = row
    known = {"key": key, "title": title, "origin": origin, "source": source, "path": path}
    known |= {"confidence": confidence, "priority": priority, "written_at": created_at}
    told: dict[str, Any] = {}
    try:
        for output, output_hash in json.loads(results):
            check_output(output, bytes.fromhex(output_hash))
            told |= json.loads(output)
        return fields(data={**told, **json.loads(data)}, signals=json.loads(signals), known=known, now=now)
    except (StateError, AttributeError, TypeError, ValueError):
        return None


def _to_judge(connection: sqlite3.Connection, stage: int, since: int, limit: int) -> list[tuple[Any, ...]]:
    return connection.execute(_SQL.to_judge, {"stage": stage, "since": since, "limit": limit}).fetchall()


def apply(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    keys: Sequence[str],
    now: int,
    *,
    actor: Actor = "person",
) -> CommandOutcome:
    """Do what is proposed for these items; all of it is one operation for `undo`."""
    values = {"job": job.id, "keys": json.dumps(list(keys))}
    proposals = {key: (do, why, ms) for key, do, why, ms in connection.execute(_SQL.proposed, values)}
    stages = set(gates(plan, job))
    done: Counter[str] = Counter()

    def change(act: Act, key: str) -> None:
        do, why, ms = proposals[key]
        if do is None:
            act.skipped[key] = "no rule proposes anything for it"
            return
        if not any(row["stage"] in stages and row["opened_at"] is None for row in act.rows(key, "waiting")):
            act.skipped[key] = f"it does not wait to be accepted, it is {act.items[key]['state']}"
            return
        before = len(act.changed)
        match do:
            case "accept":
                people.accept_one(act, key, why)
            case "drop":
                people.drop_one(act, key, why)
            case "snooze":
                people.snooze_one(act, key, now + ms, why)
            case _:
                people.prioritise_one(act, key, int(do[1:]))
        if len(act.changed) > before:
            act.items[key]["deed"] = do if do in ("accept", "drop", "snooze") else "prioritise"
            done[do] += 1

    name = "triage" if actor == "person" else AUTO
    outcome = run_on_items(
        connection, plan, job, name, keys, {"keys": list(keys)}, change, "decided by rule:", now, actor=actor
    )
    if not done:
        return outcome
    parts = [f"{word} {done[do]:,}" for do, word in _DID if done[do]]
    parts += [f"set {do} for {n:,}" for do, n in sorted(done.items()) if do.startswith("P")]
    left = f"; {people.reasons(outcome.skipped)}" if outcome.skipped else ""
    return replace(outcome, message=f"by rule: {', '.join(parts)}{left}")


def is_left(connection: sqlite3.Connection, plan: Plan) -> bool:
    """Whether rules of an older configuration have proposed something in jobs that have none now."""
    return bool(connection.execute(_SQL.is_left, {"jobs": _with_rules(plan)}).fetchone()[0])


def forget(connection: sqlite3.Connection, plan: Plan) -> None:
    """Take away what those have proposed."""
    connection.execute(_SQL.forget, {"jobs": _with_rules(plan)})


def _with_rules(plan: Plan) -> str:
    return json.dumps([job.id for job in plan.jobs.values() if gates(plan, job)])
