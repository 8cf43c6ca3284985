"""The door to the models in a worker process: a question goes over the pipe and the handler waits for the answer."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts.errors import UseError
from engine.contracts.llm import Consensus, Conversation, Message, Reply, Request, Schema
from engine.kit.asking import request_of
from engine.kit.shapes import build
from engine.work.llm_wire import decode_error, decode_reply, encode_request


class WorkerLLM:
    """Implements `engine.contracts.llm.LLM` as far as a worker process goes: single questions."""

    def __init__(self, ask: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        """`ask` sends a question to the engine and waits."""
        self._ask = ask

    def missing(self, model: str | None = None) -> str | None:
        """Why this alias cannot be asked; None: it can."""
        why: str | None = self._ask({"missing": model})["why"]
        return why

    def ask_and_wait(
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
        request = request_of(prompt, model=model, schema=schema, purpose=purpose, system=system, urgency=urgency)
        told = self._ask(encode_request(request))
        if "error" in told:
            raise decode_error(told["error"])
        reply = decode_reply(told["reply"])
        if request.schema is None:
            return reply
        return dataclasses.replace(reply, value=build(request.schema, reply.value))

    async def ask(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Reply:
        """The same for an `async def` that runs in a worker process."""
        return await asyncio.to_thread(self.ask_and_wait, prompt, **more)

    async def jury(self, prompt: str | Sequence[Message] | Request, **_more: Any) -> Consensus:
        """Not here."""
        raise UseError("a jury needs a handler on the engine's loop: an `async def` without `runs: process`")

    def conversation(self, name: str, **_more: Any) -> Conversation:
        """Not here."""
        raise UseError("a conversation needs a handler on the engine's loop: an `async def` without `runs: process`")
