"""What goes along with a request through the gateway, and the state file as the gateway sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from engine.contracts.llm import Message, Request
from engine.contracts.models import ModelSpec
from engine.contracts.values import dataclass
from engine.llm.call import Answer
from engine.llm.lanes import Hold
from engine.store.model_calls import Asker

T = TypeVar("T")


class Ledger(Protocol):
    """The state file, as the gateway uses it."""

    async def change(self, function: Callable[[sqlite3.Connection, int], T]) -> T:
        """Run one transition in a transaction of the one writer; returns its answer after the commit."""
        ...

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run one read."""
        ...


@dataclass(slots=True)
class Purse:
    """What the calls of one attempt may cost together."""

    limit_usd_micros: int | None = None
    spent_usd_micros: int = 0
    reserved_usd_micros: int = 0
    is_closed: bool = False
    """The attempt is over: whatever of it still runs asks nothing more."""

    def may(self, worst: int) -> bool:
        """Whether a call that may cost so much can still be paid."""
        used = self.spent_usd_micros + self.reserved_usd_micros
        return self.limit_usd_micros is None or used + worst <= self.limit_usd_micros


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a conversation stores in the same transactions."""

    reserved: Callable[[sqlite3.Connection, int, int], None]
    """(connection, call number, now): the turn is about to be sent."""
    answered: Callable[[sqlite3.Connection, str, Answer, int], None]
    """(connection, model, answer, now): its answer has come."""
    unanswered: Callable[[sqlite3.Connection, str, bool, int], None]
    """(connection, why, whether its answer is lost, now): there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request on its way to a lane."""

    request: Request
    alias: ModelSpec
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None
    asker: Asker
    purse: Purse
    urgency: int
    hold: Hold | None = None
    checkpoint: Checkpoint | None = None
