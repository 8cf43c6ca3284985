"""What a handler logs: bounded on its way to the engine's log, and the end of it kept for whoever looks at the item."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

from engine.kit.redact import redact
from engine.kit.safe_text import safe_line

LINE_LIMIT: Final = 4_000
LINES_MAX: Final = 2_000
"""Lines of one attempt that go to the engine's log."""
CHARACTERS_MAX: Final = 1 << 20
"""Characters of one attempt that go to the engine's log."""
KEPT_LINES: Final = 200
"""The newest lines of an attempt that are kept with its item."""
_KEPT_LINE: Final = 500


class LogBudget:
    """How much one attempt may still log."""

    def __init__(self) -> None:
        self._lines = LINES_MAX
        self._characters = CHARACTERS_MAX
        self._dropped = 0

    def take(self, characters: int) -> bool:
        """Whether one more line of this size may go on."""
        if self._lines <= 0 or self._characters < characters:
            self._dropped += 1
            return False
        self._lines -= 1
        self._characters -= characters
        return True

    def told(self) -> str | None:
        """A sentence about what was dropped; None: nothing."""
        return f"{self._dropped:,} more lines were not kept: the handler logs too much" if self._dropped else None


class AttemptLog:
    """The newest lines of one attempt. Written by whichever thread the handler runs in, read by the engine's."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now`: ms UTC."""
        self._now = now
        self._lines: deque[tuple[int, int, str]] = deque(maxlen=KEPT_LINES)
        # A search for garbage while it is held may end an object of the handler that logs.
        self._lock = threading.RLock()
        self.seen = 0
        """Lines so far, those that are not kept any more included."""

    def add(self, level: int, text: str) -> None:
        """Keep one line."""
        with self._lock:
            self.seen += 1
            self._lines.append((self._now(), level, text[: 4 * _KEPT_LINE]))

    def encoded(self) -> str:
        """The kept lines, cleaned, as a JSON list of [at, level, text]; long ones take their time."""
        with self._lock:
            lines = list(self._lines)
        told = [
            (at, logging.getLevelName(level).lower(), safe_line(redact(text), _KEPT_LINE)) for at, level, text in lines
        ]
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


class HandlerLogger(logging.LoggerAdapter[logging.Logger]):
    """`ctx.log` of a handler in the engine's process: to the engine's log with the attempt's ids, and to its own."""

    def __init__(self, logger: logging.Logger, ids: Mapping[str, object], kept: AttemptLog) -> None:
        super().__init__(logger, ids)
        self._kept = kept
        self._budget = LogBudget()

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log one record; beyond the attempt's budget it is only counted."""
        if not self.isEnabledFor(level):
            return
        text = _said(msg, args)
        if self._budget.take(len(text)):
            text = text[:LINE_LIMIT]
            self._kept.add(level, text)
            super().log(level, "%s", text, **kwargs)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the ids; a handler's own `extra` stays."""
        return msg, {**kwargs, "extra": {**(kwargs.get("extra") or {}), **(self.extra or {})}}

    def close(self) -> None:
        """The attempt has ended: say what was dropped."""
        if dropped := self._budget.told():
            self._kept.add(logging.WARNING, dropped)
            super().log(logging.WARNING, "%s", dropped)


def _said(message: object, args: tuple[object, ...]) -> str:
    try:
        return str(message) % args if args else str(message)
    except (TypeError, ValueError):
        return f"{message} {args!r}"
