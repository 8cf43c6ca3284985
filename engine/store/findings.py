"""The life of what checks find: kept out by limits, seen again, fixed by a run that covered it, found once more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence

from engine.contracts.item import Candidate
from engine.contracts.spec import JobSpec
from engine.kit.safe_text import safe_line
from engine.store.plan import JobPlan
from engine.store.sql import queries

_SQL = queries("findings")


def within_limits(
    connection: sqlite3.Connection,
    check: JobSpec,
    target: JobPlan,
    candidates: Sequence[Candidate],
    *,
    source_id: int,
    run_id: int,
) -> list[Candidate]:
    """Leave out new findings beyond the limits of their check, and count them with its run; known ones always pass."""
    if check.max_new is None and check.max_open is None:
        return list(candidates)
    keys = json.dumps([safe_line(one.key, 512) for one in candidates])
    known = {row[0] for row in connection.execute(_SQL.known, {"job": target.id, "keys": keys})}
    (brought,) = connection.execute(_SQL.new_of_run, (run_id,)).fetchone()
    (there,) = connection.execute(_SQL.open_ones, {"job": target.id, "source": source_id}).fetchone()
    rooms = [
        limit - so_far for limit, so_far in ((check.max_new, brought), (check.max_open, there)) if limit is not None
    ]
    room = max(0, min(rooms))
    kept: list[Candidate] = []
    held = 0
    for candidate in candidates:
        if safe_line(candidate.key, 512) in known:
            kept.append(candidate)
        elif room:
            kept.append(candidate)
            room -= 1
        else:
            held += 1
    if held:
        connection.execute(_SQL.hold_back, {"run": run_id, "n": held})
    return kept


def take_over(connection: sqlite3.Connection, target: JobPlan, candidates: Sequence[Candidate]) -> None:
    """Give findings whose key is made otherwise now the new one, so that they stay the same items."""
    for one in candidates:
        if one.former_key is None:
            continue
        values = {"job": target.id, "key": safe_line(one.key, 512), "former": safe_line(one.former_key, 512)}
        if connection.execute(_SQL.take_over, values).rowcount:
            connection.execute(_SQL.wait_for_new_key, values)


def seen(connection: sqlite3.Connection, items: Collection[int], run_id: int) -> None:
    """A run has found these; what it brought itself is seen for the first time."""
    connection.execute(_SQL.seen, {"items": json.dumps(list(items)), "run": run_id})


def is_covered(path: str | None, covered: Sequence[str] | None) -> bool:
    """Whether a run looked where a finding stands; `covered`: files and folders, None: everywhere."""
    if covered is None or path is None:
        return True
    return any(one in (".", path) or path.startswith(f"{one}/") for one in covered)


def fixed(connection: sqlite3.Connection, item_id: int, run_id: int | None, now: int) -> None:
    """A complete run that covered it did not find it any more."""
    connection.execute(_SQL.fixed, {"item": item_id, "run": run_id, "now": now})


def back(connection: sqlite3.Connection, item_id: int) -> None:
    """It was found again."""
    connection.execute(_SQL.back, {"item": item_id})
