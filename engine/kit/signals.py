"""Signals that are answered in a thread of their own."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)


@contextmanager
def told_of(numbers: Iterable[signal.Signals], tell: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `tell` for each of these signals, one after the other, while this lasts; only for the main thread.

    A handler runs between two steps of the main thread, which may hold the lock of a queue, an event or a stream just
    then: a handler that needs the same lock waits for ever. So it only puts the signal into a queue whose `put` may
    interrupt itself.
    """
    came: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    told = os.getpid()

    def note(number: int, _frame: FrameType | None) -> None:
        if os.getpid() == told:
            came.put(number)
        elif number == signal.SIGTERM:
            # In a child that a handler has forked nobody listens: let it end, as who sent this wants. What a terminal
            # sends, it sends to all of them, and what is drained needs its children.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def listen() -> None:
        while (number := came.get()) is not None:
            try:
                tell(signal.Signals(number))
            except Exception:
                log.exception("a signal could not be answered")

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        came.put(None)
        thread.join()
