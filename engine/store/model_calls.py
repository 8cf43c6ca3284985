"""The ledger of model calls: what one may cost is reserved before it is sent, and what it did cost is settled after.

Both are one transaction of the one writer, with budget, quota and (for conversations) the checkpoint in it: parallel
calls cannot overrun a limit. A call that a crash interrupted was perhaps answered and paid: it counts as spent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

from engine.contracts.llm import Consensus
from engine.contracts.values import dataclass
from engine.rules.budget import dollars, quarter
from engine.store import quotas, spend
from engine.store.budgets import Budget, Refusal, over
from engine.store.events import Event, record
from engine.store.sql import queries

_SQL = queries("model_calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """On whose account a call goes."""

    job: str | None = None
    job_id: int | None = None
    item_id: int | None = None
    stage_id: int | None = None
    stage: str | None = None
    key: str | None = None
    """Of the item."""
    fence: int = 0
    """Of the attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """A call that is about to be sent."""

    asker: Asker
    alias: str
    backend: str
    mode: str
    purpose: str
    worst_usd_micros: int
    epoch: int
    quotas: tuple[str, ...]
    """Names of the quotas that it takes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a call ended."""

    state: Literal["settled", "failed", "unsent"]
    usd_micros: int = 0
    is_estimate: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    error: str | None = None
    ms: int = 0
    is_unsent: bool = False
    """It failed before anything reached the provider: its quotas are given back."""


def reserve(connection: sqlite3.Connection, call: NewCall, budget: Budget, now: int) -> int | Refusal:
    """Count a call as spent at its worst, or say why it may not be sent; returns its number."""
    asker, worst = call.asker, call.worst_usd_micros
    over_budget = over(connection, asker.job, asker.job_id, worst, budget, now)
    refusal = over_budget or quotas.used_up(connection, call.quotas, now)
    if refusal is not None:
        return refusal if isinstance(refusal, Refusal) else Refusal(what="quota", why=refusal[0], until=refusal[1])
    quotas.take(connection, call.quotas, now, budget.day_until)
    values: dict[str, Any] = {
        "now": now,
        "epoch": call.epoch,
        "job_id": call.asker.job_id,
        "item_id": call.asker.item_id,
        "stage_id": call.asker.stage_id,
        "alias": call.alias,
        "backend": call.backend,
        "mode": call.mode,
        "purpose": call.purpose,
        "worst": call.worst_usd_micros,
    }
    return int(connection.execute(_SQL.reserve, values).fetchone()[0])


def settle(connection: sqlite3.Connection, number: int, call: NewCall, end: Settlement, now: int) -> bool:
    """Book what a call did cost; False when it was settled before."""
    values = {
        "id": number,
        "state": end.state,
        "now": now,
        "usd_micros": end.usd_micros,
        "is_estimate": end.is_estimate,
        "tokens_in": end.tokens_in,
        "tokens_out": end.tokens_out,
        "error": end.error,
    }
    if not connection.execute(_SQL.settle, values).rowcount:
        return False
    if end.state == "unsent" or end.is_unsent:
        quotas.give_back(connection, call.quotas, now)
    if end.state == "unsent":
        return True
    model = f"{call.backend}/{call.mode}"
    _book(connection, call.asker.job_id, model, call.purpose, end, now)
    if end.usd_micros > call.worst_usd_micros:
        text = f"{model} took {dollars(end.usd_micros)} for a call that may cost {dollars(call.worst_usd_micros)}"
        record(connection, [_event("model.overrun", "warning", call.asker, text)], now)
    if end.state == "failed":
        record(connection, [_event("model.failed", "warning", call.asker, f"{model}: {end.error}")], now)
    return True


def _event(kind: str, level: Literal["info", "warning"], asker: Asker, text: str) -> Event:
    return Event(kind=kind, level=level, job_id=asker.job_id, item_id=asker.item_id, stage_id=asker.stage_id, text=text)


def _book(
    connection: sqlite3.Connection, job_id: int | None, model: str, purpose: str, end: Settlement, now: int
) -> None:
    if job_id is not None and end.usd_micros:
        spend.book(connection, job_id, end.usd_micros, now)
    values: dict[str, Any] = {
        "at": quarter(now),
        "job_id": job_id or 0,
        "model": model,
        "purpose": purpose,
        "calls": 1,
        "cached": 0,
        "failed": int(end.state == "failed"),
        "tokens_in": end.tokens_in or 0,
        "tokens_out": end.tokens_out or 0,
        "usd_micros": end.usd_micros,
        "saved": 0,
        "ms": end.ms,
    }
    connection.execute(_SQL.use, values)


def lose(connection: sqlite3.Connection, epoch: int, now: int) -> int:
    """Calls that dead engines have sent count as spent at their worst; returns how many there were."""
    connection.execute(_SQL.nobody_waits)
    lost = connection.execute(_SQL.open_calls, (epoch,)).fetchall()
    for number, job_id, backend, mode, purpose, worst in lost:
        why = "the engine ended before the answer came; it counts at its worst case"
        end = {"id": number, "state": "lost", "now": now, "usd_micros": worst, "is_estimate": 1, "error": why}
        connection.execute(_SQL.settle, {**end, "tokens_in": None, "tokens_out": None})
        told = Settlement(state="failed", usd_micros=worst)
        _book(connection, job_id, f"{backend}/{mode}", purpose, told, now)
        text = f"{backend}/{mode}: {why} ({dollars(worst)})"
        record(connection, [Event(kind="model.lost", level="warning", job_id=job_id, text=text)], now)
    return len(lost)


# Answers to identical questions


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer that was given before."""

    model: str
    text: str
    tokens_in: int
    tokens_out: int
    usd_micros: int
    """What it cost then."""


def kept_answer(connection: sqlite3.Connection, key: bytes, now: int) -> KeptAnswer | None:
    """The stored answer to this question, or None."""
    row = connection.execute(_SQL.answer, (key, now)).fetchone()
    if row is None:
        return None
    model, text, tokens_in, tokens_out, usd_micros = row
    return KeptAnswer(model=model, text=text, tokens_in=tokens_in, tokens_out=tokens_out, usd_micros=usd_micros)


def keep_answer(connection: sqlite3.Connection, key: bytes, answer: KeptAnswer, expires_at: int, now: int) -> None:
    """Keep an answer for identical questions until `expires_at`."""
    values = {"key": key, "now": now, "expires_at": expires_at, "model": answer.model, "text": answer.text}
    connection.execute(
        _SQL.keep_answer,
        {
            **values,
            "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out,
            "usd_micros": answer.usd_micros,
        },
    )


def count_kept(connection: sqlite3.Connection, asker: Asker, purpose: str, answer: KeptAnswer, now: int) -> None:
    """Count an answer that cost nothing."""
    values: dict[str, Any] = {"at": quarter(now), "job_id": asker.job_id or 0, "model": answer.model}
    values |= {"purpose": purpose, "calls": 0, "cached": 1, "failed": 0, "tokens_in": 0, "tokens_out": 0}
    connection.execute(_SQL.use, {**values, "usd_micros": 0, "saved": answer.usd_micros, "ms": 0})


# Who waits, and what juries said


def wait(
    connection: sqlite3.Connection,
    asker: Asker,
    alias: str,
    purpose: str,
    urgency: int,
    why: str,
    until: int | None,
    now: int,
) -> int:
    """A request waits; returns the number of its row."""
    values: dict[str, Any] = {"now": now, "urgency": urgency, "job_id": asker.job_id, "item_id": asker.item_id}
    values |= {"stage_id": asker.stage_id, "alias": alias, "purpose": purpose, "why": why, "until": until}
    return int(connection.execute(_SQL.wait, values).fetchone()[0])


def wait_on(connection: sqlite3.Connection, number: int, why: str, until: int | None) -> None:
    """It waits for something else now."""
    connection.execute(_SQL.wait_on, {"id": number, "why": why, "until": until})


def waited(connection: sqlite3.Connection, number: int) -> None:
    """It waits no more."""
    connection.execute(_SQL.waited, (number,))


def add_jury(connection: sqlite3.Connection, asker: Asker, purpose: str, consensus: Consensus, now: int) -> int:
    """Store what a jury came to, with every ballot."""
    values: dict[str, Any] = {"now": now, "job_id": asker.job_id, "item_id": asker.item_id, "purpose": purpose}
    values |= {"how": consensus.how, "value": _json(consensus.value), "agreement": consensus.agreement}
    (number,) = connection.execute(_SQL.add_jury, {**values, "usd_micros": consensus.cost_usd_micros}).fetchone()
    ballots: Sequence[dict[str, Any]] = [
        {
            "jury": number,
            "n": n,
            "member": ballot.member,
            "model": ballot.model,
            "value": _json(ballot.value),
            "text": ballot.text,
            "error": ballot.error,
            "usd_micros": ballot.cost_usd_micros,
            "ms": ballot.ms,
        }
        for n, ballot in enumerate(consensus.ballots)
    ]
    connection.executemany(_SQL.add_ballot, ballots)
    return int(number)


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str)
