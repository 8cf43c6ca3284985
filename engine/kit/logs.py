"""The log: one JSON object a line, rotated, readable by its owner only; and plain lines for a terminal.

Who logs waits neither for a disk nor for the search for secrets in what it says: records are written by a thread.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from engine.kit.redact import redact
from engine.kit.safe_text import safe_block, safe_line

LOG_BYTES: Final = 10_000_000
LOG_FILES: Final = 3
_RECORDS: Final = 5_000
"""Records that wait to be written, at most."""
_LAST_S: Final = 2.0
"""How long the last records are waited for at the end."""
_IDS: Final = ("job", "item", "stage", "attempt")
"""Fields that a record may carry about the work it comes from."""


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "text", …ids, "trace"}`."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "at": round(record.created * 1000),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": safe_block(redact(record.getMessage()[:16_000]), 8_000),
        }
        told |= {name: getattr(record, name) for name in _IDS if hasattr(record, name)}
        if record.exc_info:
            told["trace"] = safe_block(redact(self.formatException(record.exc_info)[:40_000]), 20_000)
        return json.dumps(told, default=str)


class PlainLines(logging.Formatter):
    """`14:07:12 warning text`, one line whatever the record holds; tracebacks stay in the file."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        ids = " ".join(str(getattr(record, name)) for name in ("job", "item", "stage") if hasattr(record, name))
        said = redact(record.getMessage()[:4_000])
        text = safe_line(f"{ids}: {said}" if ids else said)
        return f"{at} {record.levelname.lower():7} {text}"


class _PrivateFile(RotatingFileHandler):
    """A rotating file that is created for its owner only."""

    def _open(self):  # type: ignore[no-untyped-def]
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        return super()._open()

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the file is full; the library's own look at it makes a record text once more."""
        if self.stream is None:
            self.stream = self._open()  # type: ignore[no-untyped-call]
        return os.fstat(self.stream.fileno()).st_size >= self.maxBytes

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written must not stop the work, nor write over the screen."""


def open_log(path: Path) -> logging.Handler:
    """Return a handler that appends JSON lines to `path` and rotates it."""
    handler = _PrivateFile(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(JsonLines())
    return handler


class Aside(logging.Handler):
    """Hands records to other handlers in a thread of its own; what they do not take in time is left out, and told."""

    def __init__(self, *handlers: logging.Handler, size: int = _RECORDS) -> None:
        """`size`: how many records may wait."""
        super().__init__()
        self._handlers = handlers
        # Not a Queue: collecting garbage in the middle of its `put` may want to log, and would wait for its lock.
        self._waiting: queue.SimpleQueue[logging.LogRecord | threading.Event] = queue.SimpleQueue()
        self._size = size
        self._left_out = 0
        self._patience_s = _LAST_S
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
        if self._waiting.qsize() < self._size:
            self._waiting.put(record)
        else:
            self._left_out += 1

    def flush(self) -> None:
        """Wait a moment for what is not written yet."""
        if self._thread is not None:
            written = threading.Event()
            self._waiting.put(written)
            if not written.wait(self._patience_s):
                self._patience_s = 0.0  # whoever takes nothing by now is not waited for again
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
            if isinstance(record, threading.Event):
                record.set()
            else:
                self._hand(record)

    def _hand(self, record: logging.LogRecord) -> None:
        for handler in self._handlers:
            handler.handle(record)
