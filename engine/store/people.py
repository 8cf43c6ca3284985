"""What a person does to items: each command journalled with how to take it back, in the same transaction.

`engine.store.undo` takes them back. What runs at that moment loses its fence, so its result is refused; a row that was
running when the command came goes back to the queue instead.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.rules.order import due_at
from engine.store import items as items_part
from engine.store import settle
from engine.store.events import Actor, Event, record
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("people")

StageRow = dict[str, Any]
_STAGE_COLUMNS = (
    "item", "stage", "state", "due_at", "fence", "attempts", "interruptions", "started_at", "ended_at", "opened_at",
    "answer", "why", "choices",
)  # fmt: skip
ITEM_COLUMNS = (
    "item", "key", "revision", "state", "closed", "closed_by", "why", "priority", "priority_by", "accepted_at",
    "snoozed_until", "title", "titled", "amended",
)  # fmt: skip


@dataclass(slots=True)
class Act:
    """One command at work: what it found, what it changed, what it left alone and why."""

    connection: sqlite3.Connection
    plan: Plan
    job: JobPlan
    now: int
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[int, list[StageRow]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    released: set[int] = field(default_factory=set)
    """Items that are snoozed or dropped no longer: their state is derived again."""
    actor: Actor = "person"

    def did(self, key: str, kind: str, text: str | None = None, *, release: bool = False) -> None:
        self.changed.append(key)
        item = self.items[key]["item"]
        if release:
            self.released.add(item)
        self.events.append(Event(kind=kind, actor=self.actor, job_id=self.job.id, item_id=item, text=text))

    def rows(self, key: str, *states: str) -> list[StageRow]:
        return [row for row in self.stages.get(self.items[key]["item"], []) if row["state"] in states]


def run_on_items(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    name: str,
    keys: Sequence[str],
    args: Mapping[str, Any],
    change: Callable[[Act, str], None],
    words: str,
    now: int,
    *,
    actor: Actor = "person",
) -> CommandOutcome:
    """Find the items, let `change` act on each, settle, journal. `words`: the message's verb, past tense."""
    act = Act(connection, plan, job, now, actor=actor)
    found = connection.execute(_SQL.find, {"job": job.id, "keys": json.dumps(list(keys))}).fetchall()
    ids = json.dumps([row[0] for row in found])
    before_items = {
        row[0]: dict(zip(ITEM_COLUMNS, row, strict=True)) for row in connection.execute(_SQL.items_now, (ids,))
    }
    for row in connection.execute(_SQL.stages_now, (ids,)):
        if row[1] in plan.stages:
            act.stages.setdefault(row[0], []).append(dict(zip(_STAGE_COLUMNS, row, strict=True)))
    act.items = {row[1]: before_items[row[0]] for row in found}
    for key in dict.fromkeys(keys):
        if key not in act.items:
            act.skipped[key] = f"no item with this key in {job.spec.name}"
        else:
            change(act, key)
    operation = None
    if act.changed:
        touched = [act.items[key]["item"] for key in act.changed]
        for item in act.released:
            if before_items[item]["snoozed_until"] is not None:
                come_back(connection, before_items[item], now)
        settle.settle(connection, plan, act.released, now, release=True)
        settle.settle(connection, plan, set(touched) - act.released, now)
        before = {
            "items": [before_items[item] for item in touched],
            "stages": _changed_rows(connection, plan, touched, act.stages),
        }
        record(connection, act.events, now)
        operation = journal(connection, job, name, args, before, now)
    return CommandOutcome(
        ok=bool(act.changed),
        message=_message(words, act),
        changed=tuple(act.changed),
        skipped=act.skipped,
        operation=operation,
    )


def journal(
    connection: sqlite3.Connection,
    job: JobPlan,
    name: str,
    args: Mapping[str, Any],
    before: Mapping[str, Any],
    now: int,
) -> int:
    """Record a command, with what takes it back; returns its number in the journal."""
    values = {"now": now, "name": name, "job": job.id, "args": json.dumps(dict(args)), "before": json.dumps(before)}
    (number,) = connection.execute(_SQL.record, values).fetchone()
    return int(number)


def _changed_rows(
    connection: sqlite3.Connection, plan: Plan, items: Sequence[int], before: Mapping[int, list[StageRow]]
) -> list[StageRow]:
    """Rows as they were that a command changed, and those after them, which their undo has to take along."""
    now_at = {(row[0], row[1]): row for row in connection.execute(_SQL.stages_now, (json.dumps(list(items)),))}
    kept: list[StageRow] = []
    for item in items:
        rows = before.get(item, [])
        moved = {row["stage"] for row in rows if tuple(row.values()) != now_at[item, row["stage"]]}
        kept += [
            row for row in rows if row["stage"] in moved or moved.intersection(plan.stages[row["stage"]].ancestors)
        ]
    return kept


def _message(words: str, act: Act) -> str:
    n = len(act.changed)
    said = f"{words} {n} {'item' if n == 1 else 'items'}" if n else "nothing changed"
    if act.skipped:
        said += f"; {reasons(act.skipped)}" if n else f": {reasons(act.skipped)}"
    return said


def reasons(skipped: Mapping[str, str]) -> str:
    """Why items were left alone, in one line."""
    key, why = next(iter(skipped.items()))
    return f"{safe_line(key, 80)}: {why}" if len(skipped) == 1 else f"{len(skipped)} not: {min(skipped.values())}"


def accept(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Open the gate that items wait at."""
    return run_on_items(connection, plan, job, "accept", keys, {"keys": list(keys)}, accept_one, "accepted", now)


def accept_one(act: Act, key: str, why: str | None = None) -> None:
    """Open the gate that an item waits at."""
    item = act.items[key]
    gates = [
        row for row in act.rows(key, "waiting") if row["opened_at"] is None and act.plan.stages[row["stage"]].spec.gate
    ]
    if not gates:
        asked = act.rows(key, "waiting")
        act.skipped[key] = (
            "it waits for an answer, not at a gate" if asked else f"it does not wait, it is {item['state']}"
        )
        return
    for row in gates:
        _open(act, row, item, None)
    act.connection.execute(_SQL.accepted, {"items": json.dumps([item["item"]]), "now": act.now})
    act.did(key, "item.accepted", why, release=True)


def _open(act: Act, row: StageRow, item: Mapping[str, Any], answer: str | None) -> None:
    act.connection.execute(
        _SQL.open_gate,
        {
            "item": row["item"],
            "stage": row["stage"],
            "now": act.now,
            "answer": answer,
            "due_at": due_at(act.now, item["priority"]),
        },
    )


def answer(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], text: str, now: int
) -> CommandOutcome:
    """Answer what a stage asked (or let go on what was held after interruptions); it starts again."""
    cleaned = safe_line(text)

    def change(act: Act, key: str) -> None:
        asked = [
            row
            for row in act.rows(key, "waiting")
            if row["opened_at"] is not None or not act.plan.stages[row["stage"]].spec.gate
        ]
        if not asked:
            act.skipped[key] = "nothing was asked"
            return
        for row in asked:
            _open(act, row, act.items[key], cleaned)
        act.did(key, "item.answered", cleaned, release=True)

    args = {"keys": list(keys), "answer": cleaned}
    return run_on_items(connection, plan, job, "answer", keys, args, change, "answered", now)


def drop(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], why: str, now: int
) -> CommandOutcome:
    """Won't do: skip what is left; only a person brings the item back."""
    cleaned = safe_line(why) or "won't do"

    def change(act: Act, key: str) -> None:
        drop_one(act, key, cleaned)

    return run_on_items(
        connection, plan, job, "drop", keys, {"keys": list(keys), "why": cleaned}, change, "dropped", now
    )


def drop_one(act: Act, key: str, why: str) -> None:
    """Won't do one item."""
    item = act.items[key]
    if item["state"] == "dropped":
        act.skipped[key] = "it is dropped already"
        return
    put_aside(act.connection, item["item"], why, act.now)
    act.did(key, "item.dropped", why)


def put_aside(connection: sqlite3.Connection, item: int, why: str, now: int) -> None:
    """Drop one item: what is left of it is skipped; the caller settles and journals."""
    items_part.skip_open(connection, item, why, now)
    connection.execute(_SQL.dropped, {"id": item, "why": why, "now": now})


def find(connection: sqlite3.Connection, job: JobPlan, key: str) -> tuple[int, str] | None:
    """Number and state of the item with this key; None: there is none."""
    row = connection.execute(_SQL.find, {"job": job.id, "keys": json.dumps([key])}).fetchone()
    return None if row is None else (row[0], row[2])


def call(connection: sqlite3.Connection, item: int, title: str, titled: str | None, now: int) -> None:
    """Call an item otherwise; `titled` is what a person calls it, None: as its source does."""
    connection.execute(_SQL.retitle, {"item": item, "title": title, "titled": titled, "now": now})


def cancel(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Skip what is left of items; what runs is stopped."""

    def change(act: Act, key: str) -> None:
        item = act.items[key]
        if item["state"] not in ("pending", "waiting", "failed", "snoozed"):
            act.skipped[key] = f"nothing is left of it, it is {item['state']}"
            return
        items_part.close(connection, item["item"], "cancelled", "cancelled", now, by="person")
        act.did(key, "item.cancelled", release=True)

    return run_on_items(connection, plan, job, "cancel", keys, {"keys": list(keys)}, change, "cancelled", now)


def snooze(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], until: int, why: str, now: int
) -> CommandOutcome:
    """Look at items again at `until` (ms UTC); `why` stands beside that time until then."""
    reason = safe_line(why) or None

    def change(act: Act, key: str) -> None:
        snooze_one(act, key, until, reason)

    args = {"keys": list(keys), "until": until, **({} if reason is None else {"why": reason})}
    return run_on_items(connection, plan, job, "snooze", keys, args, change, "snoozed", now)


def snooze_one(act: Act, key: str, until: int, why: str | None = None) -> None:
    """Put one item off."""
    item = act.items[key]
    values = {"id": item["item"], "until": until, "why": why, "now": act.now}
    if not act.connection.execute(_SQL.snoozed, values).rowcount:
        act.skipped[key] = f"it is {item['state']}"
        return
    act.connection.execute(_SQL.put_off, {"item": item["item"], "until": until, "before": item["snoozed_until"]})
    act.did(key, "item.snoozed", why)


def prioritise(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], priority: int | None, now: int
) -> CommandOutcome:
    """Set a person's priority; None takes it away."""

    def change(act: Act, key: str) -> None:
        prioritise_one(act, key, priority)

    words = "took the priority from" if priority is None else f"set P{priority} for"
    return run_on_items(
        connection, plan, job, "prioritise", keys, {"keys": list(keys), "priority": priority}, change, words, now
    )


def prioritise_one(act: Act, key: str, priority: int | None) -> None:
    """Set the priority of one item."""
    item = act.items[key]
    if item["state"] in ("dropped", "gone"):
        act.skipped[key] = f"it is {item['state']}"
        return
    if item["priority"] == priority:
        act.skipped[key] = "it has this priority already"
        return
    act.connection.execute(_SQL.prioritise, {"id": item["item"], "priority": priority, "now": act.now})
    act.connection.execute(_SQL.requeue, {"item": item["item"], "due_at": due_at(act.now, priority)})
    act.did(key, "item.prioritised", "no priority" if priority is None else f"P{priority}")


def retry(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Try the failed stages of items again; the item keeps its own priority."""

    def change(act: Act, key: str) -> None:
        item = act.items[key]
        failed = act.rows(key, "failed")
        if not failed:
            act.skipped[key] = "no stage of it failed"
            return
        for row in failed:
            connection.execute(
                _SQL.retry, {"item": row["item"], "stage": row["stage"], "due_at": due_at(now, item["priority"])}
            )
        act.did(key, "item.retried", release=True)

    return run_on_items(connection, plan, job, "retry", keys, {"keys": list(keys)}, change, "will retry", now)


def reset(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, stage: int, keys: Sequence[str], now: int
) -> CommandOutcome:
    """Run a stage of items again, and what depends on it; what was made stays until it is replaced."""
    again = {stage, *(number for number in job.stages if stage in plan.stages[number].ancestors)}

    def change(act: Act, key: str) -> None:
        item = act.items[key]
        if item["state"] in ("dropped", "gone"):
            act.skipped[key] = f"it is {item['state']}"
            return
        rows = {row["stage"]: row for row in act.stages.get(item["item"], [])}
        if stage not in rows or rows[stage]["state"] not in ("done", "failed"):
            act.skipped[key] = f"it is not done at {plan.stages[stage].spec.name}"
            return
        for number in again & rows.keys():
            connection.execute(_SQL.reset_stage, {"item": rows[number]["item"], "stage": number})
        act.did(key, "item.reset", plan.stages[stage].spec.name)

    args = {"stage": plan.stages[stage].spec.name, "keys": list(keys)}
    return run_on_items(connection, plan, job, "reset", keys, args, change, "will run again:", now)


def come_back(connection: sqlite3.Connection, item: Mapping[str, Any], now: int) -> None:
    """What a snooze has put off comes back with its item."""
    values = {"item": item["item"], "until": item["snoozed_until"], "due_at": due_at(now, item["priority"])}
    connection.execute(_SQL.come_back, values)
