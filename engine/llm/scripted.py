"""A door with prepared answers, for tests of whatever asks models; it stays dumb: no quota, no ledger, no cache."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.errors import BadReply, ModelFailed
from engine.contracts.llm import Message, Reply, Request
from engine.kit.asking import request_of
from engine.kit.shapes import Misfit, build, json_schema, read

Scripted = str | Mapping[str, Any] | BaseException


class ScriptedLLM:
    """Stands in for `engine.contracts.llm.LLM` where single questions are asked; answers come in the given order."""

    def __init__(self, *answers: Scripted, cost_usd_micros: int = 0) -> None:
        self._answers = list(answers)
        self._cost = cost_usd_micros
        self.asked: list[Request] = []
        """What was asked, in order."""

    def missing(self, model: str | None = None) -> str | None:
        """Everything can be asked."""
        return None

    async def ask(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Reply:
        """Give the next answer, or raise the next exception."""
        request = request_of(prompt, **more)
        self.asked.append(request)
        if not self._answers:
            raise ModelFailed("the script has no more answers", kind="code_bug")
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        value = None
        if request.schema is not None:
            try:
                value = build(request.schema, read(text, json_schema(request.schema)))
            except Misfit as error:
                raise BadReply(str(error), text=text) from error
        return Reply(
            text=text,
            value=value,
            model="scripted/scripted",
            alias=request.model or "scripted",
            cost_usd_micros=self._cost,
            tokens_in=0,
            tokens_out=0,
        )

    def ask_and_wait(self, prompt: str | Sequence[Message] | Request, **more: Any) -> Reply:
        """The same for plain functions."""
        return asyncio.run(self.ask(prompt, **more))
