"""Sets of items as a person is asked about them, and commands on sets as screens show them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine.contracts.bulk import BulkLook, BulkView
from engine.contracts.view import ItemQuery
from engine.rules.id_set import pack
from engine.store import item_lists
from engine.store.bulks import eligible, stages_again, view, why_not
from engine.store.forecasts import forecast
from engine.store.sql import queries

_SQL = queries("bulk_views")
_AT_ONCE: Final = 2_000
_SAMPLE: Final = 5
_STARTS: Final = ("accept", "retry")
"""Commands after which something runs."""


def ids(connection: sqlite3.Connection, query: ItemQuery, now: int) -> list[int]:
    """Return the numbers of all items of a query."""
    found, values = item_lists.where(connection, query, now)
    return [row[0] for row in connection.execute("\n".join((_SQL.ids, *found)), values)]


def look(connection: sqlite3.Connection, name: str, args: Mapping[str, Any], targets: Sequence[int]) -> BulkLook:
    """Look at a set for a command: what it would change, leave alone, cost and take."""
    jobs: Counter[str] = Counter()
    work: Counter[int] = Counter()
    sample: list[str] = []
    n = 0
    again = json.dumps(stages_again(connection, str(args["stage"]))) if name == "reset" else ""
    for batch in _batches(targets):
        found = eligible(connection, name, args, batch)
        n += len(found)
        values = {"items": json.dumps(found)}
        jobs.update(dict(connection.execute(_SQL.jobs, values).fetchall()))
        if name in _STARTS:
            work.update(dict(connection.execute(_SQL.would_run, values).fetchall()))
        if again:
            work.update(dict(connection.execute(_SQL.runs_again, {**values, "again": again}).fetchall()))
        if len(sample) < _SAMPLE:
            more = json.dumps(found[: _SAMPLE - len(sample)])
            sample += [row[0] for row in connection.execute(_SQL.titles, {"items": more})]
    return BulkLook(
        targets=pack(targets),
        total=len(targets),
        eligible=n,
        why_not=why_not(name),
        jobs=dict(jobs.most_common()),
        sample=tuple(sample),
        forecast=forecast(connection, work),
    )


def newest(connection: sqlite3.Connection, since: int) -> BulkView | None:
    """Return the newest command on a set that goes on, or has ended since a time (ms UTC)."""
    row = connection.execute(_SQL.newest, {"since": since}).fetchone()
    return None if row is None else view(row)


def one(connection: sqlite3.Connection, operation: int) -> BulkView | None:
    """Return one by its number in the journal."""
    row = connection.execute(_SQL.one, (operation,)).fetchone()
    return None if row is None else view(row)


def _batches(targets: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(targets), _AT_ONCE):
        yield targets[at : at + _AT_ONCE]
