"""Two things that every loop of the engine does: wait for a signal or a time, and end a task of its own."""

from __future__ import annotations

import asyncio


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
