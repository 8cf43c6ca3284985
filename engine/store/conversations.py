"""Conversations as rows: each turn is stored before it is sent, and its answer in the transaction that settles it."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Literal

from engine.contracts.values import dataclass
from engine.store.model_calls import Asker
from engine.store.sql import queries

_SQL = queries("conversations")

State = Literal["open", "asking", "paused", "waiting", "doubt", "closed"]
Kind = Literal["turn", "summary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """One question, and its answer if there is one."""

    n: int
    kind: Kind
    question: str
    hash: bytes
    answer: str | None
    model: str | None
    call_id: int | None
    tokens_in: int
    tokens_out: int
    usd_micros: int


@dataclass(slots=True, kw_only=True)
class ConversationRow:
    """One conversation."""

    id: int
    state: State
    summary: str
    kept_from: int
    alias: str
    system: str
    turns: list[TurnRow]


def owner(asker: Asker) -> str:
    """Whom a conversation belongs to: its name is unique there."""
    return f"{asker.job or ''}\n{asker.key or ''}\n{asker.stage or ''}"


def hash_of(question: str) -> bytes:
    """What an identical question is known by."""
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).digest()


def open_or_begin(
    connection: sqlite3.Connection, asker: Asker, name: str, *, alias: str, system: str, now: int
) -> ConversationRow:
    """The conversation of this name with all its turns; a new one if there is none.

    One that led to a result is over: who runs the stage again wants other answers than those.
    """
    whose = owner(asker)
    row = connection.execute(_SQL.find, {"owner": whose, "name": name, "stage": asker.stage_id}).fetchone()
    if row is not None and row[-1]:
        connection.execute(_SQL.set_aside, (row[0],))
        row = None
    if row is None:
        values = {"owner": whose, "name": name, "job_id": asker.job_id, "item_id": asker.item_id, "alias": alias}
        values["fence"] = asker.fence
        (number,) = connection.execute(_SQL.begin, {**values, "system": system, "now": now}).fetchone()
        return ConversationRow(id=number, state="open", summary="", kept_from=1, alias=alias, system=system, turns=[])
    number, state, summary, kept_from, alias, system, fence, _ = row
    if fence != asker.fence:
        connection.execute(_SQL.speak, {"id": number, "fence": asker.fence})
    turns = [
        TurnRow(
            n=n,
            kind=kind,
            question=question,
            hash=digest,
            answer=answer,
            model=model,
            call_id=call_id,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            usd_micros=usd_micros,
        )
        for n, kind, question, digest, answer, model, call_id, tokens_in, tokens_out, usd_micros in connection.execute(
            _SQL.turns, (number,)
        )
    ]
    return ConversationRow(
        id=number, state=state, summary=summary, kept_from=kept_from, alias=alias, system=system, turns=turns
    )


def ask(connection: sqlite3.Connection, number: int, n: int, kind: Kind, question: str, call: int, now: int) -> None:
    """Checkpoint: this turn is about to be sent."""
    values = {"id": number, "n": n, "kind": kind, "question": question, "hash": hash_of(question)}
    connection.execute(_SQL.ask, {**values, "call": call, "now": now})
    move(connection, number, "asking", None, None, now)


def answer(
    connection: sqlite3.Connection,
    number: int,
    n: int,
    text: str,
    *,
    model: str,
    tokens_in: int,
    tokens_out: int,
    usd_micros: int,
    now: int,
) -> bool:
    """Its answer has come; False when there was one already."""
    values = {"id": number, "n": n, "answer": text, "model": model, "tokens_in": tokens_in, "tokens_out": tokens_out}
    landed = connection.execute(_SQL.answer, {**values, "usd_micros": usd_micros}).rowcount == 1
    move(connection, number, "open", None, None, now)
    return landed


def unsay(connection: sqlite3.Connection, number: int, n: int, why: str | None, now: int) -> None:
    """The turn was not sent, or refused without an answer: it can be said again."""
    connection.execute(_SQL.unsay, {"id": number, "n": n})
    move(connection, number, "open", why, None, now)


def move(
    connection: sqlite3.Connection, number: int, state: State, why: str | None, until: int | None, now: int
) -> None:
    """How a conversation stands, with why and until when (ms UTC)."""
    values = {"id": number, "state": state, "why": why, "until": until, "now": now}
    connection.execute(_SQL.move, values)


def fold(connection: sqlite3.Connection, number: int, summary: str, kept_from: int, now: int) -> None:
    """Turns before `kept_from` go on as a summary."""
    connection.execute(_SQL.fold, {"id": number, "summary": summary, "kept_from": kept_from, "now": now})


def doubt(connection: sqlite3.Connection, now: int) -> int:
    """At the start of an engine: mark those whose request a dead engine has sent; returns how many."""
    return connection.execute(_SQL.in_doubt, {"now": now}).rowcount
