"""What toasts have said in this session: none is lost because it was gone before somebody looked. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

from engine.contracts.values import dataclass
from rivus_tui.format import Cell, Line, cell, clock_time
from rivus_tui.theme import Role

Severity = Literal["information", "warning", "error"]

_MOST: Final = 200
_SHAPES: Final[dict[Severity, tuple[str, Role]]] = {
    "information": ("  ", ""), "warning": ("~ ", "wait"), "error": ("x ", "bad"),
}  # fmt: skip


@dataclass(kw_only=True, slots=True)
class Saying:
    """One text, and how often it was said in a row."""

    at: int
    """When it was said last, ms UTC."""
    text: str
    severity: Severity
    times: int = 1


class Said:
    """The newest 200 toasts."""

    def __init__(self) -> None:
        self._all: deque[Saying] = deque(maxlen=_MOST)
        self.unread = 0
        """Errors that nobody has read yet: a toast goes by itself, its count stays until `!` was pressed."""

    @property
    def all(self) -> tuple[Saying, ...]:
        """What was said, the oldest first."""
        return tuple(self._all)

    def add(self, text: str, severity: Severity, at: int) -> None:
        """Keep a toast; the same one again only counts."""
        self.unread += severity == "error"
        last = self._all[-1] if self._all else None
        if last is not None and last.text == text and last.severity == severity:
            last.at, last.times = at, last.times + 1
        else:
            self._all.append(Saying(at=at, text=text, severity=severity))

    def lines(self) -> list[Line]:
        """Return them for reading, newest first; from now on they have been read."""
        self.unread = 0
        lines: list[Line] = []
        for one in reversed(self._all):
            shape, role = _SHAPES[one.severity]
            again = (Cell(f" ({one.times} times)", "muted"),) if one.times > 1 else ()
            lines.append((Cell(f"{clock_time(one.at)} {shape}", role or "muted"), cell(one.text, role), *again))
        return lines or [(Cell("Nothing was said yet.", "muted"),)]
