"""Leases: claim, extend, give back, take over from the dead, and wake what waited for a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.contracts.errors import StateError
from engine.contracts.values import dataclass
from engine.rules.order import SLACK_MS, UNPRIORITISED_SLACK_MS
from engine.rules.retry import after_interruption
from engine.store import checkpoints, counts, recurrence, settle, spend
from engine.store.checksum import check_output
from engine.store.events import Event, record
from engine.store.plan import Plan, StagePlan
from engine.store.sql import queries

_SQL = queries("claims")
_DAMAGED: Final = "a result before this stage is damaged: it does not match its checksum"
_BROKEN: Final = "the item is damaged: what is stored of it cannot be read; see `rivus db check`"


class ClaimedItem(NamedTuple):
    """The item as it was at the claim."""

    id: int
    key: str
    title: str
    data: Mapping[str, Any]
    path: str | None
    line: int | None
    headings: tuple[str, ...]
    priority: int | None
    signals: Mapping[str, Any] = {}


@dataclass(slots=True)
class Claim:
    """The right to run one item at one stage, until its lease ends or its fence rises.

    Nobody changes it. It is not frozen, and no tuple, because one is made and looked into for each attempt: this takes
    half the time.
    """

    item: ClaimedItem
    stage: StagePlan
    fence: int
    attempt: int
    """1 for the first; postponed and interrupted ones are not counted."""
    upstream: Mapping[str, Mapping[str, Any]]
    started_at: int
    answer: str | None = None
    """What a person answered to the question of an earlier attempt."""
    checkpoint: Any = None
    """What an earlier attempt saved; None: nothing."""
    alone: bool = False
    """Nothing else runs: it was interrupted so often that it may be what stops the engine."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Whose claims these are, and until when."""

    epoch: int
    until: int


def claim(connection: sqlite3.Connection, plan: Plan, stage_id: int, n: int, lease: Lease, now: int) -> list[Claim]:
    """Claim up to `n` ready rows of one stage, the most due first, with all that a handler needs."""
    claimed: list[Claim] = []
    while len(claimed) < n:
        values = {"stage": stage_id, "n": n - len(claimed), "now": now}
        values |= {"epoch": lease.epoch, "lease_until": lease.until}
        rows = connection.execute(_SQL.claim, values).fetchall()
        if not rows:
            break
        counts.stages_moved(connection, stage_id, "ready", "running", len(rows))
        good = claims_of(connection, plan, stage_id, rows, lease, now)
        claimed += good
        if len(good) == len(rows):
            break
        # What cannot run has failed and holds no place: the next in the queue have it, or they would wait for nothing.
    return claimed


def claims_of(
    connection: sqlite3.Connection,
    plan: Plan,
    stage_id: int,
    rows: Sequence[tuple[int, int, int, str | None]],
    lease: Lease,
    now: int,
) -> list[Claim]:
    """Read what handlers need of rows that were just claimed: (item, fence, attempt, answer) of one stage.

    A row that a damaged result stands before, or whose item is damaged, has failed at once: altered data is never
    served, and it stops no other.
    """
    stage = plan.stages[stage_id]
    ids = json.dumps([row[0] for row in rows])
    items, broken = _items(connection, ids)
    upstream, damaged = _upstream(connection, plan, stage, ids) if stage.ancestors else ({}, set())
    saved = checkpoints.load(connection, stage_id, [row[0] for row in rows])
    if broken:
        _fail_damaged(connection, plan, stage, broken, _BROKEN, lease, now)
    if damaged := damaged - broken:
        _fail_damaged(connection, plan, stage, damaged, _DAMAGED, lease, now)
    return [
        Claim(items[item_id], stage, fence, attempt, upstream.get(item_id, {}), now, answer, saved.get(item_id))
        for item_id, fence, attempt, answer in rows
        if item_id not in damaged and item_id in items
    ]


def as_if_claimed(
    connection: sqlite3.Connection, plan: Plan, stage: StagePlan, items: Sequence[int], now: int
) -> list[Claim]:
    """Return what a handler would be given of these items, without claiming anything; what is damaged is left out."""
    ids = json.dumps(items)
    upstream, damaged = _upstream(connection, plan, stage, ids) if stage.ancestors else ({}, set())
    found, _ = _items(connection, ids)
    return [
        Claim(item, stage, 0, 1, upstream.get(item.id, {}), now) for item in found.values() if item.id not in damaged
    ]


def has_ready(connection: sqlite3.Connection, stage_id: int) -> bool:
    """Whether anything queues at this stage."""
    return bool(connection.execute(_SQL.has_ready, (stage_id,)).fetchone()[0])


def queued(connection: sqlite3.Connection, stages: Collection[int]) -> set[int]:
    """Return those of these stages at which anything queues."""
    return {stage for (stage,) in connection.execute(_SQL.queued, (json.dumps(list(stages)),))}


class NotAll(Exception):
    """Not all rows of a set were as expected; which of them were has to be asked."""


def claim_next(
    connection: sqlite3.Connection, stage: StagePlan, items: Sequence[int], lease: Lease, now: int, *, all_land: bool
) -> dict[int, tuple[int, int]]:
    """Claim the given items at the stage after the one just done; returns item → (fence, attempt).

    `all_land`: no row has to be asked, because all of them run there for the first time; NotAll when that is wrong.
    """
    ids = json.dumps(items)
    values = {"stage": stage.id, "items": ids, "epoch": lease.epoch, "lease_until": lease.until, "now": now}
    if all_land:
        if connection.execute(_SQL.claim_next_first, values).rowcount != len(items):
            raise NotAll
        counts.stages_moved(connection, stage.id, "blocked", "running", len(items))
        return dict.fromkeys(items, (1, 1))
    rows = connection.execute(_SQL.claim_next, values).fetchall()
    counts.stages_moved(connection, stage.id, "blocked", "running", len(rows))
    return {item_id: (fence, attempt) for item_id, fence, attempt in rows}


def _items(connection: sqlite3.Connection, ids: str) -> tuple[dict[int, ClaimedItem], set[int]]:
    """Items by number, and those of which something stored cannot be read any more."""
    found: dict[int, ClaimedItem] = {}
    broken: set[int] = set()
    for row in connection.execute(_SQL.items, (ids,)):
        try:
            found[row[0]] = _item(row)
        except (TypeError, ValueError):
            broken.add(row[0])
    return found, broken


def _item(row: tuple[Any, ...]) -> ClaimedItem:
    item_id, key, title, data, path, line, headings, priority, signals = row
    told = tuple(json.loads(headings)) if headings != "[]" else ()
    known = json.loads(signals) if signals != "{}" else {}
    return ClaimedItem(item_id, key, title, json.loads(data), path, line, told, priority, known)


def _upstream(
    connection: sqlite3.Connection, plan: Plan, stage: StagePlan, ids: str
) -> tuple[dict[int, dict[str, Mapping[str, Any]]], set[int]]:
    """Results by item and stage name, and the items of which one does not match its checksum."""
    found: dict[int, dict[str, Mapping[str, Any]]] = {}
    damaged: set[int] = set()
    for item_id, stage_id, output, output_hash in connection.execute(
        _SQL.upstream, {"items": ids, "stages": json.dumps(stage.ancestors)}
    ):
        try:
            check_output(output, output_hash)
        except StateError:
            damaged.add(item_id)
            continue
        found.setdefault(item_id, {})[plan.stages[stage_id].spec.name] = json.loads(output)
    return found, damaged


def _fail_damaged(
    connection: sqlite3.Connection, plan: Plan, stage: StagePlan, items: set[int], why: str, lease: Lease, now: int
) -> None:
    values: dict[str, object] = {"stage": stage.id, "items": json.dumps(sorted(items)), "epoch": lease.epoch}
    connection.execute(_SQL.fail_damaged, {**values, "now": now, "why": why})
    settle.settle(connection, plan, items, now)
    record(
        connection,
        [
            Event(kind="stage.failed", level="error", job_id=stage.job_id, item_id=item, stage_id=stage.id, text=why)
            for item in sorted(items)
        ],
        now,
    )


def heartbeat(connection: sqlite3.Connection, lease: Lease, alive: Iterable[tuple[int, int, int]]) -> int:
    """Extend the leases of the (item, stage, fence) that this engine knows to be alive; returns how many."""
    values = {"epoch": lease.epoch, "lease_until": lease.until, "alive": json.dumps(list(alive))}
    return connection.execute(_SQL.heartbeat, values).rowcount


def reclaim(
    connection: sqlite3.Connection, plan: Plan, epoch: int, now: int, *, running: Iterable[tuple[int, int, int]] = ()
) -> int:
    """Give rows of a dead epoch, and rows whose lease ended, back to the queue; returns how many.

    The one routine for it, used at start and while running. `running` names the (item, stage, fence) that this engine
    knows to be alive. A row that was running in several crashes runs alone next, or is held for a person
    (`engine.rules.retry`).
    """
    alive = set(running)
    events = []
    for item_id, stage_id, fence, interruptions, alone in connection.execute(
        _SQL.orphans, {"epoch": epoch, "now": now}
    ).fetchall():
        if (item_id, stage_id, fence) in alive:
            continue
        stage = plan.stages.get(stage_id)
        policy = stage.spec.on_interrupt if stage else "retry"
        state, why = after_interruption(interruptions + 1, alone=bool(alone), policy=policy)
        values = {"item": item_id, "stage": stage_id, "fence": fence, "now": now, "why": why}
        connection.execute(_SQL.reclaim, {**values, "state": state})
        events.append(
            Event(
                kind="stage.interrupted",
                level="warning",
                job_id=stage.job_id if stage else None,
                item_id=item_id,
                stage_id=stage_id,
                text=why if state != "ready" else None,
            )
        )
    # What rests (snoozed) must not have got a row in the queue, and what is held waits for a person.
    settle.settle(connection, plan, {event.item_id for event in events if event.item_id is not None}, now)
    record(connection, events, now)
    return len(events)


def wake(connection: sqlite3.Connection, plan: Plan, now: int) -> int | None:
    """Move rows and snoozed items whose time has come back; returns when the next one comes, or None."""
    woken = connection.execute(
        _SQL.wake,
        {
            "now": now,
            "p0": SLACK_MS[0],
            "p1": SLACK_MS[1],
            "p2": SLACK_MS[2],
            "p3": SLACK_MS[3],
            "p_none": UNPRIORITISED_SLACK_MS,
        },
    ).fetchall()
    over = [row[0] for row in connection.execute(_SQL.snoozed_over, (now,))]
    settle.settle(connection, plan, over, now, release=True)
    held = connection.execute(_SQL.held, (json.dumps([row[0] for row in woken]),)).fetchall()
    settle.settle(connection, plan, [row[0] for row in held], now)
    recurrence.bring_back(connection, plan, now)
    spend.end_pauses(connection, now)
    return next_wake(connection, now)


def next_wake(connection: sqlite3.Connection, now: int) -> int | None:
    """When the next row or snoozed item comes back, ms UTC."""
    (later,) = connection.execute(_SQL.next_later, {"now": now}).fetchone()
    (snoozed,) = connection.execute(_SQL.next_snoozed).fetchone()
    times = (later, snoozed, recurrence.next_time(connection), spend.next_end(connection))
    return min((at for at in times if at is not None), default=None)


def left(connection: sqlite3.Connection, stages: Sequence[int], startable: Sequence[int], soon: int) -> bool:
    """Whether any of these stages has a row that runs, or one of the startable ones has a row that is ready or comes
    back by `soon` (ms UTC). What has ended and is not stored yet still runs here."""
    values = {"stages": json.dumps(stages), "startable": json.dumps(startable), "soon": soon}
    return bool(connection.execute(_SQL.left, values).fetchone()[0])


def lost(connection: sqlite3.Connection, alive: Iterable[tuple[int, int, int]]) -> set[tuple[int, int]]:
    """(item, stage) of the running attempts (item, stage, fence) that do not hold their row any more."""
    gone = set()
    for item_id, stage_id, fence in alive:
        row = connection.execute(_SQL.running_fence, (item_id, stage_id)).fetchone()
        if row is None or row[0] != fence:
            gone.add((item_id, stage_id))
    return gone
