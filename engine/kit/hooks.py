"""Ask a function of a plugin one question, so that whatever it does, there is an answer or a reason."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Final

from engine.kit.exceptions import describe, first_line

ANSWER_S: Final = 30.0
"""How long an answer may take."""


class NoAnswer(Exception):
    """The function raised, or took too long; the message is one line."""


async def ask(function: Callable[..., Any], context: Any, *, timeout_s: float = ANSWER_S) -> Any:
    """Return what the function answers; a plain one runs in a thread, so that it never keeps the loop waiting.

    NoAnswer when it raises or is late; what is late, and ignores its cancellation, is left behind.
    """
    asked = asyncio.ensure_future(_answer(function, context))
    try:
        done, _ = await asyncio.wait({asked}, timeout=timeout_s)
    finally:
        asked.cancel()
    if not done:
        raise NoAnswer(f"gave no answer within {timeout_s:g} s")
    value, error = asked.result()
    if error is not None:
        raise NoAnswer(first_line(describe(error))) from error
    return value


async def _answer(function: Callable[..., Any], context: Any) -> tuple[Any, BaseException | None]:
    try:
        if inspect.iscoroutinefunction(inspect.unwrap(function)):
            return await function(context), None
        return await asyncio.to_thread(function, context), None
    except BaseException as error:  # somebody else's code: neither a SystemExit nor a cancellation must end the engine
        return None, error
