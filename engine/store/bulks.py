"""A command on a set of items: begun once, then one batch a transaction, so that nobody waits for its end.

What it changes is kept as it was, so that all of it can be taken back, batch by batch as well. The set, and how far it
has come, stand in the state file: what a stop or a crash interrupts goes on at the next start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.contracts.bulk import BulkView
from engine.contracts.errors import UseError
from engine.contracts.states import StageState
from engine.contracts.values import dataclass
from engine.kit.safe_text import safe_line
from engine.rules.id_set import unpack
from engine.rules.order import SLACK_MS, UNPRIORITISED_SLACK_MS
from engine.store import items as items_part
from engine.store import settle
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("bulks")

_SLACK: Final = {
    **{f"p{priority}": slack for priority, slack in enumerate(SLACK_MS)},
    "p_none": UNPRIORITISED_SLACK_MS,
}
_LEFT: Final[Mapping[str, str]] = {
    "accept": "it does not wait at a gate",
    "drop": "it is dropped already",
    "cancel": "nothing is left of it",
    "retry": "no stage of it failed",
    "snooze": "it is finished",
    "prioritise": "it has this priority already, or is finished for good",
    "reset": "it is not done at that stage",
}
"""Why a command leaves an item alone."""
_WHY: Final[Mapping[str, str]] = {"drop": "won't do", "cancel": "cancelled"}
"""What stands at items where a person gave no reason."""
_OPEN: Final[tuple[StageState, ...]] = ("blocked", "ready", "running", "waiting", "later", "failed")
_TOUCHES: Final[Mapping[str, tuple[StageState, ...]]] = {
    "accept": ("waiting", "later"),
    "drop": _OPEN,
    "cancel": _OPEN,
    "retry": ("failed", "later"),
    "snooze": ("ready", "later"),
    "prioritise": ("ready",),
}
"""States of the rows that a command may change: only these are kept for its undo. What comes after them has not run
while they have not."""
_KINDS: Final[Mapping[str, str]] = {
    "accept": "item.accepted",
    "drop": "item.dropped",
    "cancel": "item.cancelled",
    "retry": "item.retried",
    "snooze": "item.snoozed",
    "prioritise": "item.prioritised",
    "reset": "item.reset",
}
"""Event in the history of each item."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """A command on a set with what it needs to go on."""

    view: BulkView
    args: Mapping[str, Any]
    targets: str
    below: int | None


def why_not(name: str) -> str:
    """Why a command leaves items of a set alone."""
    return _LEFT[name]


def eligible(connection: sqlite3.Connection, name: str, args: Mapping[str, Any], items: Sequence[int]) -> list[int]:
    """Return those of these items that the command would change."""
    values = {"items": json.dumps(items), "priority": args.get("priority"), "stage": args.get("stage")}
    return [row[0] for row in connection.execute(getattr(_SQL, "may_" + name), values)]


def stages_again(connection: sqlite3.Connection, name: str) -> list[int]:
    """Numbers of the stages of that name, and of all that stand after them: what runs again with them."""
    return [row[0] for row in connection.execute(_SQL.stages_again, (name,))]


def begin(connection: sqlite3.Connection, name: str, args: Mapping[str, Any], targets: str, now: int) -> Bulk:
    """Journal a command on a set; nothing has changed yet. UseError for a set that is none."""
    try:
        total = len(unpack(targets))
    except ValueError as error:
        raise UseError(f"`bulk`: {error}") from None
    (number,) = connection.execute(_SQL.journal, {"now": now, "name": name, "args": json.dumps(dict(args))}).fetchone()
    connection.execute(_SQL.begin, {"id": number, "targets": targets, "total": total, "now": now})
    return find(connection, number)


def find(connection: sqlite3.Connection, number: int) -> Bulk:
    """Return one by its number in the journal."""
    row = connection.execute(_SQL.one, (number,)).fetchone()
    return Bulk(view(row[:10]), json.loads(row[10]), row[11], row[12])


def view(row: Sequence[Any]) -> BulkView:
    """Make the view of one from the first columns of its row."""
    number, name, total, looked, changed, restored, state, why, begun_at, ended_at = row
    return BulkView(
        operation=number,
        name=name,
        total=total,
        looked=looked,
        changed=changed,
        restored=restored,
        state=state,
        why=why,
        begun_at=begun_at,
        ended_at=ended_at,
    )


def unfinished(connection: sqlite3.Connection) -> list[int]:
    """Numbers of those that have not come to their end."""
    return [row[0] for row in connection.execute(_SQL.open)]


def to_undo(connection: sqlite3.Connection, operation: int | None) -> int | None:
    """Return the number of the command that an undo is about, if it was on a set."""
    row = connection.execute(_SQL.newest, {"id": operation}).fetchone()
    return row[0] if row is not None and row[1] else None


def to_redo(connection: sqlite3.Connection, number: int) -> list[int]:
    """Return the items that were taken back, to be changed again."""
    return [row[0] for row in connection.execute(_SQL.taken_back_of, (number,))]


def step(connection: sqlite3.Connection, plan: Plan, number: int, targets: Sequence[int], limit: int, now: int) -> Bulk:
    """Do the next batch of at most `limit` items, forth or back; returns how far it is then.

    `targets` is the whole set, ascending.
    """
    bulk = find(connection, number)
    if bulk.view.state == "running":
        batch = targets[bulk.view.looked : bulk.view.looked + limit]
        if batch:
            _forth(connection, plan, bulk, batch, now)
        is_over = bulk.view.looked + limit >= len(targets)
    elif bulk.view.state == "undoing":
        is_over = _back(connection, plan, bulk, limit, now)
    else:
        return bulk
    if is_over:
        connection.execute(_SQL.ended, {"bulk": number, "now": now})
        ended = find(connection, number)
        kind = "operation.undone" if ended.view.state == "undone" else "operation.done"
        record(connection, [Event(kind=kind, actor="person", text=ended.view.said)], now)
    return find(connection, number)


def _forth(connection: sqlite3.Connection, plan: Plan, bulk: Bulk, batch: Sequence[int], now: int) -> None:
    found = eligible(connection, bulk.view.name, bulk.args, batch)
    if found:
        values: dict[str, Any] = {"bulk": bulk.view.operation, "items": json.dumps(found), "now": now, **_SLACK}
        values |= {"states": json.dumps(_TOUCHES.get(bulk.view.name)), "until": None, "priority": None}
        values |= {"why": _WHY.get(bulk.view.name), **bulk.args}
        if bulk.view.name == "reset":
            values["again"] = json.dumps(stages_again(connection, str(bulk.args["stage"])))
        connection.execute(_SQL.keep_items, values)
        connection.execute(_SQL.keep_again if bulk.view.name == "reset" else _SQL.keep_stages, values)
        for statement in _CHANGES[bulk.view.name]:
            connection.execute(statement, values)
        settle.settle(connection, plan, found, now, release=bulk.view.name in ("accept", "cancel", "retry"))
        told = {"kind": _KINDS[bulk.view.name], "text": _told(bulk.view.name, values)}
        connection.execute(_SQL.tell_items, {**values, **told})
    left = None if len(found) == len(batch) else _LEFT[bulk.view.name]
    _moved_on(connection, bulk, bulk.view.looked + len(batch), changed=len(found), why=left)


_CHANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "accept": (_SQL.accept, _SQL.accepted),
    "drop": (_SQL.close, _SQL.dropped),
    "cancel": (_SQL.close, _SQL.cancelled),
    "retry": (_SQL.come_back, _SQL.retry),
    "snooze": (_SQL.put_off, _SQL.snoozed),
    "prioritise": (_SQL.prioritised, _SQL.requeue),
    "reset": (_SQL.reset,),
}
"""The statements of each command, in their order."""


def _told(name: str, values: Mapping[str, Any]) -> str | None:
    """What the event of each item says beside its kind."""
    if name in ("drop", "snooze"):
        return None if values["why"] is None else str(values["why"])
    if name == "reset":
        return str(values["stage"])
    if name == "prioritise":
        return "no priority" if values["priority"] is None else f"P{values['priority']}"
    return None


def take_back(connection: sqlite3.Connection, number: int, now: int) -> Bulk:
    """From here on `step` takes back what was done, the last items first; UseError when it is taken back already."""
    if not connection.execute(_SQL.take_back, {"bulk": number}).rowcount:
        raise UseError(f"operation {number} is taken back already")
    connection.execute(_SQL.undone, {"bulk": number, "now": now})
    return find(connection, number)


def _back(connection: sqlite3.Connection, plan: Plan, bulk: Bulk, limit: int, now: int) -> bool:
    """Take the next batch back; returns whether it was the last one."""
    values: dict[str, Any] = {"bulk": bulk.view.operation, "now": now, "name": bulk.view.name, **_SLACK}
    batch = [row[0] for row in connection.execute(_SQL.kept, {**values, "below": bulk.below, "n": limit})]
    if batch:
        touched = [row[0] for row in connection.execute(_SQL.touched_since, values)]
        kept_out = {**values, "items": json.dumps(batch), "touched": json.dumps(touched)}
        alone = dict(connection.execute(_SQL.left_alone, kept_out).fetchall())
        free = [item for item in batch if item not in alone]
        _restore(connection, plan, bulk, {**values, "items": json.dumps(free)})
        settle.settle(connection, plan, free, now)
        why = min(alone.values(), default=None)
        _moved_on(connection, bulk, bulk.view.looked + len(batch), restored=len(free), below=batch[-1], why=why)
    return len(batch) < limit


def _restore(connection: sqlite3.Connection, plan: Plan, bulk: Bulk, values: dict[str, Any]) -> None:
    if bulk.view.name == "prioritise":
        connection.execute(_SQL.put_priority_back, values)
        connection.execute(_SQL.requeue, values)
        connection.execute(_SQL.put_back, values)
    elif bulk.view.name == "snooze":
        connection.execute(_SQL.come_back, values)
        connection.execute(_SQL.restore_items, values)
        connection.execute(_SQL.put_back, values)
    else:
        if bulk.view.name in ("drop", "cancel"):
            enabled = [number for number, stage in plan.stages.items() if stage.spec.enabled]
            why = bulk.args.get("why", _WHY[bulk.view.name])
            connection.execute(_SQL.revive, {**values, "why": why, "stages": json.dumps(enabled)})
        connection.execute(_SQL.restore_stages, values)
        connection.execute(_SQL.restore_items, values)
        items_part.put_back(connection, plan, json.loads(values["items"]), values["now"])
    connection.execute(_SQL.taken_back, values)


def _moved_on(
    connection: sqlite3.Connection,
    bulk: Bulk,
    looked: int,
    *,
    changed: int = 0,
    restored: int = 0,
    below: int | None = None,
    why: str | None,
) -> None:
    values = {"bulk": bulk.view.operation, "looked": looked, "changed": changed, "restored": restored, "below": below}
    connection.execute(_SQL.moved_on, {**values, "why": None if why is None else safe_line(why)})
