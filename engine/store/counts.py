"""Counts of rows by state, for the three moves that happen thousands of times a second.

Triggers count everything that changes `state`, except what is counted here, a set at a time, by the one statement that
does it: a row that is put in (`items._put_in`), a claim, and an attempt that its holder ends well. A trigger slows down
every UPDATE that could fire it, so these look at `due_at`: a statement that changes `state` sets it too, but for those
that are counted here. All tests of the store recount when they end, and so does `db check`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from engine.contracts.states import ItemState, StageState
from engine.store.sql import queries

_SQL = queries("counts")


def stages_moved(connection: sqlite3.Connection, stage: int, old: StageState, new: StageState, n: int) -> None:
    """`n` rows of a stage went from one state to another."""
    if n:
        connection.execute(_SQL.stages_fewer, {"stage": stage, "state": old, "n": n})
        connection.execute(_SQL.stages_more, {"stage": stage, "state": new, "n": n})


def stages_put_in(connection: sqlite3.Connection, new: Mapping[tuple[int, str], int]) -> None:
    """Rows were put in: (stage, state) → how many."""
    for (stage, state), n in new.items():
        connection.execute(_SQL.stages_more, {"stage": stage, "state": state, "n": n})


def items_put_in(connection: sqlite3.Connection, job: int, source: int, new: Mapping[ItemState, int]) -> None:
    """Items of a job and source were put in: state → how many."""
    for state, n in new.items():
        connection.execute(_SQL.items_more, {"job": job, "source": source, "state": state, "n": n})
