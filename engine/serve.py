"""Headless: the same engine without an app. The main thread waits for signals, the engine lives in its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.facade import Engine
from engine.kit.signals import told_of


def serve(engine: Engine, *, say: Callable[[str], None], ready: str) -> int:
    """Run a started engine until SIGTERM, SIGINT or the command `stop`; a second signal stops at once. Returns the exit
    code.

    `say` prints one plain line for the person who started it, first `ready`, once signals are taken.
    """
    with stopped_by_signal(engine, say=say), _reloaded_by_signal(engine, say=say):
        say(ready)
        ended = engine.wait_stopped()
    return 0 if ended and engine.stop_was_asked else 1


@contextmanager
def stopped_by_signal(engine: Engine, *, say: Callable[[str], None]) -> Iterator[threading.Event]:
    """SIGTERM and SIGINT stop the engine while this lasts; the event tells whether one came.

    `say` prints one plain line for the person who started it.
    """
    asked = threading.Event()

    def stop(number: signal.Signals) -> None:
        again = asked.is_set()
        asked.set()
        running = engine.running()
        engine.ask_stop(drain=True)
        if again:
            say(f"{number.name} again: stopping at once")
        else:
            say(f"{number.name}: stopping; {running} running, waiting at most {engine.project.settings.grace_s:g} s")

    with told_of((signal.SIGTERM, signal.SIGINT), stop):
        yield asked


@contextmanager
def _reloaded_by_signal(engine: Engine, *, say: Callable[[str], None]) -> Iterator[None]:
    """SIGHUP reads jobs.yaml again while this lasts."""

    def reload(_: signal.Signals) -> None:
        say("SIGHUP: reading the configuration again")
        engine.ask_reload(say)

    with told_of((signal.SIGHUP,), reload):
        yield
