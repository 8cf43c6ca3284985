"""Structured answers: how the shape is asked for, and what is said when an answer misses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.llm import Message

_SHOWN: Final = 20_000
"""So much of a bad answer goes into the repair, in characters."""


def with_schema(messages: tuple[Message, ...], schema: Mapping[str, Any]) -> tuple[Message, ...]:
    """The question, and in which shape to answer it: backends that know no schema are told in words as well."""
    told = f"Answer with one JSON object and nothing else. It must fit this JSON Schema:\n{json.dumps(schema)}"
    *before, last = messages
    return (*before, Message(role=last.role, content=f"{last.content}\n\n{told}"))


def repair(messages: tuple[Message, ...], text: str, problem: str) -> tuple[Message, ...]:
    """The same question once more, with the bad answer and what is wrong with it."""
    told = f"This does not fit: {problem}. Answer again, with only the JSON object, and nothing that was not asked for."
    return (
        *messages,
        Message(role="assistant", content=text[:_SHOWN] or "(nothing)"),
        Message(role="user", content=told),
    )
