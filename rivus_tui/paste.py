"""Pasted text stays text: what stands between a terminal's marks of a paste never becomes keys.

Textual's parser goes on looking for escape sequences inside a paste, and hands in as keys what it does not understand:
a text with an ESC in it, copied from a web page, would act in the room.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class PasteGuard:
    """Takes control characters out of pasted text, however the terminal cuts what it sends into pieces."""

    def __init__(self) -> None:
        self._inside = False
        self._before = ""
        """Outside of a paste: the end of what was passed on, where a mark may have begun. Inside: what is held back."""

    def clean(self, data: str) -> str:
        """Return what may be parsed of the next piece."""
        passed = ""
        while data:
            if self._inside:
                done, data = self._pasted(self._before + data)
                passed += done
            else:
                done, data = self._typed(data)
                passed += done
        return passed

    def _typed(self, data: str) -> tuple[str, str]:
        """Up to the mark of a paste; a lone ESC is a key, so that nothing is held back."""
        known = self._before + data
        at = known.find(START)
        if at < 0:
            self._before = known[-len(START) + 1 :]
            return data, ""
        self._inside, skipped = True, len(self._before)
        self._before = ""
        end = at + len(START) - skipped
        return data[:end], data[end:]

    def _pasted(self, data: str) -> tuple[str, str]:
        """Up to the end of the paste: the last mark before another paste begins, as a text may hold one itself."""
        limit = data.find(START)
        at = data.rfind(END, 0, limit if limit >= 0 else len(data))
        if at >= 0:
            self._inside, self._before = False, ""
            return _CONTROLS.sub("", data[:at].replace(END, "")) + END, data[at + len(END) :]
        held = next((size for size in range(len(END) - 1, 0, -1) if data.endswith(END[:size])), 0)
        self._before = data[len(data) - held :]
        return _CONTROLS.sub("", data[: len(data) - held]), ""


class GuardedParser(XTermParser):
    """Textual's parser behind a `PasteGuard`."""

    def __init__(self, debug: bool = False) -> None:
        self._guard = PasteGuard()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Return what a piece of input means; an empty one is its end."""
        return super().feed(self._guard.clean(data)) if data else super().feed(data)


def guard_pastes() -> None:
    """Let the terminal's input go through a `GuardedParser`: Textual's driver makes its parser by this name."""
    driver: Any = linux_driver
    driver.XTermParser = GuardedParser
