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

    NoAnswer when it raises or is late; a thread that is late is left behind.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if inspect.iscoroutinefunction(inspect.unwrap(function)):
                return await function(context)
            return await asyncio.to_thread(function, context)
    except TimeoutError as error:
        raise NoAnswer(f"gave no answer within {timeout_s:g} s") from error
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # somebody else's code: a SystemExit must not end the engine
        raise NoAnswer(first_line(describe(error))) from error
