"""The door to the models over the pipe: what a worker process asks, what it gets, and errors that keep their type.

A question is one of: `missing` (an alias), `request`, `jury` (with a request), and `talk` (the worker's number of a
conversation) with `open`, `say`, `wait_for`, `release` or `close`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.errors import (
    BadReply,
    InDoubt,
    ModelBusy,
    ModelError,
    ModelFailed,
    ModelNeeded,
    RivusError,
    TooCostly,
)
from engine.contracts.llm import Ballot, Consensus, Message, Reply, Request, Schema
from engine.kit.shapes import build, json_schema

_PLAIN: Final[Mapping[str, type[RivusError]]] = {
    kind.__name__: kind for kind in (ModelNeeded, ModelError, TooCostly, InDoubt)
}


def encode_request(request: Request) -> dict[str, Any]:
    """A request as JSON values; its shape becomes a JSON Schema."""
    told = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    told["messages"] = [[message.role, message.content] for message in request.messages]
    told["schema"] = None if request.schema is None else dict(json_schema(request.schema))
    return told


def decode_request(told: Mapping[str, Any]) -> Request:
    """What `encode_request` made."""
    messages = tuple(Message(role=role, content=content) for role, content in told["messages"])
    return Request(**{**told, "messages": messages})


def encode_reply(reply: Reply) -> dict[str, Any]:
    """A reply as JSON values."""
    return {field.name: getattr(reply, field.name) for field in dataclasses.fields(reply)}


def decode_reply(told: Mapping[str, Any]) -> Reply:
    """What `encode_reply` made."""
    return Reply(**told)


def encode_consensus(consensus: Consensus) -> dict[str, Any]:
    """What a jury came to as JSON values."""
    told = {field.name: getattr(consensus, field.name) for field in dataclasses.fields(consensus)}
    told["ballots"] = [
        {field.name: getattr(ballot, field.name) for field in dataclasses.fields(ballot)}
        for ballot in consensus.ballots
    ]
    return told


def decode_consensus(told: Mapping[str, Any], schema: Schema | None) -> Consensus:
    """What `encode_consensus` made, its answers in the shape that was asked for."""

    def shaped(value: Any) -> Any:
        return value if schema is None or value is None else build(schema, value)

    ballots = tuple(Ballot(**{**one, "value": shaped(one["value"])}) for one in told["ballots"])
    # With `decided` it is the value of one field; else it is one of the answers, or prose.
    value = told["value"] if told["decided"] else shaped(told["value"])
    return Consensus(**{**told, "ballots": ballots, "value": value})


def encode_error(error: RivusError) -> dict[str, Any]:
    """An error as JSON values, with what its type carries."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    for name in ("until", "kind", "status", "text"):
        if hasattr(error, name):
            told[name] = getattr(error, name)
    return told


def decode_error(told: Mapping[str, Any]) -> RivusError:
    """What `encode_error` made."""
    message = str(told["message"])
    match told["type"]:
        case "ModelBusy":
            return ModelBusy(message, until=told["until"])
        case "ModelFailed":
            return ModelFailed(message, kind=told["kind"], status=told["status"])
        case "BadReply":
            return BadReply(message, text=told["text"])
    return _PLAIN.get(told["type"], ModelError)(message)
