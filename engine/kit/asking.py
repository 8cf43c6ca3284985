"""What is asked, whichever way it was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.contracts.llm import Message, Request, Schema


def request_of(
    prompt: str | Sequence[Message] | Request,
    *,
    model: str | None = None,
    schema: Schema | None = None,
    purpose: str | None = None,
    system: str | None = None,
    urgency: int | None = None,
) -> Request:
    """One request from what `LLM.ask` takes; keywords that are given overrule the request's own."""
    if isinstance(prompt, Request):
        request = prompt
    else:
        messages = (Message(role="user", content=prompt),) if isinstance(prompt, str) else tuple(prompt)
        request = Request(messages=messages)
    given = {"model": model, "schema": schema, "purpose": purpose, "urgency": urgency}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if system is not None:
        changes["messages"] = (Message(role="system", content=system), *request.messages)
    return replace(request, **changes)
