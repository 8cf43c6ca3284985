"""After stages changed: unblock what can start now, and write the items' derived state, in the same transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import cast

from engine.contracts.states import ItemState, StageState
from engine.rules.order import SLACK_MS, UNPRIORITISED_SLACK_MS
from engine.rules.states import KEPT_ITEM_STATES, SATISFIED, item_state, start_state
from engine.store.plan import Plan
from engine.store.sql import queries

_SQL = queries("settle")


def settle(
    connection: sqlite3.Connection, plan: Plan, items: Collection[int], now: int, *, release: bool = False
) -> None:
    """Unblock and derive for these items; rows of removed stages are ignored.

    `release` also derives the state of items that were snoozed, dropped or gone. Otherwise those keep it, and nothing
    of them starts: what becomes ready of a snoozed item comes back with it. Only what is closed is snoozed no longer.
    """
    if not items:
        return
    moves: dict[tuple[int, StageState], list[int]] = defaultdict(list)
    targets: dict[tuple[ItemState, ItemState], list[int]] = defaultdict(list)
    snoozed: list[int] = []
    # Thousands of items are of a few kinds: each kind is decided once.
    for old, closed, held, stages, raw in connection.execute(_SQL.alike, (json.dumps(sorted(set(items))),)).fetchall():
        kept = old in KEPT_ITEM_STATES and not release
        if kept and old != "snoozed":
            continue
        ids = json.loads(raw)
        states, moved = _unblock(plan, _rows(plan, stages), held=bool(held))
        for one in moved:
            moves[one] += ids
        if kept and closed is None:
            snoozed += ids
            continue
        new = item_state(states, closed)
        if new != old:
            targets[(old, new)] += ids
    for (stage_id, state), group in moves.items():
        move(connection, stage_id, state, group, now)
    if snoozed:
        connection.execute(_SQL.put_off, {"items": json.dumps(snoozed)})
    for (old, new), group in targets.items():
        set_item_state(connection, group, old=old, new=new, now=now)


def _rows(plan: Plan, told: str | None) -> dict[int, tuple[StageState, bool]]:
    """Return state and whether the gate was opened, by stage; rows of removed stages are left out."""
    rows: dict[int, tuple[StageState, bool]] = {}
    for one in told.split(",") if told else ():
        number, state, opened = one.split(" ")
        if int(number) in plan.stages:
            rows[int(number)] = (cast(StageState, state), opened == "1")
    return rows


def _unblock(
    plan: Plan, rows: dict[int, tuple[StageState, bool]], *, held: bool
) -> tuple[list[StageState], list[tuple[int, StageState]]]:
    """Return the states of an item's stages as they become, and which of them change."""
    states: dict[int, StageState] = {}
    moved: list[tuple[int, StageState]] = []
    for stage_id in sorted(rows, key=lambda number: plan.order[number]):
        state, opened = rows[stage_id]
        stage = plan.stages[stage_id]
        if state == "blocked":
            state = start_state(
                (states.get(before, "done") for before in stage.before),
                enabled=stage.spec.enabled,
                gated=stage.spec.gate is not None and not opened,
                held=held,
            )
            if state != "blocked":
                moved.append((stage_id, state))
        elif (state == "ready" and held) or (
            # Put off or tried again, while a new configuration put something before it.
            state in ("ready", "later") and any(states.get(before, "done") not in SATISFIED for before in stage.before)
        ):
            state = "blocked"
            moved.append((stage_id, state))
        states[stage_id] = state
    return list(states.values()), moved


def move(connection: sqlite3.Connection, stage_id: int, state: StageState, items: Iterable[int], now: int) -> int:
    """Take blocked rows of one stage to `ready`, `waiting` or `skipped`, and ready or put off ones that must wait to
    `blocked`;
    returns how many were so."""
    values: dict[str, object] = {"stage": stage_id, "items": json.dumps(list(items)), "now": now}
    if state == "ready":
        slack = {"p0": SLACK_MS[0], "p1": SLACK_MS[1], "p2": SLACK_MS[2], "p3": SLACK_MS[3]}
        return connection.execute(_SQL.unblock_ready, {**values, **slack, "p_none": UNPRIORITISED_SLACK_MS}).rowcount
    if state == "blocked":
        return connection.execute(_SQL.hold, values).rowcount
    if state == "waiting":
        return connection.execute(_SQL.unblock_waiting, values).rowcount
    return connection.execute(_SQL.unblock_skipped, values).rowcount


def set_item_state(
    connection: sqlite3.Connection, items: Iterable[int], *, old: ItemState, new: ItemState, now: int
) -> int:
    """Write the state of items that are in state `old`; returns how many were."""
    return connection.execute(
        _SQL.set_item_state, {"items": json.dumps(list(items)), "old": old, "state": new, "now": now}
    ).rowcount
