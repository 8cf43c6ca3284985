"""Lists of items of any length: counted, anchored every few hundred rows, read a page at a time."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from engine.contracts.filter import Term
from engine.contracts.states import ITEM_STATES
from engine.contracts.view import ItemQuery, ItemView
from engine.store import item_rows
from engine.store.filters import conditions
from engine.store.sql import named, queries

_SQL = queries("views")
_PLAN_OF: Final = "EXPLAIN QUERY PLAN"


def where(connection: sqlite3.Connection, query: ItemQuery, now: int) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions of a query and their values; one job by itself is what the indexes begin with."""
    job, terms = _job_and_rest(query)
    found, values = conditions(terms, now)
    if job is not None:
        row = connection.execute(_SQL.job_id, (job,)).fetchone()
        return [_SQL.in_job, *found], {**values, "job": row[0] if row else -1}
    if query.scope == "all":
        return [_SQL.in_all_by_id if query.order == "created" else _SQL.in_all, *found], values
    return [_SQL.in_scope, *found], {**values, "internal": query.scope == "internal"}


def counted(connection: sqlite3.Connection, query: ItemQuery) -> int | None:
    """Return the number of items from the counters, which cost the same at any size; None: they do not tell it."""
    job, terms = _job_and_rest(query)
    states: set[str] = set(ITEM_STATES)
    for term in terms:
        if term.field != "state" or not set(term.values) <= set(ITEM_STATES):
            return None
        states = states - set(term.values) if term.negated else states & set(term.values)
    scope = {"external": (0,), "internal": (1,), "all": (0, 1)}[query.scope]
    jobs = {row["id"]: row["name"] for row in named(connection, _SQL.jobs) if row["internal"] in scope or job}
    total: int = sum(
        n
        for job_id, _, state, n in connection.execute(_SQL.item_counts)
        if state in states and (jobs.get(job_id) == job if job else job_id in jobs)
    )
    return total


def bound(connection: sqlite3.Connection, query: ItemQuery) -> int:
    """Return how many items a query has to look at, at most."""
    job, _ = _job_and_rest(query)
    found = counted(connection, ItemQuery(job=job, scope=query.scope))
    return 0 if found is None else found


def count(connection: sqlite3.Connection, query: ItemQuery, now: int) -> int:
    """Return the number of items by looking at each that may match."""
    found, values = where(connection, query, now)
    return int(connection.execute("\n".join((_SQL.items_count, *found)), values).fetchone()[0])


def anchors(
    connection: sqlite3.Connection, query: ItemQuery, step: int, now: int, is_wanted: Callable[[], bool]
) -> Sequence[tuple[Any, ...]]:
    """Return the sort keys of the rows 0, step, 2·step, …, as they stand in one transaction.

    Where an index has the order, SQLite goes from one to the next and hands out nothing between: a tenth of the time,
    and other threads have the interpreter meanwhile. InterruptedError where they are not wanted any more.
    """
    found, values = where(connection, query, now)
    sort, by = getattr(_SQL, "sort_" + query.order), getattr(_SQL, "by_" + _order(query))
    first = connection.execute("\n".join((sort, *found, by, _SQL.limited)), {**values, "limit": 1}).fetchone()
    if first is None:
        return ()
    hop = "\n".join((sort, *found, getattr(_SQL, "from_" + _order(query)), by, _SQL.one_after))
    at = {**values, "step": step, **_keys(first)}
    if any("TEMP B-TREE" in row[3] for row in connection.execute("\n".join((_PLAN_OF, hop)), at)):
        return _sorted_anchors(connection, "\n".join((sort, *found, by)), values, step)
    kept = [first]
    while (row := connection.execute(hop, at).fetchone()) is not None:
        if not is_wanted():
            raise InterruptedError
        kept.append(row)
        at |= _keys(row)
    return kept


def _sorted_anchors(
    connection: sqlite3.Connection, statement: str, values: dict[str, Any], step: int
) -> Sequence[tuple[Any, ...]]:
    """Every `step`-th row of a statement that has to sort what it finds: once is dear enough."""
    cursor = connection.execute(statement, values)
    cursor.arraysize = 2_000
    kept: list[tuple[Any, ...]] = []
    seen = 0
    while rows := cursor.fetchmany():
        kept += rows[-seen % step :: step]
        seen += len(rows)
    return kept


def page(
    connection: sqlite3.Connection, query: ItemQuery, start: tuple[Any, ...] | None, limit: int, now: int
) -> list[ItemView]:
    """Return rows from the sort key `start` on (inclusive); None: from the first."""
    found, values = where(connection, query, now)
    parts = [_SQL.item_columns, *found]
    if start is not None:
        parts.append(getattr(_SQL, "from_" + _order(query)))
        values |= _keys(start)
    parts += [getattr(_SQL, "by_" + _order(query)), _SQL.limited]
    return views(connection, connection.execute("\n".join(parts), {**values, "limit": limit}).fetchall())


def views(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[ItemView]:
    """Make views of rows of items."""
    stages: dict[int, list[item_rows.StageNow]] = defaultdict(list)
    for item_id, *stage in connection.execute(_SQL.page_stages, (json.dumps([row[0] for row in rows]),)):
        stages[item_id].append(item_rows.StageNow(*stage))
    return [item_rows.item_view(row, stages[row[0]]) for row in rows]


def _keys(row: tuple[Any, ...]) -> dict[str, Any]:
    return {f"k{position}": value for position, value in enumerate(row)}


def _order(query: ItemQuery) -> str:
    return query.order + ("_down" if query.reverse else "")


def _job_and_rest(query: ItemQuery) -> tuple[str | None, list[Term]]:
    """Return the one job that a query is about, and the terms that say more than that."""
    if query.job is not None:
        return query.job, list(query.terms)
    for index, term in enumerate(query.terms):
        if term.field == "job" and not term.negated and len(term.values) == 1 and query.scope == "all":
            return term.values[0], [*query.terms[:index], *query.terms[index + 1 :]]
    return None, list(query.terms)
