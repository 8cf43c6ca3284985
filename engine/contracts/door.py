"""What an engine and those attached to it say to each other, as plain values.

The engine greets with `{"rivus": PROTOCOL, "epoch": …, "pid": …}`. A request is `{"id": n, "command": name, "args":
{…}}` or `{"id": n, "wait": {"job": name or null, "wait_s": seconds}}`; its answer is `{"id": n, "outcome": {…}}` or
`{"id": n, "error": {"kind": …, "message": …}}`. Between them the engine says `{"wake": true, "problem": …}` whenever
its state has changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, ModelNeeded, RivusError, StateError, UseError

PROTOCOL: Final = 1
"""Rises when an older end would misunderstand a newer one."""

_KINDS: Final[Mapping[str, type[RivusError]]] = {
    kind.__name__: kind for kind in (UseError, StateError, EngineStopped, ModelNeeded)
}


def outcome_to_wire(outcome: CommandOutcome) -> dict[str, Any]:
    """Return an outcome as JSON values."""
    return {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}


def outcome_from_wire(told: Mapping[str, Any]) -> CommandOutcome:
    """Return the outcome that another process told; KeyError, TypeError or ValueError for what is not one."""
    return CommandOutcome(
        ok=bool(told["ok"]),
        message=str(told["message"]),
        changed=tuple(str(key) for key in told["changed"]),
        skipped={str(key): str(why) for key, why in told["skipped"].items()},
        operation=None if told["operation"] is None else int(told["operation"]),
        data=dict(told["data"]),
    )


def error_to_wire(error: Exception) -> dict[str, str]:
    """Return an error as JSON values; one that is not of Rivus keeps its name only: its traceback is in the log."""
    for kind in type(error).__mro__:
        if kind.__name__ in _KINDS:
            return {"kind": kind.__name__, "message": str(error)}
    if isinstance(error, RivusError):
        return {"kind": "RivusError", "message": str(error)}
    return {
        "kind": "RivusError",
        "message": f"an unexpected {type(error).__name__}; the engine's log has its traceback",
    }


def error_from_wire(told: Mapping[str, Any]) -> RivusError:
    """Return the error that another process told."""
    return _KINDS.get(str(told.get("kind")), RivusError)(str(told.get("message")))
