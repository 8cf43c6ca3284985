"""Breakers: opened by too many failures, probed with one canary, closed by one that passes or by a person.

An open breaker goes with a paused job. The guard of the error rate is a breaker too, with the class `rate`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Final, Literal

from engine.contracts.values import dataclass
from engine.rules.breaker import decayed, probe_after_s
from engine.store import jobs, replays, settle
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("doctor")

RATE: Final = "rate"
PAUSED_BY: Final = "doctor"


@dataclass(frozen=True, slots=True)
class Probe:
    """A breaker whose canary is due, or runs."""

    stage_id: int
    cls: str
    job_id: int
    tries: int
    outcome: Literal["passed", "failed", "running", "cannot"] = "running"
    """`cannot`: its row was taken out of the queue before it ran."""


def count(connection: sqlite3.Connection, stage_id: int, cls: str, n: int, now: int) -> float:
    """Add failures to a breaker; returns its score now."""
    row = connection.execute(_SQL.breaker, {"stage": stage_id, "class": cls}).fetchone()
    score = (decayed(row[0], row[1], now) if row else 0.0) + n
    connection.execute(_SQL.raise_score, {"stage": stage_id, "class": cls, "score": score, "now": now})
    return score


def trip(
    connection: sqlite3.Connection, plan: Plan, stage_id: int, cls: str, *, why: str, probe_s: float, now: int
) -> bool:
    """Open a closed breaker and pause its job; False when it was open already."""
    stage = plan.stages[stage_id]
    probe_at = now + round(probe_s * 1_000)
    if not connection.execute(
        _SQL.open_breaker, {"stage": stage_id, "class": cls, "now": now, "probe_at": probe_at}
    ).fetchall():
        return False
    event = Event(
        kind="breaker.opened",
        level="error",
        job_id=stage.job_id,
        stage_id=stage_id,
        text=why,
        data={"class": cls, "probe_at": probe_at},
    )
    record(connection, [event], now)
    jobs.pause(connection, stage.job_id, by=PAUSED_BY, why=why, now=now)
    return True


def calm(connection: sqlite3.Connection, stages: Collection[int], now: int) -> None:
    """Attempts of these stages passed: closed breakers forget what they counted."""
    connection.execute(_SQL.calm, {"stages": json.dumps(sorted(stages)), "now": now})


def due(connection: sqlite3.Connection, now: int) -> list[Probe]:
    """Open breakers whose canary is due."""
    return [
        Probe(stage, cls, job, tries) for stage, cls, tries, job in connection.execute(_SQL.breakers_due, {"now": now})
    ]


def start_probe(connection: sqlite3.Connection, plan: Plan, probe: Probe, *, probe_s: float, now: int) -> bool:
    """Put one row at the front of the queue as canary; False when the stage has none, and the next look is later."""
    row = connection.execute(_SQL.candidate, {"stage": probe.stage_id}).fetchone()
    row = row or connection.execute(_SQL.candidate_ready, {"stage": probe.stage_id}).fetchone()
    if row is None:
        put_off(connection, probe, probe_s, now)
        return False
    item, fence = row
    values = {"item": item, "stage": probe.stage_id, "fence": fence, "due_at": 0}
    if not connection.execute(_SQL.replay, values).fetchall():
        connection.execute(_SQL.canary_ready, values).fetchall()
    connection.execute(_SQL.start_probe, {"stage": probe.stage_id, "class": probe.cls, "item": item, "fence": fence})
    settle.settle(connection, plan, {item}, now)
    event = Event(
        kind="breaker.probed", job_id=probe.job_id, item_id=item, stage_id=probe.stage_id, text="one canary runs"
    )
    record(connection, [event], now)
    return True


def running(connection: sqlite3.Connection) -> list[Probe]:
    """Canaries that were started, with how they ended."""
    found = []
    for stage, cls, tries, job, _, fence, state, fence_now in connection.execute(_SQL.probing):
        outcome: Literal["passed", "failed", "running", "cannot"] = "running"
        if state is None or (fence_now == fence and state != "ready"):
            outcome = "cannot"
        elif state in ("done", "skipped"):
            outcome = "passed"
        elif state in ("failed", "later", "waiting"):
            outcome = "failed"
        elif state == "blocked":
            outcome = "cannot"
        found.append(Probe(stage, cls, job, tries, outcome))
    return found


def end_probe(connection: sqlite3.Connection, plan: Plan, probe: Probe, *, probe_s: float, now: int) -> Sequence[int]:
    """The canary has ended: go on with the job, or wait longer for the next; returns incidents that are replayed."""
    if probe.outcome == "failed":
        at = put_off(connection, probe, probe_s, now)
        event = Event(
            kind="breaker.probe_failed",
            level="warning",
            job_id=probe.job_id,
            stage_id=probe.stage_id,
            text="the canary failed too",
            data={"probe_at": at},
        )
        record(connection, [event], now)
        return ()
    return clear(connection, plan, probe.job_id, by="engine", now=now)


def clear(
    connection: sqlite3.Connection, plan: Plan, job_id: int, *, by: Literal["person", "engine"], now: int
) -> list[int]:
    """Close the breakers of a job, let it go on, and replay what failed with the open incidents at those stages.

    One act: two ways to trip, one reset. Returns the incidents that are replayed.
    """
    open_stages = sorted({row[0] for row in connection.execute(_SQL.breakers_of, {"job": job_id})})
    connection.execute(_SQL.close_breakers, {"job": job_id, "now": now})
    if open_stages:
        text = "closed" if by == "person" else "the canary passed"
        actor: Literal["person", "engine"] = by
        record(connection, [Event(kind="breaker.closed", actor=actor, job_id=job_id, text=text)], now)
    row = connection.execute(_SQL.pause_of, (job_id,)).fetchone()
    if row is not None and (by == "person" or row[0] == PAUSED_BY):
        jobs.resume(connection, job_id, by=by, now=now)
    begun = []
    for stage in open_stages:
        for (incident,) in connection.execute(_SQL.incidents_at, {"stage": stage}).fetchall():
            if replays.start(connection, plan, incident, now):
                begun.append(int(incident))
    return begun


def next_at(connection: sqlite3.Connection) -> int | None:
    """When the next canary is due, ms UTC."""
    at: int | None = connection.execute(_SQL.next_probe).fetchone()[0]
    return at


def choose_again(connection: sqlite3.Connection, probe: Probe, probe_s: float, now: int) -> None:
    """The canary was dropped, held, reset or is gone before it ran: it says nothing, the next one is another."""
    values = {"stage": probe.stage_id, "class": probe.cls, "probe_at": now + round(probe_s * 1_000)}
    connection.execute(_SQL.choose_again, values)


def put_off(connection: sqlite3.Connection, probe: Probe, probe_s: float, now: int) -> int:
    """The next canary of a breaker runs later; returns when, ms UTC."""
    at = now + round(probe_after_s(probe_s, probe.tries + 1) * 1_000)
    connection.execute(_SQL.probe_failed, {"stage": probe.stage_id, "class": probe.cls, "probe_at": at})
    return at


def paused_by(connection: sqlite3.Connection, job_id: int) -> str | None:
    """Who has paused a job; None: it is not paused."""
    row = connection.execute(_SQL.pause_of, (job_id,)).fetchone()
    return None if row is None else str(row[0])
