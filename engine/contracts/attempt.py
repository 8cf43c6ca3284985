"""How an attempt went wrong, as stored and shown."""

from __future__ import annotations

from engine.contracts.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptError:
    """An exception of a handler; texts are cleaned and bounded, local variables are not in them."""

    error_type: str
    message: str
    traceback: str
