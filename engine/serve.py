"""Headless: the same engine without an app. The main thread waits for signals, the engine lives in its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from engine.facade import Engine


def serve(engine: Engine, *, say: Callable[[str], None], ready: str) -> int:
    """Run a started engine until SIGTERM, SIGINT or the command `stop`; a second signal stops at once. Returns the exit
    code.

    `say` prints one plain line for the person who started it, first `ready`, once signals are taken.
    """
    with stopped_by_signal(engine, say=say), _reloaded_by_signal(engine, say=say):
        say(ready)
        # A signal that lands just before a wait is seen when the wait ends, so waits are short.
        while not engine.stopped.wait(timeout=0.5):
            pass
    return 0 if engine.stop_was_asked else 1


@contextmanager
def stopped_by_signal(engine: Engine, *, say: Callable[[str], None]) -> Iterator[threading.Event]:
    """SIGTERM and SIGINT stop the engine while this lasts; the event tells whether one came.

    `say` prints one plain line for the person who started it.
    """
    asked = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        again = asked.is_set()
        asked.set()
        name, running = signal.Signals(number).name, engine.running()
        engine.ask_stop(drain=True)
        if again:
            say(f"{name} again: stopping at once")
        else:
            say(f"{name}: stopping; {running} running, waiting at most {engine.project.settings.grace_s:g} s")

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _reloaded_by_signal(engine: Engine, *, say: Callable[[str], None]) -> Iterator[None]:
    """SIGHUP reads jobs.yaml again while this lasts."""

    def reload(_number: int, _frame: FrameType | None) -> None:
        say("SIGHUP: reading the configuration again")
        engine.ask_reload(say)

    before = signal.signal(signal.SIGHUP, reload)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
