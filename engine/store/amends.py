"""What a person says of the data of an item: fields set or taken away, kept whatever its source says later."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.kit.compact_json import encode
from engine.kit.safe_text import safe_line
from engine.rules.amended import laid_over
from engine.store import facts, settle
from engine.store.people import Act, run_on_items
from engine.store.plan import JobPlan, Plan
from engine.store.sql import queries

_SQL = queries("amends")
_MOST = 65_536
"""Bytes of JSON that a person may set in one item."""


def amend(
    connection: sqlite3.Connection, plan: Plan, job: JobPlan, keys: Sequence[str], fields: Mapping[str, Any], now: int
) -> CommandOutcome:
    """Set fields of the data of items; None takes one away. A stage that runs keeps what it was given."""
    told = _text(fields)
    ids: list[int] = []

    def change(act: Act, key: str) -> None:
        item = act.items[key]["item"]
        data, given, before = connection.execute(_SQL.data, (item,)).fetchone()
        amended = {**json.loads(before or "{}"), **fields}
        new = laid_over(json.loads(given or data), amended)
        if new == json.loads(data):
            act.skipped[key] = "its data says so already"
            return
        store(connection, item, new, given or data, _text(amended), now)
        ids.append(item)
        act.did(key, "item.amended", safe_line(", ".join(fields), 200))

    args = {"keys": list(keys), "fields": json.loads(told)}
    outcome = run_on_items(connection, plan, job, "amend", keys, args, change, "changed the data of", now)
    settle.settle(connection, plan, facts.decide(connection, plan, ids, now), now)
    return outcome


def take_back(connection: sqlite3.Connection, item: int, amended: str | None, now: int) -> None:
    """Put the data of an item back to what its source says, with what was set before laid over it."""
    data, given, _ = connection.execute(_SQL.data, (item,)).fetchone()
    source = json.loads(given or data)
    new = laid_over(source, json.loads(amended or "{}"))
    store(connection, item, new, None if amended is None else given, amended, now)


def store(
    connection: sqlite3.Connection, item: int, data: Mapping[str, Any], given: str | None, amended: str | None, now: int
) -> None:
    """Write the data of an item, what its source says beneath it, and what a person has set."""
    values = {"item": item, "data": encode(dict(data)), "given": given, "amended": amended}
    connection.execute(_SQL.amend, {**values, "now": now})


def _text(fields: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(dict(fields), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UseError(f"`amend`: not JSON: {error}") from None
    if len(text.encode("utf-8", "surrogatepass")) > _MOST:
        raise UseError(f"`amend`: more than {_MOST:,} bytes")
    return text
