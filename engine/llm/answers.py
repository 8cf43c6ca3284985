"""Answers to identical questions at temperature 0 are given again, for as long as the alias says.

While one of them is being asked, the others wait for its answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import weakref
from dataclasses import field

from engine.contracts.llm import Reply
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.shapes import Misfit, build, read
from engine.llm.call import Answer
from engine.llm.lanes import Lane
from engine.llm.ledger import Ledger, Sending
from engine.store import model_calls
from engine.store.model_calls import KeptAnswer


@dataclass(frozen=True, slots=True)
class Answers:
    """Kept in the state file."""

    ledger: Ledger
    clock: Clock
    _asked: weakref.WeakValueDictionary[bytes, asyncio.Lock] = field(default_factory=weakref.WeakValueDictionary)
    """The questions that are on their way, each gone with the last who asks it."""

    def alone(self, key: bytes) -> asyncio.Lock:
        """To be held while a question is asked, so that who asks the same meanwhile finds the answer."""
        if (lock := self._asked.get(key)) is None:
            lock = self._asked[key] = asyncio.Lock()
        return lock

    def key(self, sending: Sending) -> bytes | None:
        """What an identical question is known by; None: this one is not kept."""
        request, alias = sending.request, sending.alias
        if request.temperature or request.is_fresh or not alias.cache_s:
            return None
        told = json.dumps(
            [
                alias.lanes,
                [[one.role, one.content] for one in sending.messages],
                sending.schema,
                request.max_tokens or alias.max_tokens,
            ],
            sort_keys=True,
        )
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()

    async def kept(self, key: bytes, sending: Sending) -> Reply | None:
        """The stored answer, counted as a hit; None: there is none."""
        now = self.clock.now()
        kept = await self.ledger.read(lambda connection: model_calls.kept_answer(connection, key, now))
        if kept is None:
            return None
        value = None
        if sending.schema is not None and sending.request.schema is not None:
            try:
                value = build(sending.request.schema, read(kept.text, sending.schema))
            except Misfit:
                return None
        await self.ledger.change(
            lambda connection, now: model_calls.count_kept(
                connection, sending.asker, sending.request.purpose, kept, now
            )
        )
        return Reply(
            text=kept.text,
            value=value,
            model=kept.model,
            alias=sending.alias.name,
            cost_usd_micros=0,
            tokens_in=kept.tokens_in,
            tokens_out=kept.tokens_out,
            cached=True,
        )

    async def keep(self, key: bytes, sending: Sending, lane: Lane, answer: Answer) -> None:
        """Keep an answer that was good."""
        kept = KeptAnswer(
            model="/".join(lane),
            text=answer.text,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            usd_micros=answer.usd_micros,
        )
        until = self.clock.now() + round(sending.alias.cache_s * 1000)
        await self.ledger.change(lambda connection, now: model_calls.keep_answer(connection, key, kept, until, now))
