"""Lines for whoever looks on: a terminal that is paused, or a pipe that nobody reads, must not hold up the work."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import Final

from engine.kit.logs import Aside

_LINES: Final = 1_000
"""Lines that wait for their reader, at most."""
_SAID: Final = "said"


class Echo(Aside):
    """Writes records, and plain lines, to a file descriptor, without waiting for its reader."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(size=_LINES)
        self._descriptor = descriptor

    def say(self, line: str) -> None:
        """Write one line soon, as it is."""
        self.emit(logging.makeLogRecord({"name": _SAID, "msg": line}))

    def _hand(self, record: logging.LogRecord) -> None:
        line = record.getMessage() if record.name == _SAID else self.format(record)
        with suppress(OSError):  # whoever read it is gone
            raw = f"{line}\n".encode(errors="backslashreplace")
            while raw:
                raw = raw[os.write(self._descriptor, raw) :]
