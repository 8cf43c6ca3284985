"""The door to the models in a worker process: a question goes over the pipe and the handler waits for the answer."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts.llm import Consensus, Message, Reply, Request, Schema, Wait
from engine.kit.asking import request_of
from engine.kit.shapes import build, json_schema
from engine.work.llm_wire import decode_consensus, decode_error, decode_reply, encode_request

Ask = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Sends a question to the engine and waits."""


class WorkerLLM:
    """Implements `engine.contracts.llm.LLM` in a worker process."""

    def __init__(self, ask: Ask) -> None:
        self._ask = _raising(ask)
        self._numbers = itertools.count()

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
        return _shaped(self._ask({"request": encode_request(request)})["reply"], request.schema)

    async def ask(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Reply:
        """The same for an `async def` that runs in a worker process."""
        return await asyncio.to_thread(self.ask_and_wait, prompt, **more)

    def jury_and_wait(
        self,
        prompt: str | Sequence[Message] | Request,
        *,
        schema: Schema | None,
        purpose: str | None = None,
        **more: Any,
    ) -> Consensus:
        """Ask several aliases the same; `more`: what `LLM.jury` takes beside it."""
        request = request_of(prompt, schema=schema, purpose=purpose or "jury")
        told = self._ask({"request": encode_request(request), "jury": more})
        return decode_consensus(told["consensus"], schema)

    async def jury(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Consensus:
        """The same for an `async def` that runs in a worker process."""
        return await asyncio.to_thread(self.jury_and_wait, prompt, **more)

    def conversation(
        self, name: str, *, model: str | None = None, system: str = "", keep: int = 50
    ) -> WorkerConversation:
        """Begin a conversation, or go on with it."""
        talk = WorkerConversation(self._ask, next(self._numbers))
        talk.do("open", {"name": name, "model": model, "system": system, "keep": keep})
        return talk


class WorkerConversation:
    """Implements `engine.contracts.llm.Conversation` in a worker process; it is held where the engine is."""

    def __init__(self, ask: Ask, number: int) -> None:
        self._ask = ask
        self._number = number
        self.turns = 0
        """Answered turns."""

    def do(self, what: str, value: Any) -> Mapping[str, Any]:
        """One step; returns what the engine answers."""
        told = self._ask({"talk": self._number, what: value})
        self.turns = told["turns"]
        return told

    def say_and_wait(self, text: str, *, schema: Schema | None = None, repeat: bool = False) -> Reply:
        """Send one more turn."""
        shape = None if schema is None else dict(json_schema(schema))
        return _shaped(self.do("say", {"text": text, "schema": shape, "repeat": repeat})["reply"], schema)

    async def say(self, text: str, *, schema: Schema | None = None, repeat: bool = False) -> Reply:
        """The same for an `async def` that runs in a worker process."""
        return await asyncio.to_thread(self.say_and_wait, text, schema=schema, repeat=repeat)

    def release(self) -> None:
        """Let a more urgent conversation have the backend."""
        self.do("release", None)

    async def wait_for(self, what: Wait) -> None:
        """Return when it is so; ModelBusy says until when the attempt is parked."""
        await asyncio.to_thread(self.do, "wait_for", what)

    async def close(self, *, why: str = "") -> None:
        """It is over."""
        await asyncio.to_thread(self.do, "close", why)


def _raising(ask: Ask) -> Ask:
    """What raises in the engine raises here, as the error that it was."""

    def asked(question: dict[str, Any]) -> Mapping[str, Any]:
        told = ask(question)
        if "error" in told:
            raise decode_error(told["error"])
        return told

    return asked


def _shaped(told: Mapping[str, Any], schema: Schema | None) -> Reply:
    reply = decode_reply(told)
    return reply if schema is None else dataclasses.replace(reply, value=build(schema, reply.value))
