"""What a person wants of items beyond a decision: add one, call it otherwise, merge duplicates, let one go first."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.contracts.item import Candidate, Priority
from engine.kit.safe_text import safe_line
from engine.rules.candidates import flaw
from engine.store import items as items_part
from engine.store import people, provenance
from engine.store.events import Event, record
from engine.store.people import Act, run_on_items
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("wishes")


def add(
    connection: sqlite3.Connection,
    plan: Plan,
    job: JobPlan,
    title: str,
    *,
    key: str,
    priority: Priority | None,
    now: int,
) -> CommandOutcome:
    """Put in an item that no discovery has found; it waits at the gate of its job like every other."""
    text = safe_line(title, 300)
    if not text:
        return CommandOutcome(ok=False, message="an item needs a title")
    if job.spec.is_check:
        return CommandOutcome(ok=False, message=f"{job.spec.name} is a check; add it where its findings go")
    candidate = Candidate(
        key=key,
        title=text,
        data={"text": text, "raw": text, "confidence": "high"},
        revision=hashlib.sha256(text.encode()).hexdigest()[:16],
        confidence="high",
        priority=priority,
    )
    (number,) = items_part.upsert(
        connection, plan, job, [candidate], source_id=job.id, origin="manual", run_id=None, now=now
    ).seen
    record(connection, [Event(kind="item.added", actor="person", job_id=job.id, item_id=number, text=text)], now)
    args = {"title": text, "priority": priority}
    operation = people.journal(connection, job, "add", args, {"added": key, "items": [{"item": number}]}, now)
    return CommandOutcome(
        ok=True, message=f"added {key} to {job.spec.name}: {text}", changed=(key,), operation=operation
    )


def put_in(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, items: Sequence[Mapping[str, Any]], now: int
) -> CommandOutcome:
    """Put in items that were kept elsewhere; those that are known already merge. UseError for what is no item."""
    found = [_imported(entry) for entry in items]
    if wrong := next((why for one in found if (why := flaw(one)) is not None), None):
        raise UseError(f"`import`: {wrong}")
    merged = items_part.upsert(connection, plan, job, found, source_id=job.id, origin="manual", run_id=None, now=now)
    known = len(set(merged.seen)) - merged.new
    text = f"imported {merged.new} {'item' if merged.new == 1 else 'items'}" + (
        f"; {known} known already" if known else ""
    )
    record(connection, [Event(kind="items.imported", actor="person", job_id=job.id, text=text)], now)
    return CommandOutcome(ok=True, message=text, changed=tuple(one.key for one in found))


def _imported(entry: object) -> Candidate:
    if not isinstance(entry, Mapping):
        raise UseError("`import`: items is a list of maps")
    known: dict[str, Any] = {name: entry.get(name) for name in ("key", "title", "priority", "closed")}
    return Candidate(
        **known,
        signals=entry.get("signals") or {},
        data=entry.get("data") or {},
        why="closed where it was imported from" if entry.get("closed") else "",
        confidence="high",
    )


def edit(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], title: str, now: int
) -> CommandOutcome:
    """Call items otherwise; the words of their source stay with them."""
    text = safe_line(title, 300)

    def change(act: Act, key: str) -> None:
        item = act.items[key]
        if not text or item["title"] == text:
            act.skipped[key] = "it is called so already" if text else "a title has words"
            return
        people.call(connection, item["item"], text, text, now)
        act.did(key, "item.edited", text)

    args = {"keys": list(keys), "title": text}
    return run_on_items(connection, plan, job, "edit", keys, args, change, "renamed", now)


def merge(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], into: str, now: int
) -> CommandOutcome:
    """Say that items are the same as another one: they are dropped, and it remembers where they stood."""
    found = people.find(connection, job, into)
    if found is None:
        return CommandOutcome(ok=False, message=f"no item {safe_line(into, 80)} in {job.spec.name}")
    if found[1] in ("dropped", "gone"):
        return CommandOutcome(ok=False, message=f"{safe_line(into, 80)} is {found[1]}: merge into one that is open")
    why = f"merged into {safe_line(into, 100)}"
    told: list[str] = []

    def change(act: Act, key: str) -> None:
        item = act.items[key]
        if key == into:
            act.skipped[key] = "it cannot be merged into itself"
            return
        if item["state"] in ("dropped", "done"):
            act.skipped[key] = f"it is {item['state']} already"
            return
        title, path, line = connection.execute(_SQL.place, (item["item"],)).fetchone()
        people.put_aside(connection, item["item"], why, now)
        told.append(f"{path}:{line} {title}" if path else title)
        act.did(key, "item.dropped", why)

    outcome = run_on_items(
        connection, plan, job, "merge", keys, {"keys": list(keys), "into": into}, change, "merged", now
    )
    if told:
        provenance.add(connection, found[0], {"merged": told}, now)
    return outcome


def start(connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], now: int) -> CommandOutcome:
    """Let items go before all others, now; what keeps them from starting is kept, and said."""

    def change(act: Act, key: str) -> None:
        item = act.items[key]
        held, state, why = connection.execute(_SQL.hold, (item["item"],)).fetchone()
        ready = act.rows(key, "ready")
        if state != "active":
            act.skipped[key] = f"its job is {state}{f': {why}' if why else ''}"
        elif held is not None:
            act.skipped[key] = held
        elif not ready:
            act.skipped[key] = _why_not(act, key)
        else:
            for row in ready:
                connection.execute(_SQL.go_first, {"item": row["item"], "stage": row["stage"]})
            act.did(key, "item.started")

    return run_on_items(connection, plan, job, "start", keys, {"keys": list(keys)}, change, "goes first:", now)


def _why_not(act: Act, key: str) -> str:
    """Why nothing of an item is ready."""
    for row in act.rows(key, "waiting"):
        spec = act.plan.stages[row["stage"]].spec
        if spec.gate and row["opened_at"] is None:
            return f"{spec.name} waits at gate {spec.gate}: accept it first"
        return f"{spec.name} waits for an answer"
    if act.rows(key, "running"):
        return "it runs already"
    if act.rows(key, "later"):
        return "it is put off, or tried again later"
    if act.rows(key, "failed"):
        return "it failed: retry it"
    return f"nothing is left of it, it is {act.items[key]['state']}"
