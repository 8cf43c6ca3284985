"""The door as one asker sees it: bound to a job, a stage and an item, to their budget and urgency."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any

from engine.contracts.llm import Consensus, Message, Reply, Request, Schema
from engine.contracts.values import dataclass
from engine.kit.asking import request_of
from engine.llm.conversation import Talk
from engine.llm.gateway import Gateway
from engine.llm.ledger import Purse
from engine.store.model_calls import Asker


@dataclass(slots=True)
class Door:
    """Implements `engine.contracts.llm.LLM` on the engine's loop."""

    gateway: Gateway
    chance: random.Random
    asker: Asker = field(default_factory=Asker)
    model: str | None = None
    """Alias that is asked where none is named."""
    urgency: int | None = None
    """Of the item, as a due time in ms UTC; None: now."""
    purse: Purse = field(default_factory=Purse)
    repeats: bool = False
    """A person said that what is in doubt may be sent again."""
    _talks: list[Talk] = field(default_factory=list)

    def missing(self, model: str | None = None) -> str | None:
        """Why this alias cannot be asked, in a sentence; None: it can."""
        return self.gateway.missing(model or self.model)

    async def ask(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        model: str | None = None,
        schema: Schema | None = None,
        purpose: str | None = None,
        system: str | None = None,
        urgency: int | None = None,
    ) -> Reply:
        """Ask one question."""
        self._let_go(None)
        request = request_of(prompt, model=model, schema=schema, purpose=purpose, system=system, urgency=urgency)
        return await self.gateway.ask(self._bound(request), self.asker, self.purse)

    def _bound(self, request: Request) -> Request:
        purpose = request.purpose if request.purpose != "ask" or self.asker.stage is None else self.asker.stage
        return replace(
            request,
            model=request.model or self.model,
            urgency=request.urgency if request.urgency is not None else self.urgency,
            purpose=purpose,
        )

    def ask_and_wait(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Reply:
        """The same for a plain function in a thread; on the engine's loop it would stop everything."""
        return self.gateway.wait_for(self.ask(prompt, **more), "ask")

    def jury_and_wait(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Consensus:
        """The same for a plain function in a thread."""
        return self.gateway.wait_for(self.jury(prompt, **more), "jury")

    async def jury(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        members: Sequence[str],
        schema: Schema | None,
        decide: str,
        scale: Sequence[Any] = (),
        decisive: Any = None,
        quorum: int | None = None,
        deadline_s: float = 300.0,
        purpose: str | None = None,
    ) -> Consensus:
        """Ask several aliases the same and compare."""
        self._let_go(None)
        from engine.llm.jury import Jury, Question

        question = Question(
            request=self._bound(request_of(prompt, schema=schema, purpose=purpose or "jury")),
            members=tuple(members),
            decide=decide,
            scale=tuple(scale),
            decisive=decisive,
            quorum=quorum,
            deadline_s=deadline_s,
        )
        return await Jury(self.gateway, self.gateway.clock, self.chance).decide(question, self.asker, self.purse)

    def conversation(self, name: str, *, model: str | None = None, system: str = "", keep: int = 50) -> Talk:
        """Begin a conversation of this item and stage, or go on with it; ModelNeeded where nobody can be asked."""
        alias = self.gateway.alias(model or self.model).name
        talk = Talk(
            gateway=self.gateway,
            asker=self.asker,
            purse=self.purse,
            name=name,
            model=alias,
            system=system,
            keep=max(1, keep),
            urgency=self.urgency if self.urgency is not None else self.gateway.clock.now(),
            repeats=self.repeats,
            keeps_place=self.gateway.keeps_place(alias),
            let_go=self._let_go,
        )
        self._talks.append(talk)
        return talk

    def _let_go(self, speaker: Talk | None) -> None:
        """Who asks for one place keeps no other: two attempts that each wait for the other's would wait for ever."""
        for talk in self._talks:
            if talk is not speaker:
                talk.release()

    def close(self) -> None:
        """The attempt is over: its conversations keep no place, and what may still run of it asks nothing more."""
        self.purse.is_closed = True
        self._let_go(None)
