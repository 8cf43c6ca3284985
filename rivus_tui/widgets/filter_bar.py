"""The line above a list: scope, filter, how many rows of how many. `/` turns the filter into an input."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from rivus_tui.filters import SCOPES, Scope
from rivus_tui.format import Cell, Line, cell, fit_line, spread
from rivus_tui.widgets.lines_view import LinesView

_DEBOUNCE_S = 0.15


class FilterBar(Horizontal):
    """Shows and edits the filter of a list."""

    class Changed(Message):
        """The filter was edited."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, hint: str = "", widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.value = ""
        self.problem = ""
        self._hint = hint
        self._left: Sequence[Cell] = ()
        self._right: Sequence[Cell] = ()
        self._timer: Timer | None = None
        self._field: Input | None = None

    def compose(self) -> ComposeResult:
        """Show the filter; the input over it comes with the first `/`, the first paint does without."""
        yield LinesView(self._draw, widget_id="filter-shown")

    def show(self, left: Sequence[Cell], right: Sequence[Cell]) -> None:
        """Set what stands left (scope) and right (counts) of the filter."""
        self._left, self._right = left, right
        self.query_one("#filter-shown", LinesView).redraw()

    def set_value(self, value: str) -> None:
        """Set the filter without saying so."""
        self.value = value
        if self._field is not None:
            with self._field.prevent(Input.Changed):
                self._field.value = value
        self.query_one("#filter-shown", LinesView).redraw()

    @property
    def is_open(self) -> bool:
        """Whether the filter is being edited."""
        return self._field is not None and bool(self._field.display)

    def open(self) -> None:
        """Edit the filter, cursor at its end."""
        if self._field is None:
            self._field = Input(placeholder=self._hint, id="filter-input", compact=True, select_on_focus=False)
            self.mount(self._field)
        field = self._field
        field.display = True
        with field.prevent(Input.Changed):
            field.value = f"{self.value} " if self.value else ""
        field.focus()
        field.cursor_position = len(field.value)

    def close(self) -> None:
        """Leave the input; the filter stays."""
        if self._field is not None:
            self._field.display = False
            self.screen.set_focus(None)
            self._apply()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Apply the filter once the keys pause."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_DEBOUNCE_S, self._apply)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Apply the filter and go back to the list."""
        event.stop()
        self.close()

    def _apply(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        value = " ".join(self._field.value.split()) if self._field is not None else self.value
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(value))

    def _draw(self, width: int) -> Sequence[Line]:
        shown: list[Cell] = [Cell(" "), *self._left]
        if self.value:
            shown += [Cell("  / ", "muted"), cell(self.value, "strong")]
        if self.problem:
            # What is wrong needs the room more than the counts do.
            return (fit_line([*shown, Cell("  "), cell(self.problem, "bad")], width),)
        return (spread(shown, [*self._right, Cell(" ")], width),)


def scope_cells(scope: Scope) -> tuple[Cell, ...]:
    """Return the strip of scopes, the chosen one in brackets."""
    cells: list[Cell] = []
    for one in SCOPES:
        title = one.capitalize()
        cells.append(Cell(f"[{title}]", "strong") if one == scope else Cell(f" {title} ", "muted"))
    return tuple(cells)
