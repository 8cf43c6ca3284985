"""What every loop of the engine does: wait for a signal or a time, work in a thread, and end a task of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")


def _in_thread(name: str, function: Callable[[], T], tell: Callable[[T | None, BaseException | None], object]) -> None:
    """Call a function in a thread of its own, which tells what it returned or raised.

    Not one of the loop's own threads: these are few, handlers may hold all of them for ever, and a process does not end
    before them. Nothing can stop a thread: when nobody waits any more, it goes on all the same.
    """

    def run() -> None:
        value, raised = None, None
        try:
            value = function()
        except BaseException as error:  # it may be somebody else's code, and must not end the thread unheard
            raised = error
        tell(value, raised)

    threading.Thread(target=run, name=name, daemon=True).start()


def begin_beside(
    function: Callable[..., T], *args: Any, name: str
) -> asyncio.Future[tuple[T | None, BaseException | None]]:
    """Call a function in a thread of its own; returns what will tell what it returned, or raised."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result((value, error))

    def tell(value: T | None, error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop has ended before it
            loop.call_soon_threadsafe(settle, value, error)

    _in_thread(name, partial(function, *args), tell)
    return ended


class _Beside(concurrent.futures.Executor):
    """A thread for each call."""

    def submit(self, function: Callable[..., T], /, *args: Any, **named: Any) -> concurrent.futures.Future[T]:
        ended: concurrent.futures.Future[T] = concurrent.futures.Future()
        ended.set_running_or_notify_cancel()  # whoever is cancelled leaves it

        def tell(value: T | None, error: BaseException | None) -> None:
            if error is not None:
                ended.set_exception(error)
            else:
                ended.set_result(value)  # type: ignore[arg-type]  # None is T's where nothing was raised

        _in_thread("beside", partial(function, *args, **named), tell)
        return ended


_BESIDE: Final = _Beside()


async def beside(function: Callable[..., T], *args: Any) -> T:
    """Return what a function of the engine returns, called in a thread of its own.

    It is asked of the loop, which has no threads where time is virtual.
    """
    return await asyncio.get_running_loop().run_in_executor(_BESIDE, function, *args)


async def wait_for_any(*events: asyncio.Event, timeout_s: float | None) -> None:
    """Return when one of the events is set, or after `timeout_s`; None waits without end.

    Unlike `asyncio.wait_for` it cannot be held up by what it waits for.
    """
    waiters = {asyncio.ensure_future(event.wait()) for event in events}
    try:
        await asyncio.wait(waiters, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


async def end_task(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, if there is one, and wait until it has ended."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
