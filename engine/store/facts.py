"""What steers an item: its priority, and why nothing of it may start, from its fields, its policy and its needs.

Facts are decided when an item is stored or changed, never when something is claimed: what is held stands at `blocked`,
outside the queue, so a claim costs the same however much is held.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from engine.kit.safe_text import safe_line
from engine.rules.conditions import fields
from engine.rules.eligibility import item_hold
from engine.rules.order import slack_ms
from engine.rules.priority import judge
from engine.store import recurrence, settle
from engine.store.events import Event, record
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("facts")

RENEWED_AT_ONCE: Final = 1_000


def decide(connection: sqlite3.Connection, plan: Plan, items: Collection[int], now: int) -> set[int]:
    """Decide the facts of these items; returns those that are held, or are not any more, to be settled."""
    ids = json.dumps(sorted(items))
    unmet: dict[int, list[str]] = defaultdict(list)
    for item_id, key, _ in connection.execute(_SQL.unmet, (ids,)):
        unmet[item_id].append(key)
    changed: set[int] = set()
    for row in connection.execute(_SQL.rows, (ids,)).fetchall():
        item_id, priority, held = row[0], row[12], row[15]
        new, new_by, new_why, new_held = _facts(plan.job_of(row[1]), row, unmet.get(item_id, ()), now)
        if (new, new_by, new_why, new_held) == row[12:]:
            continue
        values = {"id": item_id, "priority": new, "by": new_by, "why": new_why, "held": new_held}
        connection.execute(_SQL.store, values)
        if new != priority:
            connection.execute(_SQL.shift, {"item": item_id, "shift": slack_ms(new) - slack_ms(priority)})
        if (new_held is None) != (held is None):
            changed.add(item_id)
    return changed


def _facts(
    job: JobPlan, row: tuple[Any, ...], unmet: Sequence[str], now: int
) -> tuple[int | None, str | None, str | None, str | None]:
    """(priority, who gave it, what the policy says, why it is held)."""
    _, _, key, title, data, signals, given, origin, source, path, confidence, signalled_at, priority, by, _, _ = row
    spec = job.spec
    told = _stage_says(signals) if signalled_at is not None else None
    filters = spec.eligibility.fields if spec.eligibility is not None else ()
    found: Mapping[str, Any] = {}
    if spec.priority or filters:
        known = {"key": key, "title": title, "source": source, "origin": origin, "path": path}
        known |= {"confidence": confidence, "priority": given}
        found = fields(data=json.loads(data), signals=json.loads(signals), known=known, now=now)
    why = None
    if spec.priority:
        # What an internal job finds has no priority before a stage has looked at it.
        judged = judge(spec.priority, found) if not spec.internal or signalled_at is not None else None
        why = safe_line(judged.why, 500) if judged is not None else "no stage has given signals yet"
        if by != "person":
            priority = judged.priority if judged is not None and judged.priority is not None else given
    else:
        if by != "person":
            priority = given if given is not None or told is None else told[0]
        why = told[1] if told is not None else None
    held = item_hold(filters, found)
    if unmet:
        more = f" and {len(unmet) - 1} more" if len(unmet) > 1 else ""
        held = f"it waits for {unmet[0]}{more}"
    return (
        priority,
        by if by == "person" else "source" if priority is not None else None,
        why,
        (None if held is None else safe_line(held, 300)),
    )


def _stage_says(signals: str) -> tuple[int, str] | None:
    """The priority that a stage gives, and why (`Done.signals`); None: no stage gives one."""
    if '"priority"' not in signals:
        return None
    told = json.loads(signals)
    priority = told.get("priority")
    if isinstance(priority, bool) or priority not in (0, 1, 2, 3):
        return None
    return priority, safe_line(str(told.get("priority_why") or "a stage says so"), 500)


def has_needs(connection: sqlite3.Connection, job: JobPlan) -> bool:
    """Whether any item of a job waits for another one."""
    return bool(connection.execute(_SQL.has_deps, (job.id,)).fetchone()[0])


def set_needs(
    connection: sqlite3.Connection, job: JobPlan, item_id: int, key: str, needs: Sequence[str], now: int, by: str = ""
) -> bool:
    """Say for which other items of its job one waits; returns whether that is new. A circle is not closed.

    `by`: the stage that says so, empty for its source. Each takes back only what it has said itself.
    """
    wanted = sorted({one for one in needs if one != key})
    known = [row[0] for row in connection.execute(_SQL.deps_of, (item_id, by))]
    if wanted == known:
        return False
    connection.execute(_SQL.drop_deps, (item_id, by))
    free = []
    for one in wanted:
        values = {"keys": json.dumps([one]), "job": job.id, "key": key}
        if connection.execute(_SQL.in_circle, values).fetchone()[0]:
            text = f"it does not wait for {safe_line(one, 100)}, which waits for it"
            event = Event(kind="item.circle", level="warning", job_id=job.id, item_id=item_id, text=text)
            record(connection, [event], now)
        else:
            free.append(one)
    connection.executemany(_SQL.add_dep, [(item_id, job.id, one, by) for one in free])
    return free != known


def note_new(connection: sqlite3.Connection, items: Sequence[int]) -> None:
    """These items are finished as they are put in: others may wait for them."""
    connection.executemany(_SQL.note_moved, [(item,) for item in items])


def add_signals(connection: sqlite3.Connection, item_id: int, signals: Mapping[str, Any], now: int) -> None:
    """A stage gave signals of an item; what it does not know (None) replaces nothing. The caller decides the facts."""
    given = {name: value for name, value in signals.items() if value is not None}
    connection.execute(_SQL.signal, {"item": item_id, "signals": json.dumps(given), "now": now})


def follow(connection: sqlite3.Connection, plan: Plan, now: int) -> bool:
    """Items have changed their state: let those go on that waited for them, or hold them again; note when they recur.

    Called at the end of every transaction; it costs one look at an empty table where nothing waits for anything.
    Returns whether something may have become ready, or is to come back.
    """
    followed = False
    while moved := connection.execute(_SQL.moved).fetchall():
        connection.execute(_SQL.forget_moved)
        recurrence.note(connection, plan, moved)
        ids = json.dumps([row[0] for row in moved])
        waiting = {row[0] for row in connection.execute(_SQL.dependents, (ids,))}
        if waiting:
            settle.settle(connection, plan, decide(connection, plan, waiting, now), now)
        followed = True
    return followed


def renew(connection: sqlite3.Connection, plan: Plan, now: int) -> bool:
    """Decide some facts anew that an older configuration has decided; returns whether more are left."""
    jobs = {job.id: job for job in plan.jobs.values()}
    for job_id, after in connection.execute(_SQL.to_renew).fetchall():
        if job_id not in jobs:
            continue
        values = {"job": job_id, "after": after, "n": RENEWED_AT_ONCE}
        ids = [row[0] for row in connection.execute(_SQL.after, values)]
        settle.settle(connection, plan, decide(connection, plan, ids, now), now)
        recurrence.renew(connection, plan, job_id, ids)
        last = ids[-1] if len(ids) == RENEWED_AT_ONCE else None
        connection.execute(_SQL.renewed_to, {"job": job_id, "after": last})
        return True
    return False
