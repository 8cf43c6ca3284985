"""Limits of money by the day, asked before something is spent: what is booked counts, and what is reserved."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Literal

from engine.contracts.values import dataclass
from engine.rules.budget import dollars
from engine.store import spend
from engine.store.sql import queries

_SQL = queries("budgets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of money that hold for an expense, and the day they hold for."""

    job_usd_micros: int | None
    all_usd_micros: int | None
    day_from: int
    day_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a call may not be sent, or money not be spent."""

    what: Literal["quota", "budget", "cost"]
    why: str
    until: int | None
    """When it may, ms UTC; None: never by itself."""


def over(
    connection: sqlite3.Connection,
    job: str | None,
    job_id: int | None,
    worst: int,
    budget: Budget,
    now: int,
    *,
    others: Mapping[int, int] | None = None,
    what: str = "the call",
) -> Refusal | None:
    """Say why `worst` micro-dollars may not be spent for a job (None: for nobody's); None when they may.

    `others`: job number → what attempts may be spending, where that is not what is stored.
    """
    if not worst or (budget.job_usd_micros is None and budget.all_usd_micros is None):
        return None
    if job_id is not None and connection.execute(_SQL.is_overridden, (job_id, now)).fetchone():
        return None
    spent = spend.since(connection, budget.day_from)
    calls = dict(connection.execute(_SQL.reserved))
    outlays = dict(connection.execute(_SQL.outlays)) if others is None else others
    total = sum(spent.values()) + spend.asked(connection, budget.day_from) + sum(calls.values()) + sum(outlays.values())
    own = spent.get(job_id or 0, 0) + calls.get(job_id, 0) + outlays.get(job_id or 0, 0)
    for whose, used, limit in (
        (f"job {job}", own, budget.job_usd_micros if job_id is not None else None),
        ("all jobs", total, budget.all_usd_micros),
    ):
        if limit is None or used + worst <= limit:
            continue
        if worst > limit:
            why = f"{what} may cost {dollars(worst)}, more than {whose} may spend in a day ({dollars(limit)})"
            return Refusal(what="cost", why=why, until=None)
        why = f"daily cost of {whose}: {dollars(used)} of {dollars(limit)} spent or reserved, {what} may cost "
        return Refusal(what="budget", why=why + dollars(worst), until=budget.day_until)
    return None
