"""An exception as text that can be stored: bounded, cleaned, without secrets and local variables, whatever it does."""

from __future__ import annotations

import traceback
from typing import Final

from engine.contracts.attempt import AttemptError
from engine.kit.redact import redact
from engine.kit.safe_text import safe_block, safe_line

MESSAGE_LIMIT: Final = 2_000
TRACEBACK_LIMIT: Final = 20_000


def describe(error: BaseException) -> AttemptError:
    """Describe an exception; one whose `__str__` raises is described by its type alone."""
    try:
        message = safe_block(redact(str(error)[: 2 * MESSAGE_LIMIT]), MESSAGE_LIMIT)
    except BaseException:
        message = "(the exception has no readable message)"
    return AttemptError(error_type=safe_line(type(error).__qualname__, 200), message=message, traceback=_trace(error))


def _trace(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(error, limit=30, chain=True)
        return safe_block(redact("".join(lines)[: 2 * TRACEBACK_LIMIT]), TRACEBACK_LIMIT)
    except BaseException:
        return "(the traceback cannot be formatted)"


def first_line(problem: AttemptError) -> str:
    """One line for lists: type and first line of the message."""
    message = problem.message.strip().split("\n", 1)[0]
    return safe_line(f"{problem.error_type}: {message}" if message else problem.error_type, 300)
