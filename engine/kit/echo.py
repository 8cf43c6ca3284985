"""Lines for whoever looks on: a terminal that is paused, or a pipe that nobody reads, must not hold up the work."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from contextlib import suppress
from typing import Final

_LINES: Final = 1_000
"""Lines that wait for their reader, at most."""
_LAST_S: Final = 1.0
"""How long the last lines are waited for at the end."""


class Echo(logging.Handler):
    """Writes to a file descriptor from a thread of its own; what its reader does not take in time is left out, and
    told."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: queue.Queue[str] = queue.Queue(_LINES)
        self._left_out = 0
        self._thread: threading.Thread | None = None

    def say(self, line: str) -> None:
        """Write one line soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="echo", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.say(self.format(record))

    def flush(self) -> None:
        """Wait a moment for what is not written yet."""
        until = time.monotonic() + _LAST_S
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)

    def _write(self) -> None:
        while True:
            line = self._waiting.get()
            if self._left_out:
                left_out, self._left_out = self._left_out, 0
                line = f"(lines that nobody read in time are left out here: {left_out})\n{line}"
            with suppress(OSError):  # whoever read it is gone
                raw = f"{line}\n".encode(errors="backslashreplace")
                while raw:
                    raw = raw[os.write(self._descriptor, raw) :]
            self._waiting.task_done()
