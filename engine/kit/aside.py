"""Log records written aside: who logs waits neither for a disk nor for the search for secrets in what it says."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import Final

_RECORDS: Final = 5_000
"""Records that wait to be written, at most."""
_LAST_S: Final = 2.0
"""How long the last records are waited for at the end."""


class Aside(logging.Handler):
    """Hands records to other handlers in a thread of its own; what they do not take in time is left out, and told."""

    def __init__(self, *handlers: logging.Handler) -> None:
        super().__init__()
        self._handlers = handlers
        self._waiting: queue.Queue[logging.LogRecord] = queue.Queue(_RECORDS)
        self._left_out = 0
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record written soon."""
        try:
            record.msg, record.args = record.getMessage(), None  # what it names may have changed when it is written
        except Exception:
            self.handleError(record)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            self._left_out += 1

    def flush(self) -> None:
        """Wait a moment for what is not written yet."""
        until = time.monotonic() + _LAST_S
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.002)
        for handler in self._handlers:
            handler.flush()

    def close(self) -> None:
        """Write what is left, and close the handlers."""
        self.flush()
        for handler in self._handlers:
            handler.close()
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """A record that cannot be made text must not stop the work, nor write over the screen."""

    def _write(self) -> None:
        while True:
            record = self._waiting.get()
            if self._left_out:
                left_out, self._left_out = self._left_out, 0
                self._hand(logging.makeLogRecord({
                    "name": __name__, "levelno": logging.WARNING, "levelname": "WARNING",
                    "msg": f"{left_out:,} lines came faster than they can be written, and are left out here",
                }))  # fmt: skip
            self._hand(record)
            self._waiting.task_done()

    def _hand(self, record: logging.LogRecord) -> None:
        for handler in self._handlers:
            handler.handle(record)
