"""Named queries: each `.sql` file holds queries that start with `-- name: NAME`, and a sentence that explains them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent
_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_ONE_ROW: Final = re.compile(r"\bVALUES (\([^()]*\?\))")
_ROWS: Final = (64, 32, 16, 8, 4, 2, 1)
"""Rows of one INSERT: few different numbers, so that each statement stays compiled."""


_QUERIES: Final[list[_Queries]] = []


@cache
def load(stem: str) -> dict[str, str]:
    """Queries of `engine/store/STEM.sql` by name."""
    text = (_FOLDER / f"{stem}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{stem}.sql names a query twice")
    return {name: _strip(body) for name, body in zip(names, bodies, strict=True)}


class _Queries:
    """Queries as attributes; the file is read with the first of them, as many starts need none of it."""

    def __init__(self, stem: str) -> None:
        self._stem = stem

    def __getattr__(self, name: str) -> str:
        vars(self).update(load(self._stem))
        try:
            query: str = vars(self)[name]
        except KeyError:
            raise AttributeError(f"{self._stem}.sql has no query `{name}`", name=name, obj=self) from None
        return query


def queries(stem: str) -> Any:
    """The same as attributes; an unknown name is an AttributeError at the place that uses it."""
    found = _Queries(stem)
    _QUERIES.append(found)
    return found


def read_all() -> None:
    """Read every file of queries that is in use, before an upgrade of Rivus may change it below an engine that runs."""
    for one in _QUERIES:
        vars(one).update(load(one._stem))


def named(connection: sqlite3.Connection, query: str, values: Mapping[str, object] | None = None) -> list[sqlite3.Row]:
    """Run a query of many columns; its rows are read by the names of these, so that a new one shifts no other."""
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor.execute(query, values or {}).fetchall()


def insert(
    connection: sqlite3.Connection,
    statement: str,
    rows: Sequence[Sequence[object]],
    shared: tuple[object, ...] = (),
) -> None:
    """Run an INSERT of one row (`VALUES (?, ?, …)`) for all rows, many at a time.

    `shared` are values that all rows have: they are bound once, and stand as `?1`, `?2`, … before the row's own.

    `executemany` is one step of SQLite a row, and each step lets go of the interpreter and waits to get it back.
    """
    at = 0
    for n in _ROWS:
        while len(rows) - at >= n:
            connection.execute(_repeated(statement, n), (*shared, *chain.from_iterable(rows[at : at + n])))
            at += n


@cache
def _repeated(statement: str, n: int) -> str:
    text, found = _ONE_ROW.subn(lambda row: f"VALUES {', '.join([row[1]] * n)}", statement)
    if found != 1:
        raise ValueError(f"not an INSERT of one row: {statement}")
    return text


def _strip(body: str) -> str:
    lines = [line for line in body.strip().splitlines() if not line.startswith("--")]
    return "\n".join(lines).strip().rstrip(";")
