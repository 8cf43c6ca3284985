"""Runs: one row for each discovery and each check, whatever became of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final, Literal

from engine.kit.safe_text import safe_line
from engine.store.events import Event, record
from engine.store.sql import queries

_SQL = queries("runs")

_SCOPE_SHOWN: Final = 100


def start(connection: sqlite3.Connection, job_id: int, now: int) -> int:
    """Begin a run; returns its number."""
    (run_id,) = connection.execute(_SQL.start, {"job": job_id, "now": now}).fetchone()
    return int(run_id)


def progress(connection: sqlite3.Connection, run_id: int, *, found: int, new: int, changed: int) -> None:
    """Add to the counts of a run that goes on."""
    connection.execute(_SQL.progress, {"id": run_id, "found": found, "new": new, "changed": changed})


def finish(
    connection: sqlite3.Connection,
    run_id: int,
    job_id: int,
    *,
    state: Literal["done", "failed", "cut"],
    gone: int = 0,
    problems: int = 0,
    complete: bool = False,
    covered: Sequence[str] = (),
    error: str | None = None,
    now: int,
) -> None:
    """End a run, with an event that says what it found."""
    landed = connection.execute(
        _SQL.finish,
        {
            "id": run_id,
            "state": state,
            "gone": gone,
            "problems": problems,
            "complete": complete,
            "covered": len(covered),
            "scope": json.dumps([safe_line(one, 300) for one in covered[:_SCOPE_SHOWN]]) if covered else None,
            "error": error,
            "now": now,
        },
    ).rowcount
    if not landed:
        return
    _, _, _, started_at, ended_at, found, new, changed, *_, held_back = connection.execute(
        _SQL.get, (run_id,)
    ).fetchone()
    text = error or f"found {found}, {new} new, {changed} changed, {gone} gone" + (
        f", {problems} problems" if problems else ""
    )
    if held_back and not error:
        text += f", {held_back} new ones held back by the limits of the check"
    level: Literal["info", "error"] = "error" if state == "failed" else "info"
    record(
        connection,
        [
            Event(
                kind=f"run.{state}", level=level, actor="discovery", job_id=job_id, text=text, ms=ended_at - started_at
            )
        ],
        now,
    )


def cut_dead(connection: sqlite3.Connection, now: int) -> int:
    """End the runs that were going on when their engine died; they close nothing."""
    return connection.execute(_SQL.cut_dead, {"now": now}).rowcount
