"""What a person does to items: each command journalled with how to take it back, in the same transaction.

Undo puts back what the command set, as the journal kept it, and leaves alone items that a later command or the world
has changed since. What runs at that moment loses its fence, so its result is refused; a row that was running when the
command came goes back to the queue instead.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.kit.safe_text import safe_line
from engine.rules.order import due_at
from engine.store import doctor_undo, pauses, settle, versions
from engine.store import items as items_part
from engine.store.events import Event, record
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("people")

StageRow = dict[str, Any]
_STAGE_COLUMNS = (
    "item", "stage", "state", "due_at", "fence", "attempts", "interruptions", "started_at", "ended_at", "opened_at",
    "answer", "why", "choices",
)  # fmt: skip
_ITEM_COLUMNS = (
    "item", "key", "revision", "state", "closed", "closed_by", "why", "priority", "priority_by", "accepted_at",
    "snoozed_until",
)  # fmt: skip


@dataclass(slots=True)
class _Act:
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

    def did(self, key: str, kind: str, text: str | None = None) -> None:
        self.changed.append(key)
        item = self.items[key]["item"]
        self.events.append(Event(kind=kind, actor="person", job_id=self.job.id, item_id=item, text=text))

    def rows(self, key: str, *states: str) -> list[StageRow]:
        return [row for row in self.stages.get(self.items[key]["item"], []) if row["state"] in states]


def _run(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    name: str,
    keys: Sequence[str],
    args: Mapping[str, Any],
    change: Callable[[_Act, str], None],
    words: str,
    now: int,
    *,
    release: bool = False,
) -> CommandOutcome:
    """Find the items, let `change` act on each, settle, journal. `words`: the message's verb, past tense."""
    act = _Act(connection, plan, job, now)
    found = connection.execute(_SQL.find, {"job": job.id, "keys": json.dumps(list(keys))}).fetchall()
    ids = json.dumps([row[0] for row in found])
    before_items = {
        row[0]: dict(zip(_ITEM_COLUMNS, row, strict=True)) for row in connection.execute(_SQL.items_now, (ids,))
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
        if release:
            for item in touched:
                if before_items[item]["snoozed_until"] is not None:
                    _come_back(connection, before_items[item], now)
        settle.settle(connection, plan, touched, now, release=release)
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


def _message(words: str, act: _Act) -> str:
    n = len(act.changed)
    said = f"{words} {n} {'item' if n == 1 else 'items'}" if n else "nothing changed"
    if act.skipped:
        said += f"; {_reasons(act.skipped)}" if n else f": {_reasons(act.skipped)}"
    return said


def _reasons(skipped: Mapping[str, str]) -> str:
    key, why = next(iter(skipped.items()))
    return f"{safe_line(key, 80)}: {why}" if len(skipped) == 1 else f"{len(skipped)} not: {min(skipped.values())}"


def accept(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Open the gate that items wait at."""

    def change(act: _Act, key: str) -> None:
        item = act.items[key]
        gates = [
            row
            for row in act.rows(key, "waiting")
            if row["opened_at"] is None and act.plan.stages[row["stage"]].spec.gate
        ]
        if not gates:
            asked = act.rows(key, "waiting")
            act.skipped[key] = (
                "it waits for an answer, not at a gate" if asked else f"it does not wait, it is {item['state']}"
            )
            return
        for row in gates:
            _open(act, row, item, None)
        act.connection.execute(_SQL.accepted, {"items": json.dumps([item["item"]]), "now": now})
        act.did(key, "item.accepted")

    return _run(connection, plan, job, "accept", keys, {"keys": list(keys)}, change, "accepted", now, release=True)


def _open(act: _Act, row: StageRow, item: Mapping[str, Any], answer: str | None) -> None:
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

    def change(act: _Act, key: str) -> None:
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
        act.did(key, "item.answered", cleaned)

    args = {"keys": list(keys), "answer": cleaned}
    return _run(connection, plan, job, "answer", keys, args, change, "answered", now, release=True)


def drop(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], why: str, now: int
) -> CommandOutcome:
    """Won't do: skip what is left; only a person brings the item back."""
    cleaned = safe_line(why) or "won't do"

    def change(act: _Act, key: str) -> None:
        item = act.items[key]
        if item["state"] == "dropped":
            act.skipped[key] = "it is dropped already"
            return
        items_part.skip_open(connection, item["item"], cleaned, now)
        connection.execute(_SQL.dropped, {"id": item["item"], "why": cleaned, "now": now})
        act.did(key, "item.dropped", cleaned)

    return _run(connection, plan, job, "drop", keys, {"keys": list(keys), "why": cleaned}, change, "dropped", now)


def cancel(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Skip what is left of items; what runs is stopped."""

    def change(act: _Act, key: str) -> None:
        item = act.items[key]
        if item["state"] not in ("pending", "waiting", "failed", "snoozed"):
            act.skipped[key] = f"nothing is left of it, it is {item['state']}"
            return
        items_part.close(connection, item["item"], "cancelled", "cancelled", now, by="person")
        act.did(key, "item.cancelled")

    return _run(connection, plan, job, "cancel", keys, {"keys": list(keys)}, change, "cancelled", now, release=True)


def snooze(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], until: int, now: int
) -> CommandOutcome:
    """Look at items again at `until` (ms UTC)."""

    def change(act: _Act, key: str) -> None:
        item = act.items[key]
        if not connection.execute(_SQL.snoozed, {"id": item["item"], "until": until, "now": now}).rowcount:
            act.skipped[key] = f"it is {item['state']}"
            return
        connection.execute(_SQL.put_off, {"item": item["item"], "until": until, "before": item["snoozed_until"]})
        act.did(key, "item.snoozed")

    return _run(connection, plan, job, "snooze", keys, {"keys": list(keys), "until": until}, change, "snoozed", now)


def prioritise(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], priority: int | None, now: int
) -> CommandOutcome:
    """Set a person's priority; None takes it away."""

    def change(act: _Act, key: str) -> None:
        item = act.items[key]
        if item["state"] in ("dropped", "gone"):
            act.skipped[key] = f"it is {item['state']}"
            return
        if item["priority"] == priority:
            act.skipped[key] = "it has this priority already"
            return
        connection.execute(_SQL.prioritise, {"id": item["item"], "priority": priority, "now": now})
        connection.execute(_SQL.requeue, {"item": item["item"], "due_at": due_at(now, priority)})
        act.did(key, "item.prioritised", "no priority" if priority is None else f"P{priority}")

    words = "took the priority from" if priority is None else f"set P{priority} for"
    return _run(
        connection, plan, job, "prioritise", keys, {"keys": list(keys), "priority": priority}, change, words, now
    )


def retry(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Try the failed stages of items again; the item keeps its own priority."""

    def change(act: _Act, key: str) -> None:
        item = act.items[key]
        failed = act.rows(key, "failed")
        if not failed:
            act.skipped[key] = "no stage of it failed"
            return
        for row in failed:
            connection.execute(
                _SQL.retry, {"item": row["item"], "stage": row["stage"], "due_at": due_at(now, item["priority"])}
            )
        act.did(key, "item.retried")

    return _run(connection, plan, job, "retry", keys, {"keys": list(keys)}, change, "will retry", now, release=True)


def reset(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, stage: int, keys: Sequence[str], now: int
) -> CommandOutcome:
    """Run a stage of items again, and what depends on it; what was made stays until it is replaced."""
    again = {stage, *(number for number in job.stages if stage in plan.stages[number].ancestors)}

    def change(act: _Act, key: str) -> None:
        rows = {row["stage"]: row for row in act.stages.get(act.items[key]["item"], [])}
        if stage not in rows or rows[stage]["state"] not in ("done", "failed"):
            act.skipped[key] = f"it is not done at {plan.stages[stage].spec.name}"
            return
        for number in again & rows.keys():
            connection.execute(_SQL.reset_stage, {"item": rows[number]["item"], "stage": number})
        act.did(key, "item.reset", plan.stages[stage].spec.name)

    args = {"stage": plan.stages[stage].spec.name, "keys": list(keys)}
    return _run(connection, plan, job, "reset", keys, args, change, "will run again:", now)


def undo(connection: sqlite3.Connection, plan: Plan, now: int, operation: int | None = None) -> CommandOutcome:
    """Take back the newest command, or the one with this number.

    What something else has happened to since is left as it is, and the outcome says why. The newest command of which
    nothing could be taken back is passed over from then on, so that those before it can be reached.
    """
    row = connection.execute(_SQL.last_operation, {"id": operation}).fetchone()
    if row is None:
        return CommandOutcome(ok=False, message="there is nothing to undo")
    number, name, job_id, raw = row
    job = next((job for job in plan.jobs.values() if job.id == job_id), None)
    if job is None:
        return CommandOutcome(ok=False, message="its job is not in the configuration any more")
    before = json.loads(raw)
    items: list[int] = []
    keys: tuple[str, ...]
    if name in ("bless", "revoke"):
        revoked = [one for one in before["judgements"] if versions.revoke(connection, one, now)]
        if revoked and name == "revoke":
            versions.restore(connection, before["revoked"])
        skipped = {} if revoked else {job.spec.name: "it was revoked already"}
        keys = (job.spec.name,) if revoked else ()
        what = f"{name} {job.spec.name}"
    elif name in ("pause", "resume"):
        what, why = pauses.take_back(connection, plan, job, number, name, before, now)
        skipped = {job.spec.name: why} if why else {}
        keys = () if why else (job.spec.name,)
    elif name in doctor_undo.UNDOABLE:
        why = doctor_undo.restore(connection, before, now)
        skipped = {"the incident": why} if why else {}
        keys = () if why else (str(before["incident"]),)
        what = f"{name} of incident {before['incident']}"
    else:
        items, skipped = _restore(connection, plan, job, number, name, before, now)
        keys = tuple(items_part.keys_of(connection, items))
        what = f"{name} of {len(items)} {'item' if len(items) == 1 else 'items'}"
    if keys or operation is None:
        connection.execute(_SQL.undone, (now, number))
    if not keys:
        return CommandOutcome(ok=False, message=f"cannot undo {name}: {_reasons(skipped)}", skipped=skipped)
    event = Event(
        kind="operation.undone", actor="person", job_id=job.id, item_id=items[0] if len(items) == 1 else None, text=name
    )
    record(connection, [event], now)
    message = f"undid {what}; {_reasons(skipped)}" if skipped else f"undid {what}"
    return CommandOutcome(ok=True, message=message, changed=keys, skipped=skipped, operation=number)


def _restore(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    number: int,
    name: str,
    before: Mapping[str, Any],
    now: int,
) -> tuple[list[int], dict[str, str]]:
    """Put back what a command set; returns the items, and the keys of those left as they are, with why."""
    then = {item["item"]: item for item in before["items"]}
    found = connection.execute(_SQL.items_now, (json.dumps(list(then)),)).fetchall()
    touched = {row[0] for row in connection.execute(_SQL.touched_since, {"id": number, "job": job.id})}
    rows: dict[int, list[StageRow]] = {}
    for row in before["stages"]:
        if row["stage"] in plan.stages:
            rows.setdefault(row["item"], []).append(row)
    restore = {"prioritise": _put_priority_back, "snooze": _end_snooze}.get(name, _put_back)
    restored: list[int] = []
    skipped: dict[str, str] = {}
    for values in found:
        item = dict(zip(_ITEM_COLUMNS, values, strict=True))
        old = then[item["item"]]
        why = "a later command changed it too" if item["item"] in touched else _moved_on(name, old, item)
        if why:
            skipped[item["key"]] = why
            continue
        if name in ("drop", "cancel"):
            stages = json.dumps([stage for stage in job.stages if plan.stages[stage].spec.enabled])
            connection.execute(_SQL.revive, {"item": item["item"], "why": item["why"], "stages": stages})
        restore(connection, old, item, rows.get(item["item"], []), now)
        restored.append(item["item"])
    settle.settle(connection, plan, restored, now)
    return restored, skipped


def _moved_on(name: str, old: Mapping[str, Any], item: Mapping[str, Any]) -> str | None:
    """Why a command on an item cannot be taken back any more: the world went on without it."""
    if name != "cancel" and item["closed"] is not None and item["closed"] != old["closed"]:
        return "its source closed it meanwhile"
    if item["state"] == "gone" and old["state"] != "gone":
        return "it is gone meanwhile"
    if name == "snooze" and item["state"] != "snoozed":
        return "it is not snoozed any more"
    known = old.get("revision")
    if name not in ("prioritise", "snooze") and known is not None and item["revision"] != known:
        return "its content changed meanwhile"
    return None


def _put_priority_back(
    connection: sqlite3.Connection, old: Mapping[str, Any], item: Mapping[str, Any], rows: list[StageRow], now: int
) -> None:
    connection.execute(_SQL.unprioritise, {**old, "now": now})
    connection.execute(_SQL.requeue, {"item": item["item"], "due_at": due_at(now, old["priority"])})
    _put_back_in_time(connection, rows)


def _end_snooze(
    connection: sqlite3.Connection, old: Mapping[str, Any], item: Mapping[str, Any], rows: list[StageRow], now: int
) -> None:
    connection.execute(_SQL.unsnooze, {**old, "now": now})
    _come_back(connection, item, now)
    _put_back_in_time(connection, rows)


def _put_back_in_time(connection: sqlite3.Connection, rows: list[StageRow]) -> None:
    for row in rows:
        if row["state"] in ("ready", "later"):
            connection.execute(_SQL.put_back, row)


def _come_back(connection: sqlite3.Connection, item: Mapping[str, Any], now: int) -> None:
    values = {"item": item["item"], "until": item["snoozed_until"], "due_at": due_at(now, item["priority"])}
    connection.execute(_SQL.come_back, values)


def _put_back(
    connection: sqlite3.Connection, old: Mapping[str, Any], item: Mapping[str, Any], rows: list[StageRow], now: int
) -> None:
    for row in rows:
        if row["state"] == "running":
            row |= {"state": "ready", "due_at": now, "attempts": max(0, row["attempts"] - 1)}
        connection.execute(_SQL.restore_stage, row)
        if row["state"] != "done":
            connection.execute(_SQL.drop_result, row)
    connection.execute(_SQL.restore_item, {**old, "now": now})
