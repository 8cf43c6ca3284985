"""Advice of a model on the weights between queues: what it is told, what it said, what that has cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from engine.rules.advice import HOLDS_MS, Advice, Queue
from engine.rules.budget import day_bounds
from engine.store import queues as weights
from engine.store.sql import queries

_SQL = queries("advice")
_DAY_MS: Final = 24 * 3_600_000
PURPOSE: Final = "weights"


def queues(connection: sqlite3.Connection, now: int) -> list[Queue]:
    """The queues that share something with others and in which something waits."""
    return [
        Queue(
            stage_id=number,
            job=job,
            stage=stage,
            ready=ready,
            late_ms=max(0, now - due_at) if due_at is not None else 0,
            weight=weights.weight(connection, number, now),
            done_in_a_day=done,
        )
        for number, job, stage, ready, due_at, done in connection.execute(_SQL.queues, {"since": now - _DAY_MS})
    ]


def put(connection: sqlite3.Connection, advice: Sequence[Advice], model: str, now: int) -> None:
    """Replace what was advised before."""
    connection.execute(_SQL.drop)
    for one in advice:
        row = {"stage": one.stage_id, "factor": one.factor, "why": one.why}
        connection.execute(_SQL.put, {**row, "model": model, "now": now, "until": now + HOLDS_MS})


def drop(connection: sqlite3.Connection) -> int:
    """Forget what was advised; returns of how many queues."""
    return connection.execute(_SQL.drop).rowcount


def newest(connection: sqlite3.Connection) -> int | None:
    """When the advice that is kept was given, ms UTC."""
    at: int | None = connection.execute(_SQL.newest).fetchone()[0]
    return at


def spent_today(connection: sqlite3.Connection, zone: ZoneInfo, now: int) -> int:
    """What advice has cost since the day began, in micro-dollars."""
    since, _ = day_bounds(now, zone)
    spent: int = connection.execute(_SQL.spent, {"since": since, "purpose": PURPOSE}).fetchone()[0]
    return spent
