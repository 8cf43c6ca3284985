"""Picks one of any number of choices by a digit or a letter, as many at a time as there are keys and lines for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.kit.clock import Clock
from rivus_tui.format import Cell, Line, fit_line
from rivus_tui.screens.dialog import Choice, Dialog
from rivus_tui.widgets.lines_view import LinesView

_KEYS: Final = "123456789abcdefghijklmoprstuvwxyz"
"""Keys of choices; `n` is no, and `q` too near to what leaves the room."""
_FEWEST: Final = 3
"""Choices that are shown at once even below a question that fills the screen."""
_LEAVE: Final = (Choice(key="n", label="leave as it is", value=None),)


class Picking(Dialog):
    """Asks one question; what does not fit is a page further, and says so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,right_square_bracket", "turn(1)", show=False),
        Binding("pageup,left_square_bracket", "turn(-1)", show=False),
    ]

    def __init__(
        self,
        clock: Clock,
        title: str,
        offers: Sequence[tuple[str, str]],
        text: Sequence[str] = (),
        beside: Sequence[Choice] = _LEAVE,
    ) -> None:
        """`offers`: label and what is returned for it; `beside`: choices with keys of their own, on every page."""
        super().__init__(clock, title, text, beside)
        self._offers = offers
        self._keys = [key for key in _KEYS if all(key != choice.key for choice in beside)]
        self._first = 0

    @property
    def choices(self) -> Sequence[Choice]:
        """Return those of this page, then what can be chosen on every page."""
        page = self._offers[self._start : self._start + self._at_once]
        offered = [
            Choice(key=key, label=label, value=value) for key, (label, value) in zip(self._keys, page, strict=False)
        ]
        return [*offered, *super().choices]

    @property
    def _start(self) -> int:
        """The first offer of this page; where all have room since the box grew, the first of all."""
        return self._first if len(self._offers) > self._at_once else 0

    @property
    def _at_once(self) -> int:
        """How many offers stand on a page."""
        others = len(self.question(self.inner_width)) + len(super().choices)
        room = min(self.rows - others, len(self._keys))
        return room if len(self._offers) <= room else max(min(self.rows - others - 1, len(self._keys)), _FEWEST)

    def pages(self, width: int) -> Sequence[Line]:
        """Return which of all offers these are."""
        at_once, total = self._at_once, len(self._offers)
        if total <= at_once:
            return ()
        last = min(self._start + at_once, total)
        text = f"{self._start + 1} to {last} of {total:,}"
        return (fit_line([Cell("  "), Cell("] [", "strong"), Cell(f"  {text}, PgDn PgUp too", "muted")], width),)

    def action_turn(self, pages: int) -> None:
        """Show the next page, or the one before."""
        first = self._start + pages * self._at_once
        if first < len(self._offers):
            self._first = max(first, 0)
            self.fit()
            self.query_one("#question", LinesView).redraw()
