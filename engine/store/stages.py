"""How attempts end: every transition out of `running`, set-based, guarded by state, fence and owner.

A group of endings comes in at once. Those that do not land (the row was taken over, closed or reset meanwhile) change
nothing; an event keeps the evidence.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal

from engine.contracts.attempt import AttemptError
from engine.contracts.item import Candidate
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.rules.budget import dollars
from engine.rules.retry import out_of_patience
from engine.store import counts, facts, outlays, rollups, settle, spend, versions
from engine.store import items as items_part
from engine.store.claims import Claim, Lease, NotAll, claim_next
from engine.store.events import Event, record, record_done
from engine.store.plan import Plan
from engine.store.sql import insert, queries

_SQL = queries("stages")


@dataclass(slots=True)
class Finished:
    """The attempt ended well. Nobody changes it; like a claim, it is made too often to be frozen."""

    claim: Claim
    output: str
    """JSON, validated."""
    output_hash: bytes
    value: Mapping[str, Any]
    """The output before it was encoded, for the next stage of the same item."""
    artifacts: str | None
    """JSON list of {path, type}."""
    cost_usd_micros: int
    emit: Sequence[tuple[str, Candidate]]
    ms: int
    signals: Mapping[str, Any] | None = None
    """What the stage found out about the item; JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The attempt ended in another way."""

    claim: Claim
    transition: Literal["skip", "ask", "fail", "retry_later", "postpone", "release", "hand_over", "late"]
    """`late`: the row was taken from it and changes no more; what it cost is all that is left to store."""
    why: str | None
    due_at: int | None = None
    """When it comes back (retry_later, postpone), or its rank in the queue (release)."""
    choices: str | None = None
    """JSON list of answers that a question offers."""
    problem: AttemptError | None = None
    whole_item: bool = False
    """With `skip`: the rest of the item is skipped too."""
    cost_usd_micros: int = 0
    ms: int


_TARGET: dict[str, str] = {
    "skip": "skipped",
    "ask": "waiting",
    "fail": "failed",
    "retry_later": "later",
    "postpone": "later",
    "release": "ready",
    "hand_over": "waiting",
}
_EVENT: dict[str, tuple[str, Literal["info", "warning", "error"]]] = {
    "skip": ("stage.skipped", "info"),
    "ask": ("stage.asked", "info"),
    "fail": ("stage.failed", "error"),
    "retry_later": ("stage.retried", "warning"),
    "postpone": ("stage.postponed", "info"),
    "release": ("stage.released", "info"),
    "hand_over": ("stage.held", "warning"),
}


@dataclass(slots=True)
class Endings:
    """What a group of endings brought about."""

    claims: list[Claim]
    """The next stage of some items, claimed at once."""
    refused: list[Claim]
    """Attempts whose row was not theirs any more."""
    all_land: bool
    """No row was asked whether it changed: their number says that all did."""
    cost_usd_micros: int = 0
    emitted: bool = False
    queued: set[int] = field(default_factory=set)
    """Stages whose queue may have grown."""
    next_later: int | None = None
    """The earliest time at which a row of this group comes back."""


def end_attempts(
    connection: sqlite3.Connection,
    plan: Plan,
    endings: Sequence[Finished | Left],
    free: Mapping[int, int],
    lease: Lease,
    now: int,
) -> Endings:
    """Store how these attempts ended, and take the next stage along where `free` has slots and nothing queues there.

    `free` maps stage number → slots of stages whose queue is empty. Must come first in its transaction: it assumes that
    all endings land, and begins the transaction anew, asking each row, where one does not.
    """
    try:
        return _end_attempts(connection, plan, endings, free, lease, now, all_land=True)
    except NotAll:
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        return _end_attempts(connection, plan, endings, free, lease, now, all_land=False)


def _end_attempts(
    connection: sqlite3.Connection,
    plan: Plan,
    endings: Sequence[Finished | Left],
    free: Mapping[int, int],
    lease: Lease,
    now: int,
    *,
    all_land: bool,
) -> Endings:
    result = Endings([], [], all_land)
    groups: dict[tuple[int, int, int | None], list[Finished]] = defaultdict(list)
    events: list[Event] = []
    unsettled: set[int] = set()
    ended: Counter[tuple[int, int, str, int, int]] = Counter()
    for ending in endings:
        if isinstance(ending, Finished):
            stage = ending.claim.stage
            groups[stage.id, ending.claim.fence, stage.version].append(ending)
        else:
            _leave(connection, ending, lease, now, result, events, unsettled, ended)
    slots = dict(free)
    for (stage_id, fence, version), group in groups.items():
        _finish(connection, plan, stage_id, fence, version, group, slots, lease, now, result, events, unsettled, ended)
    rollups.note(connection, ended, now)
    outlays.booked(connection, (ending.claim for ending in endings))
    if unsettled or result.emitted:
        settle.settle(connection, plan, unsettled, now)
        result.queued |= set(plan.stages)
    record(connection, events, now)
    return result


def _finish(
    connection: sqlite3.Connection,
    plan: Plan,
    stage_id: int,
    fence: int,
    version: int | None,
    group: list[Finished],
    slots: dict[int, int],
    lease: Lease,
    now: int,
    result: Endings,
    events: list[Event],
    unsettled: set[int],
    ended: Counter[tuple[int, int, str, int, int]],
) -> None:
    ids = json.dumps(items := _items(group))
    values = {"stage": stage_id, "items": ids, "fence": fence, "epoch": lease.epoch, "now": now}
    if result.all_land:
        # To ask for the changed rows costs as much as to change them.
        if connection.execute(_SQL.finish, values).rowcount != len(group):
            raise NotAll
    else:
        landed = {row[0] for row in connection.execute(_SQL.finish_some, values).fetchall()}
        for ending in group:
            if ending.claim.item.id not in landed:
                result.refused.append(ending.claim)
                events.append(_refused(ending, "done"))
                _pay(connection, ending, now, result)
        group = [ending for ending in group if ending.claim.item.id in landed]
        if not group:
            return
        ids = json.dumps(items := _items(group))
    counts.stages_moved(connection, stage_id, "running", "done", len(group))
    again = fence > 1  # only what ran before may have a result already
    if again:
        versions.replaced(connection, stage_id, ids)
    versions.made(connection, version, len(group))
    insert(
        connection,
        _SQL.store_result,
        [
            # Of a `bytes`, sqlite3 would first ask how it is to be adapted.
            (item, ending.output, bytearray(ending.output_hash), ending.artifacts, ending.cost_usd_micros)
            for item, ending in zip(items, group, strict=True)
        ],
        (stage_id, fence, version, now),
    )
    job_id = group[0].claim.stage.job_id
    spent = Counter([(ending.ms, ending.cost_usd_micros) for ending in group])
    for (ms, each), n in spent.items():
        ended[job_id, stage_id, "finish", ms, each] += n
    if cost := sum([each * n for (_, each), n in spent.items()]):
        spend.book(connection, job_id, cost, now)
        result.cost_usd_micros += cost
    record_done(
        connection, job_id, stage_id, [(item, ending.ms) for item, ending in zip(items, group, strict=True)], now
    )
    told: set[str] = set()
    for ending in group:
        if ending.emit:
            _emit(connection, plan, ending, now, events)
            result.emitted = True
            told |= {items_part.key_of(one) for job, one in ending.emit if job == ending.claim.stage.job}
    if signalled := [ending for ending in group if ending.signals]:
        for ending in signalled:
            facts.add_signals(connection, ending.claim.item.id, ending.signals or {}, now)
        unsettled |= facts.decide(connection, plan, {ending.claim.item.id for ending in signalled}, now)
    if again and stage_id in plan.stages:
        kept = versions.keep_what_is_good(connection, plan, stage_id, ids)
        unsettled |= kept
        group = [ending for ending in group if ending.claim.item.id not in kept]
        if not group:
            return
    if signalled:
        # What they found out has to be in what the next stage is given.
        unsettled |= {ending.claim.item.id for ending in signalled}
        group = [ending for ending in group if not ending.signals]
        if not group:
            return
    if told:
        # An item of this group that one of them told of may have to run anew from its first stage on.
        unsettled |= {ending.claim.item.id for ending in group if ending.claim.item.key in told}
        group = [ending for ending in group if ending.claim.item.key not in told]
        if not group:
            return
    _go_on(connection, plan, stage_id, group, slots, lease, now, result, unsettled)


def _go_on(
    connection: sqlite3.Connection,
    plan: Plan,
    stage_id: int,
    group: list[Finished],
    slots: dict[int, int],
    lease: Lease,
    now: int,
    result: Endings,
    unsettled: set[int],
) -> None:
    """In a chain, claim or queue the next stage without looking at the item's other rows; otherwise settle the item."""
    stage = plan.stages.get(stage_id)
    items = _items(group)
    if stage is None or (stage.next is None and not stage.last):
        unsettled.update(items)
        return
    if stage.last:
        connection.execute(_SQL.items_done, {"items": json.dumps(items), "now": now})
        return
    assert stage.next is not None
    following = plan.stages[stage.next]
    if connection.execute(_SQL.any_resting).fetchone()[0]:
        resting = {row[0] for row in connection.execute(_SQL.resting, {"items": json.dumps(items)})}
        unsettled |= resting
        group = [ending for ending in group if ending.claim.item.id not in resting]
        items = _items(group)
    take = min(slots.get(following.id, 0), len(group))
    if take:
        slots[following.id] -= take
        claimed = claim_next(connection, following, items[:take], lease, now, all_land=result.all_land)
        name = stage.spec.name
        for item, ending in zip(items[:take], group[:take], strict=True):
            if item not in claimed:
                unsettled.add(item)
                continue
            next_fence, attempt = claimed[item]
            before = ending.claim
            upstream = {**before.upstream, name: ending.value}
            result.claims.append(Claim(before.item, following, next_fence, attempt, upstream, now))
    if queued := items[take:]:
        result.queued.add(following.id)
        if settle.move(connection, following.id, "ready", queued, now) != len(queued):
            # The stage after this one ran before (its result outlived a pause of the item): look at the whole item.
            unsettled.update(queued)


def _items(group: Sequence[Finished]) -> list[int]:
    return [ending.claim.item.id for ending in group]


def _emit(connection: sqlite3.Connection, plan: Plan, ending: Finished, now: int, events: list[Event]) -> None:
    """Hand on what the attempt emitted; what is for a job that there is not is left out, with a warning."""
    by_job: dict[str, list[Candidate]] = defaultdict(list)
    claim = ending.claim
    for job, candidate in ending.emit:
        is_child = job == claim.stage.job and candidate.parent_key is None and candidate.key != claim.item.key
        is_itself = job == claim.stage.job and candidate.key == claim.item.key
        by = {} if is_itself else {"emitted by": f"{claim.stage.job}/{claim.item.key}"}
        parent = claim.item.key if is_child else candidate.parent_key
        by_job[job].append(replace(candidate, parent_key=parent, provenance={**candidate.provenance, **by}))
    for job, candidates in by_job.items():
        if job not in plan.jobs:
            events.append(
                Event(
                    kind="emit.refused",
                    level="warning",
                    job_id=ending.claim.stage.job_id,
                    item_id=ending.claim.item.id,
                    stage_id=ending.claim.stage.id,
                    text=f"there is no job `{safe_line(job, 80)}`; not stored for it: {len(candidates)}",
                )
            )
            continue
        items_part.upsert(
            connection,
            plan,
            plan.jobs[job],
            candidates,
            source_id=ending.claim.stage.job_id,
            origin="emit",
            run_id=None,
            now=now,
            needs_by=ending.claim.stage.spec.name,
        )


def _put_off(connection: sqlite3.Connection, ending: Left, now: int) -> Left:
    """A handler puts a row off: too often or for too long, and a person has to look instead."""
    item_id, stage = ending.claim.item.id, ending.claim.stage
    times, since = connection.execute(_SQL.patience, (item_id, stage.id)).fetchone()
    spec = stage.spec
    over = out_of_patience(times + 1, since, now, count_max=spec.later_times, age_max_s=spec.later_for_s)
    if over is None:
        return ending
    why = safe_line(f"{over}; it says: {ending.why}" if ending.why else over)
    return replace(ending, transition="hand_over", why=why, due_at=None)


def _leave(
    connection: sqlite3.Connection,
    ending: Left,
    lease: Lease,
    now: int,
    result: Endings,
    events: list[Event],
    unsettled: set[int],
    ended: Counter[tuple[int, int, str, int, int]],
) -> None:
    claim = ending.claim
    _pay(connection, ending, now, result)
    if ending.transition == "late":
        events.append(_refused(ending, ending.transition))
        return
    if ending.transition == "postpone":
        ending = _put_off(connection, ending, now)
    given_back = ending.transition in ("postpone", "release", "ask", "hand_over")
    landed = connection.execute(
        _SQL.leave,
        {
            "item": claim.item.id,
            "stage": claim.stage.id,
            "fence": claim.fence,
            "epoch": lease.epoch,
            "state": _TARGET[ending.transition],
            "due_at": ending.due_at,
            "why": ending.why,
            "choices": ending.choices,
            "give_back": int(given_back),
            "now": now,
        },
    ).rowcount
    if not landed:
        result.refused.append(claim)
        events.append(_refused(ending, ending.transition))
        return
    ended[claim.stage.job_id, claim.stage.id, ending.transition, ending.ms, ending.cost_usd_micros] += 1
    if ending.transition == "postpone":
        connection.execute(_SQL.put_off_again, {"item": claim.item.id, "stage": claim.stage.id, "now": now})
    if ending.whole_item:
        items_part.skip_open(connection, claim.item.id, ending.why or "", now)
    if ending.problem is not None:
        connection.execute(
            _SQL.record_attempt,
            {
                "item": claim.item.id,
                "stage": claim.stage.id,
                "fence": claim.fence,
                "attempt": claim.attempt,
                "started_at": claim.started_at,
                "ended_at": now,
                "error_type": ending.problem.error_type,
                "message": ending.problem.message,
                "traceback": ending.problem.traceback,
            },
        )
    if ending.transition in ("retry_later", "postpone") and ending.due_at is not None:
        result.next_later = min(result.next_later or ending.due_at, ending.due_at)
    kind, level = _EVENT[ending.transition]
    events.append(
        Event(
            kind=kind,
            level=level,
            job_id=claim.stage.job_id,
            item_id=claim.item.id,
            stage_id=claim.stage.id,
            text=ending.why,
            ms=ending.ms,
        )
    )
    connection.execute(_SQL.set_why, {"item": claim.item.id, "why": ending.why})
    unsettled.add(claim.item.id)


def _pay(connection: sqlite3.Connection, ending: Finished | Left, now: int, result: Endings) -> None:
    """Book what an attempt has cost, whatever became of it: the money is spent."""
    if ending.cost_usd_micros:
        spend.book(connection, ending.claim.stage.job_id, ending.cost_usd_micros, now)
        result.cost_usd_micros += ending.cost_usd_micros


def _refused(ending: Finished | Left, outcome: str) -> Event:
    claim, cost = ending.claim, ending.cost_usd_micros
    return Event(
        kind="attempt.refused",
        level="warning",
        job_id=claim.stage.job_id,
        item_id=claim.item.id,
        stage_id=claim.stage.id,
        text=f"the result of attempt {claim.fence} came too late and was not stored"
        + (f"; what it cost ({dollars(cost)}) is booked" if cost else ""),
        ms=ending.ms,
        data={"fence": claim.fence, "outcome": outcome},
    )
