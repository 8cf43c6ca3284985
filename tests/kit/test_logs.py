from __future__ import annotations

import logging
import sys
import threading
from types import FrameType
from typing import Any

from engine.kit import logs
from engine.kit.logs import Aside


class Gate(logging.Handler):
    """Writes nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.told: list[str] = []
        self.threads: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.open.wait()
        self.told.append(record.getMessage())
        self.threads.add(threading.current_thread().name)


def record(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("rivus", logging.INFO, __file__, 1, text, args, None)


def test_record_is_written_in_another_thread_as_it_was_said() -> None:
    gate = Gate()
    log = Aside(gate)
    things = ["a"]
    log.handle(record("%s and %d", things, 7))
    things.append("b")
    log.handle(record("%d", "no number"))
    gate.open.set()
    log.close()
    assert gate.told == ["['a'] and 7"]
    assert gate.threads == {"log"}


def test_flood_is_left_out_and_told() -> None:
    gate = Gate()
    log = Aside(gate)
    for n in range(logs._RECORDS + 10):
        log.handle(record(f"{n}"))
    gate.open.set()
    log.flush()
    log.handle(record("last"))
    log.close()
    assert gate.told[0] == "0"
    assert gate.told[-1] == "last"
    assert any(text.endswith("lines came faster than they can be written, and are left out here") for text in gate.told)


def test_record_that_interrupts_another_at_any_step_is_taken() -> None:
    """A signal or the end of an object in a cycle may want to log between any two steps of a call that logs."""
    gate = Gate()
    gate.open.set()
    log = Aside(gate)
    interrupted = 0

    def step(frame: FrameType, what: str, _: Any) -> Any:
        nonlocal interrupted
        if what == "line":
            sys.settrace(None)
            interrupted += 1
            log.handle(record("in between"))
            sys.settrace(step)
        return step

    def say() -> None:
        log.handle(record("first"))  # starts the thread, whose own locks nobody must meet
        sys.settrace(step)
        log.handle(record("second"))
        sys.settrace(None)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    thread.join(timeout=60.0)
    assert not thread.is_alive()
    log.close()
    assert interrupted > 5
    assert gate.told.count("in between") == interrupted
    assert gate.told[0] == "first"
    assert gate.told.count("second") == 1
