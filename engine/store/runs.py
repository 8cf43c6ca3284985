"""Runs: one row for each discovery and each check, whatever became of it."""

from __future__ import annotations

import sqlite3
from typing import Literal

from engine.store.events import Event, record
from engine.store.sql import queries

_SQL = queries("runs")


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
    covered: int = 0,
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
            "covered": covered,
            "error": error,
            "now": now,
        },
    ).rowcount
    if not landed:
        return
    _, _, _, started_at, ended_at, found, new, changed, *_ = connection.execute(_SQL.get, (run_id,)).fetchone()
    text = error or f"found {found}, {new} new, {changed} changed, {gone} gone" + (
        f", {problems} problems" if problems else ""
    )
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
