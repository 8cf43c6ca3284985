"""The log: one JSON object a line, rotated, readable by its owner only; and plain lines for a terminal."""

from __future__ import annotations

import json
import logging
import os
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from engine.kit.redact import redact
from engine.kit.safe_text import safe_block, safe_line

LOG_BYTES: Final = 10_000_000
LOG_FILES: Final = 3
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
