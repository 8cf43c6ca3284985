"""Takes back what a person did: puts back what a command set, as the journal kept it.

Items that a later command or the world has changed since are left alone, and the outcome says why.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.rules.order import due_at
from engine.store import adjustments, amends, doctor_undo, facts, pauses, people, settle, versions
from engine.store import items as items_part
from engine.store.events import Event, record
from engine.store.people import ITEM_COLUMNS, StageRow, come_back, reasons
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("people")


def undo(connection: sqlite3.Connection, plan: Plan, now: int, operation: int | None = None) -> CommandOutcome:
    """Take back the newest command, or the one with this number.

    What something else has happened to since is left as it is, and the outcome says why. The newest command of which
    nothing could be taken back is passed over from then on, so that those before it can be reached.
    """
    row = connection.execute(_SQL.last_operation, {"id": operation}).fetchone()
    if row is None:
        return CommandOutcome(ok=False, message="there is nothing to undo")
    number, name, job_id, raw = row
    if name == "adjust":
        what = adjustments.take_back(connection, json.loads(raw), now)
        connection.execute(_SQL.undone, (now, number))
        record(connection, [Event(kind="operation.undone", actor="person", text=what)], now)
        told = {"limits": True}
        return CommandOutcome(ok=True, message=f"undid {what}", changed=(what,), operation=number, data=told)
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
    elif name == "add":
        keys, skipped = _take_away(connection, plan, job, before, now)
        what = f"add {keys[0]}" if keys else name
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
        return CommandOutcome(ok=False, message=f"cannot undo {name}: {reasons(skipped)}", skipped=skipped)
    event = Event(
        kind="operation.undone", actor="person", job_id=job.id, item_id=items[0] if len(items) == 1 else None, text=name
    )
    record(connection, [event], now)
    message = f"undid {what}; {reasons(skipped)}" if skipped else f"undid {what}"
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
    restored: list[int] = []
    skipped: dict[str, str] = {}
    for values in found:
        item = dict(zip(ITEM_COLUMNS, values, strict=True))
        old = then[item["item"]]
        deed = old.get("deed", name)  # rules of triage do several things in one operation
        why = "a later command changed it too" if item["item"] in touched else _moved_on(deed, old, item)
        if why:
            skipped[item["key"]] = why
            continue
        if deed in ("drop", "cancel", "merge"):
            stages = json.dumps([stage for stage in job.stages if plan.stages[stage].spec.enabled])
            connection.execute(_SQL.revive, {"item": item["item"], "why": item["why"], "stages": stages})
        _RESTORE.get(deed, _put_back)(connection, old, item, rows.get(item["item"], []), now)
        restored.append(item["item"])
    if name == "amend":
        facts.decide(connection, plan, restored, now)
    items_part.put_back(connection, plan, restored, now)
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
    content_matters = name not in ("prioritise", "snooze", "edit", "amend", "start")
    if content_matters and known is not None and item["revision"] != known:
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
    come_back(connection, item, now)
    _put_back_in_time(connection, rows)


def _put_back_in_time(connection: sqlite3.Connection, rows: list[StageRow]) -> None:
    for row in rows:
        if row["state"] in ("ready", "later"):
            connection.execute(_SQL.put_back, row)


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


def _put_title_back(
    connection: sqlite3.Connection, old: Mapping[str, Any], item: Mapping[str, Any], rows: list[StageRow], now: int
) -> None:
    people.call(connection, old["item"], old["title"], old["titled"], now)


def _put_data_back(
    connection: sqlite3.Connection, old: Mapping[str, Any], item: Mapping[str, Any], rows: list[StageRow], now: int
) -> None:
    amends.take_back(connection, old["item"], old["amended"], now)


def _put_first_back(
    connection: sqlite3.Connection, old: Mapping[str, Any], item: Mapping[str, Any], rows: list[StageRow], now: int
) -> None:
    _put_back_in_time(connection, rows)


_Restore = Callable[[sqlite3.Connection, Mapping[str, Any], Mapping[str, Any], list[StageRow], int], None]

_RESTORE: Final[Mapping[str, _Restore]] = {
    "prioritise": _put_priority_back,
    "snooze": _end_snooze,
    "edit": _put_title_back,
    "amend": _put_data_back,
    "start": _put_first_back,
}


def _take_away(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, before: Mapping[str, Any], now: int
) -> tuple[tuple[str, ...], dict[str, str]]:
    """An item that a person has added is dropped again, where nothing has come of it; returns its key, or why not."""
    key = str(before["added"])
    found = people.find(connection, job, key)
    if found is None or found[1] in ("done", "dropped"):
        return (), {key: f"it is {found[1]}" if found is not None else "it is not there any more"}
    people.put_aside(connection, found[0], "added by mistake", now)
    return (key,), {}
