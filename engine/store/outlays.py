"""Money that attempts spend by themselves, beside the models: reserved before it is spent, booked with their end.

An attempt that ends books what it said, and at most what it had reserved where it said nothing (`engine.work.run`). One
that a crash cut off can say nothing any more: all that it may have spent counts as spent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from engine.rules.budget import day_bounds, dollars
from engine.store import spend
from engine.store.budgets import Budget, Refusal, over
from engine.store.checkpoints import Superseded
from engine.store.claims import Claim
from engine.store.events import Event, record
from engine.store.sql import queries

_SQL = queries("outlays")


def reserve(
    connection: sqlite3.Connection, claim: Claim, *, owed: int, worst: int, epoch: int, now: int
) -> Refusal | None:
    """Count `owed` (spent, not booked yet) and `worst` (about to be spent at most) as spent; or say why it may not be.

    Superseded when the attempt does not hold its row any more.
    """
    stage, row = claim.stage, (claim.item.id, claim.stage.id, claim.fence)
    if (budget := _budget(connection, stage.job_id, now)) is not None:
        others = dict(connection.execute(_SQL.others, row))
        others[stage.job_id] = others.get(stage.job_id, 0) + owed
        whose = (stage.job, stage.job_id)
        if (refusal := over(connection, *whose, worst, budget, now, others=others, what="the attempt")) is not None:
            return refusal
    values = {"item": row[0], "stage": row[1], "fence": row[2], "job": stage.job_id, "epoch": epoch, "now": now}
    if not connection.execute(_SQL.reserve, {**values, "usd_micros": owed + worst}).rowcount:
        raise Superseded
    return None


def _budget(connection: sqlite3.Connection, job_id: int, now: int) -> Budget | None:
    limits = {row[0]: row[1:] for row in connection.execute(_SQL.limits, (job_id,))}
    if not limits:
        return None
    start, end = day_bounds(now, ZoneInfo(next(iter(limits.values()))[1]))
    own, every = limits.get(job_id, (None,))[0], limits.get(0, (None,))[0]
    return Budget(job_usd_micros=own, all_usd_micros=every, day_from=start, day_until=end)


def owe(connection: sqlite3.Connection, claim: Claim, usd_micros: int) -> None:
    """An attempt that goes on knows better what it has spent so far."""
    values = {"item": claim.item.id, "stage": claim.stage.id, "fence": claim.fence, "usd_micros": usd_micros}
    connection.execute(_SQL.owe, values)


def booked(connection: sqlite3.Connection, claims: Iterable[Claim]) -> None:
    """These attempts have ended, and what they cost is booked in this transaction."""
    if connection.execute(_SQL.any).fetchone()[0]:
        connection.executemany(_SQL.booked, [(claim.item.id, claim.stage.id, claim.fence) for claim in claims])


def lose(connection: sqlite3.Connection, epoch: int, now: int) -> int:
    """Book what attempts of dead engines may have spent; returns how many there were."""
    lost = connection.execute(_SQL.lost, (epoch,)).fetchall()
    for job_id, item_id, stage_id, usd_micros in lost:
        if not usd_micros:
            continue
        spend.book(connection, job_id, usd_micros, now)
        text = f"the engine ended while it ran; what it may have spent counts as spent ({dollars(usd_micros)})"
        event = Event(
            kind="attempt.lost", level="warning", job_id=job_id, item_id=item_id, stage_id=stage_id, text=text
        )
        record(connection, [event], now)
    return len(lost)
