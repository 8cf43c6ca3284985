from __future__ import annotations

import logging
import os
import time

import pytest

from engine.kit import logs
from engine.kit.echo import Echo


def test_nobody_waits_for_a_reader_that_does_not_read() -> None:
    reads, writes = os.pipe()
    echo = Echo(writes)
    for n in range(3_000):
        echo.emit(logging.makeLogRecord({"msg": f"{n} {'x' * 200}"}))
    told = b""
    while b"left out" not in told:
        told += os.read(reads, 65_536)
        echo.say("last")
    first, *_ = told.split(b"\n")
    assert first.startswith(b"0 xxx")
    os.close(reads)
    echo.say("nobody is there")
    echo.flush()
    os.close(writes)


def test_end_waits_once_for_a_reader_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_LAST_S", 0.1)
    reads, writes = os.pipe()
    echo = Echo(writes)
    for _ in range(100):
        echo.say("x" * 2_000)
    began = time.monotonic()
    for _ in range(50):
        echo.flush()
    assert time.monotonic() - began < 2.0
    os.close(reads)
    echo.flush()
    os.close(writes)
