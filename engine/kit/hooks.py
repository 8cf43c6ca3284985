"""Ask a function of a plugin one question, so that whatever it does, there is an answer or a reason."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from engine.kit.exceptions import describe, first_line
from engine.kit.tasks import begin_beside

ANSWER_S: Final = 30.0
"""How long an answer may take."""
LEFT_BEHIND_MAX: Final = 3
"""A function of which so many questions are left behind is not asked again while they are."""

_left_behind: Counter[Callable[..., Any]] = Counter()


class NoAnswer(Exception):
    """The function raised, or took too long; the message is one line."""


async def ask(function: Callable[..., Any], context: Any, *, timeout_s: float = ANSWER_S) -> Any:
    """Return what the function answers; a plain one runs in a thread, so that it never keeps the loop waiting.

    NoAnswer when it raises or is late; what is late, and ignores its cancellation, is left behind.
    """
    if _left_behind[function] >= LEFT_BEHIND_MAX:
        raise NoAnswer(f"has not answered {LEFT_BEHIND_MAX} times, and is still at it")
    asked = asyncio.ensure_future(_answer(function, context))
    try:
        done, _ = await asyncio.wait({asked}, timeout=timeout_s)
    finally:
        asked.cancel()
    if not done:
        _left_behind[function] += 1
        asked.add_done_callback(lambda _: _ended(function))
        raise NoAnswer(f"gave no answer within {timeout_s:g} s")
    value, error = asked.result()
    if error is not None:
        raise NoAnswer(first_line(describe(error))) from error
    return value


def _ended(function: Callable[..., Any]) -> None:
    _left_behind[function] -= 1
    if not _left_behind[function]:
        del _left_behind[function]


async def _answer(function: Callable[..., Any], context: Any) -> tuple[Any, BaseException | None]:
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        return await _in_thread(function, context)
    try:
        return await function(context), None
    except BaseException as error:  # somebody else's code: neither a SystemExit nor a cancellation must end the engine
        return None, error


async def _in_thread(function: Callable[..., Any], context: Any) -> tuple[Any, BaseException | None]:
    """A cancellation changes nothing: nothing can stop a thread."""
    ended = begin_beside(function, context, name="question")
    while not ended.done():
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            continue
    return ended.result()
