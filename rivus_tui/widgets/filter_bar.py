"""The line above a list: scope, filter, how many rows of how many. `/` turns the filter into an input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input
from textual.widgets.input import Selection

from engine.contracts.view import Scope
from rivus_tui.filters import SCOPES, Suggestion
from rivus_tui.format import Cell, Line, cell, fit_line, spread, width_of
from rivus_tui.widgets.lines_view import LinesView

_DEBOUNCE_S = 0.15


class _Field(Input):
    """The filter as it is typed; Tab takes what is suggested first, Enter and Esc leave it.

    Keys that were pressed after those, and stand in its queue already, are meant for the screen.
    """

    class Taken(Message):
        """The first suggestion was taken."""

    def __init__(self, hint: str, leave: Callable[[], None]) -> None:
        super().__init__(placeholder=hint, id="filter-input", compact=True, select_on_focus=False)
        self._leave = leave

    def on_key(self, event: events.Key) -> None:
        """Take the keys that are not text, at once: a message would come after the keys that follow."""
        if self.display and event.key not in ("tab", "enter", "escape"):
            return
        event.stop()
        event.prevent_default()
        if not self.display:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key == "tab":
            self.post_message(self.Taken())
        else:
            self._leave()


class FilterBar(Vertical):
    """Shows and edits the filter of a list; while it is edited, what could be typed next stands under it."""

    class Changed(Message):
        """The filter was edited."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        *,
        hint: str = "",
        check: Callable[[str], str] = lambda _: "",
        suggest: Callable[[str], Sequence[Suggestion]] = lambda _: (),
        widget_id: str | None = None,
    ) -> None:
        """`check` says what of a filter cannot be understood, `suggest` how it could go on."""
        super().__init__(id=widget_id)
        self.value = ""
        self.problem = ""
        self._hint = hint
        self._check = check
        self._suggest = suggest
        self._left: Sequence[Cell] = ()
        self._right: Sequence[Cell] = ()
        self._timer: Timer | None = None
        self._field: Input | None = None
        self._kept = 0
        """Characters at its begin that typing does not replace."""

    def compose(self) -> ComposeResult:
        """Show the filter; the input over it comes with the first `/`, the first paint does without."""
        with Horizontal():
            yield LinesView(self._draw, widget_id="filter-shown")
        yield LinesView(self._next, widget_id="filter-next")

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

    def open(self, keep: str = "") -> None:
        """Edit the filter: typing replaces it, an arrow key keeps it. What it begins with to `keep` is not replaced."""
        if self._field is None:
            self._field = _Field(self._hint, self.close)
            self.query_one(Horizontal).mount(self._field)
            self.watch(self._field, "selection", self.query_one("#filter-next", LinesView).redraw, init=False)
        field = self._field
        field.display = True
        with field.prevent(Input.Changed):
            head = f"{keep} " if keep and self.value.startswith(keep) else ""
            field.value = head + self.value[len(head) :]
            self._kept = len(head)
        field.focus()
        field.selection = Selection(self._kept, len(field.value))
        self.add_class("-open")
        self.query_one("#filter-next", LinesView).redraw()
        self.query_one("#filter-shown", LinesView).redraw()

    def close(self) -> None:
        """Leave the input; the filter stays."""
        if self._field is not None:
            self._field.display = False
            self.remove_class("-open")
            self.screen.set_focus(None)
            self._apply()
            self.query_one("#filter-shown", LinesView).redraw()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Apply the filter once the keys pause."""
        event.stop()
        self.query_one("#filter-next", LinesView).redraw()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_DEBOUNCE_S, self._apply)

    def on__field_taken(self, event: _Field.Taken) -> None:
        """Go on with what is suggested first."""
        assert self._field is not None
        if found := self._suggest(self._field.value):
            self._field.value = found[0].text
            self._field.cursor_position = len(self._field.value)

    def _next(self, width: int) -> Sequence[Line]:
        """What is wrong with what is typed, else how it could go on."""
        if not self.is_open or self._field is None:
            return ()
        text = self._field.value
        if text[self._kept :] and self._field.selected_text == text[self._kept :]:
            return (fit_line([Cell(" Typing replaces it, an arrow key keeps it", "muted")], width),)
        found = self._suggest(text)
        if not found and (problem := self._check(text)):
            return (fit_line([Cell(" "), cell(problem, "bad")], width),)
        if not found:
            emptied = ", ctrl+u empties it" if text else ""
            return (fit_line([Cell(f" Enter keeps it{emptied}", "muted")], width),)
        cells: list[Cell] = [Cell(" Tab ", "muted"), cell(found[0].label, "strong")]
        if len(found) == 1:
            cells.append(cell(f"   {found[0].help}", "muted"))
        for one in found[1:]:
            cells += [Cell("  "), cell(one.label, "muted")]
        return (fit_line(cells, width),)

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
        typed = [Cell("  / ", "muted"), cell(self.value, "strong")] if self.value and not self.is_open else []
        # What is wrong needs the room more than the counts do.
        right = [Cell("  "), cell(self.problem, "bad")] if self.problem else [*self._right, Cell(" ")]
        if (self.is_open or self.problem) and width < width_of([*shown, *typed, *right]) + 2:
            shown = [Cell(" "), *(part for part in self._left if part.role == "strong")]
        if self.problem:
            return (fit_line([*shown, *typed, *right], width),)
        return (spread([*shown, *typed], right, width),)


def scope_cells(scope: Scope) -> tuple[Cell, ...]:
    """Return the strip of scopes, the chosen one in brackets."""
    cells: list[Cell] = []
    for one in SCOPES:
        title = one.capitalize()
        cells.append(Cell(f"[{title}]", "strong") if one == scope else Cell(f" {title} ", "muted"))
    return tuple(cells)
