"""A line of attempts in one task: a handler that waits for nothing needs no task of its own.

The task runs one attempt after the other while their handlers end without waiting. The first handler that waits keeps
the task for itself, and whoever comes after it gets a task of his own; the same when one leaves something behind in its
task (a context variable, a cancellation). To a handler, it is always the only one in its task.
"""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from engine.work.run import Run

RunOne = Callable[[Run, "Line"], Coroutine[Any, Any, None]]


class Line:
    """Attempts that wait for their turn in a task."""

    __slots__ = ("_clean", "_run_one", "_waiting")

    def __init__(self, run_one: RunOne, waiting: deque[Run], clean: contextvars.Context | None = None) -> None:
        """`run_one` runs one attempt and raises nothing; `clean` is the context that each of them begins with."""
        self._run_one = run_one
        self._waiting = waiting
        self._clean = clean or contextvars.copy_context()
        asyncio.get_running_loop().create_task(self._go(), context=self._clean.copy())

    async def _go(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        while self._waiting:
            run = self._waiting.popleft()
            run.task = task
            await self._run_one(run, self)
            if task.cancelling() or contextvars.copy_context() != self._clean:
                self.part()

    def part(self) -> None:
        """The attempt whose turn it is keeps the task: each that comes after it gets its own."""
        while self._waiting:
            Line(self._run_one, deque((self._waiting.popleft(),)), self._clean)

    def begin(self, handler: Awaitable[Any]) -> Awaitable[Any] | Ended:
        """Let a handler begin: Ended with what it returned, or, if it waits for something, the rest of it to await."""
        steps: Any = handler if type(handler) is types.CoroutineType else _as_coroutine(handler)
        try:
            waits_for = steps.send(None)
        except StopIteration as end:
            return Ended(end.value)
        self.part()
        return _rest(steps, waits_for)


class Ended:
    """What a handler returned."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


@types.coroutine
def _rest(steps: Any, waits_for: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that has begun: hand on what it waits for, and what comes back."""
    try:
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:
                waits_for = steps.throw(error)
            else:
                waits_for = steps.send(sent)
    except StopIteration as end:
        return end.value


async def _as_coroutine(handler: Awaitable[Any]) -> Any:
    return await handler
