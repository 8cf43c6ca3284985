from __future__ import annotations

import logging
import os

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
