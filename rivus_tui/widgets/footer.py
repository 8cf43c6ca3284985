"""The last line: the keys that matter here, as many as fit, never a cut label; a click does what the key does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.message import Message

from rivus_tui.actions.action import Action, key_name
from rivus_tui.format import Cell, Line, width_of
from rivus_tui.widgets.lines_view import LinesView

_MOST: Final = 9
_GAP: Final = "  "


class Footer(LinesView):
    """Actions with their keys."""

    ALLOW_SELECT = False

    class Pressed(Message):
        """An action was clicked."""

        def __init__(self, action_id: str) -> None:
            super().__init__()
            self.action_id = action_id

    def __init__(self, widget_id: str | None = None) -> None:
        super().__init__(self._footer, widget_id=widget_id)
        self._offered: Sequence[tuple[Action, str, str]] = ()
        self._spans: list[tuple[int, int, str]] = []

    def offer(self, actions: Sequence[tuple[Action, str, str]]) -> None:
        """Show actions: each with its label here and why it cannot be done now (empty: it can)."""
        self._offered = actions
        self.redraw()

    def _footer(self, width: int) -> Sequence[Line]:
        shown: list[tuple[int, tuple[Cell, ...], str]] = []
        room = width - 1
        # The last one, help, always has its room.
        order = [*range(len(self._offered))]
        for index in (*order[-1:], *order[:-1]):
            action, label, reason = self._offered[index]
            cells: tuple[Cell, ...] = (
                Cell(action.footer_key or key_name(action.keys[0]), "muted" if reason else "strong"),
                Cell(f" {label}", "muted" if reason else ""),
            )
            size = width_of(cells) + len(_GAP)
            if len(shown) < _MOST and size <= room:
                room -= size
                shown.append((index, cells, action.id))
        line: list[Cell] = [Cell(" ")]
        self._spans = []
        at = 1
        for _, drawn, action_id in sorted(shown, key=lambda one: one[0]):
            size = width_of(drawn)
            self._spans.append((at, at + size, action_id))
            line += [*drawn, Cell(_GAP)]
            at += size + cell_len(_GAP)
        return (tuple(line),)

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        for start, end, action_id in self._spans:
            if start <= event.x < end:
                self.post_message(self.Pressed(action_id))
