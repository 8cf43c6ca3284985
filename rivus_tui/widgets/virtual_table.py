"""A list of any length: only the rows on the screen are read and drawn.

The cursor and the marks belong to records, not to row numbers: when rows come and go above, the cursor stays on its
record, and when its record goes, it stands on the one that took its place.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import ClassVar, Final, Generic, NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from engine.kit.clock import Clock
from rivus_tui.columns import GAP, Column, lay_out
from rivus_tui.format import Cell, fit, literal
from rivus_tui.sources import RowSource
from rivus_tui.theme import class_style, role_style
from rivus_tui.widgets.row_window import PAGE, RowWindow

log = logging.getLogger("rivus.tui")

Row = TypeVar("Row")

_PASS_REST: Final = 20.0
"""After a pass over all rows took t seconds, the next begins after 20·t at the earliest: 5 % of the time at most."""
_GUTTER: Final = 2
"""Cells before the first column: cursor and mark."""


class Looks(NamedTuple):
    """What one line shows."""

    note: str = ""
    """Instead of a row."""
    at_cursor: bool = False
    marked: bool = False
    busy: bool = False
    cells: tuple[Cell, ...] = ()


class VirtualTable(ScrollView, Generic[Row], can_focus=False):
    """Rows of a `RowSource`, with a header, a cursor and marks."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    VirtualTable {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & > .table-header { color: $text-secondary; text-style: bold; }
        & > .table-row { color: $foreground; }
        & > .table-cursor { background: $primary-muted; text-style: bold; }
        & > .table-mark { color: $text-warning; text-style: bold; }
        & > .table-busy { color: $text-muted; text-style: italic; }
        &:nocolor > .table-cursor { text-style: reverse; }
        &:ansi > .table-cursor { background: ansi_default; text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table-header",
        "table-row",
        "table-cursor",
        "table-mark",
        "table-busy",
    }

    cursor: reactive[int] = reactive(0, repaint=False)

    class Focused(Message):
        """The cursor stands on another row, or its row was read again."""

    class Opened(Message):
        """A row was double-clicked, or clicked under the cursor."""

    class Counted(Message):
        """A pass over all rows has ended: there are so many of them."""

    class Unread(Message):
        """A page of rows cannot be read; it is shown as `…` and tried again with the next reload."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(
        self,
        source: RowSource[Row],
        columns: Sequence[Column[Row]],
        clock: Clock,
        *,
        widget_id: str | None = None,
    ) -> None:
        super().__init__(id=widget_id)
        self.window: RowWindow[Row] = RowWindow(source, self._say_unread)
        self.columns = columns
        self.marks: OrderedDict[Hashable, Row] = OrderedDict()
        """Marked rows by their key, in the order of marking."""
        self.all_marked = False
        """Whether every row is marked, however many there are; `marks` is empty then."""
        self.busy: set[Hashable] = set()
        """Keys of rows that a command is on its way for."""
        self._clock = clock
        self._cursor_key: Hashable | None = None
        self._cursor_row: Row | None = None
        self._drawn: dict[int, Looks | None] = {}
        """Lines of the screen as they were drawn last."""
        self._pass_due = 0.0
        self._passing = False
        self._pass_timer: Timer | None = None
        """Before a pass that waits for its time."""
        self.searching = False
        """Whether it is not known yet how many rows there are."""

    # Rows

    @property
    def source(self) -> RowSource[Row]:
        """Where the rows come from."""
        return self.window.source

    @source.setter
    def source(self, source: RowSource[Row]) -> None:
        self.window.source = source

    @property
    def total(self) -> int:
        """Rows in the source when it was last counted."""
        return self.window.total

    def _say_unread(self, why: str) -> None:
        self.post_message(self.Unread(why))

    def show(self, source: RowSource[Row], columns: Sequence[Column[Row]] | None = None) -> None:
        """Show other rows, from the top, with no marks."""
        if self._pass_timer is not None:
            self._pass_timer.stop()  # what is shown now does not wait for the rest that the list before needed
            self._pass_timer, self._passing = None, False
        elif self._passing:
            self.window.source.give_up()
        self.window.begin(source)
        if columns is not None:
            self.columns = columns
        self.marks.clear()
        self.all_marked = False
        self._pass_due = 0.0
        self._cursor_key = self._cursor_row = None
        self.set_reactive(VirtualTable.cursor, 0)
        self.scroll_to(y=0, animate=False)
        self.reload()

    def reload(self) -> None:
        """Read the rows again; the cursor stays on its record, marks on theirs."""
        self._renew_marks()
        if not self.window.refresh():
            self.searching = not self.source.is_quick() and not self.total
            self._pass_soon()
            if not self.source.is_quick():
                self.refresh()
                return
        self._place()

    def _renew_marks(self) -> None:
        """Know marked rows as they are now; what is no longer in the list is not marked any more."""
        if not self.marks:
            return
        there = {self.source.key(row): row for row in self.source.still(tuple(self.marks.values()))}
        if len(there) < len(self.marks):
            self.refresh()
        self.marks = OrderedDict((key, there[key]) for key in self.marks if key in there)

    def _place(self) -> None:
        """Draw the rows anew with the cursor on its record."""
        offset = self.cursor - self.scroll_offset.y
        self._resize_rows()
        index = self.window.find(self._cursor_key, self.cursor)
        if index is None:
            self._go(self.cursor)
        elif index != self.cursor:
            self._go(index)
            self.scroll_to(y=max(index - offset, 0), animate=False)
        elif self.row != self._cursor_row:
            self._go(index)
        self._repaint()

    def _repaint(self) -> None:
        """Draw again the lines that look different now; what is as it was costs no paint."""
        width = self.scrollable_content_region.width
        laid = self._laid(width)
        for y in range(1, self.size.height):
            if self._looks(y, width, laid) != self._drawn.get(y):
                self.refresh_line(self.scroll_offset.y + y)

    def row_at(self, index: int) -> Row | None:
        """Return the row at an index; None where there is none or where it is not read yet."""
        return self.window.row_at(index)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.row_at(self.cursor)

    @property
    def chosen(self) -> tuple[Row, ...]:
        """What a command is about: the marked rows if there are any, else the row under the cursor."""
        if self.marks:
            return tuple(self.marks.values())
        return () if self.row is None else (self.row,)

    def rows(self, limit: int) -> Iterator[Row]:
        """Return the first `limit` rows."""
        for index in range(min(limit, self.total)):
            row = self.row_at(index)
            if row is not None:
                yield row

    def _pass_soon(self) -> None:
        if self._passing:
            return
        wait = self._pass_due - self._clock.monotonic()
        self._passing = True
        if wait <= 0 and self.total:
            # Its first rows are known already: they are painted before a thread takes its share of the interpreter.
            self.call_after_refresh(lambda: self.run_worker(self._pass(), group="anchors", exit_on_error=False))
        elif wait <= 0:
            self.run_worker(self._pass(), group="anchors", exit_on_error=False)
        else:
            self._pass_timer = self.set_timer(
                wait, lambda: self.run_worker(self._pass(), group="anchors", exit_on_error=False)
            )

    async def _pass(self) -> None:
        self._pass_timer = None
        source = self.source
        began = self._clock.monotonic()
        try:
            found = await asyncio.to_thread(self.window.pass_over)
        except Exception:
            # Given up for another filter, or what a vanished state file raises: the next reload tries again.
            if source is self.source:
                log.exception("reading the anchors of a list failed")
                return
            found = None
        finally:
            self._passing = False
            now = self._clock.monotonic()
            self._pass_due = now + _PASS_REST * (now - began)
        if source is not self.source or found is None:
            self._pass_due = 0.0
            self.reload()
            return
        self.window.take(found)
        self.searching = False
        self._place()
        self.post_message(self.Counted())

    # Cursor and marks

    def move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._go(self.cursor + rows)

    def move_page(self, pages: float) -> None:
        """Move the cursor by screens of rows; halves are fine."""
        height = max(self.size.height - 1, 1)
        self._go(self.cursor + int(pages * height))

    def move_end(self, *, first: bool) -> None:
        """Move the cursor to the first or the last row."""
        self._go(0 if first else self.total - 1)

    def move_to_key(self, key: Hashable) -> bool:
        """Put the cursor on a record; False when it is not near."""
        index = self.window.find(key, self.cursor)
        if index is not None:
            self._go(index)
        return index is not None

    def step_off(self, keys: set[Hashable]) -> None:
        """Move the cursor to the nearest row that is not one of `keys`: below if there is one, else above."""
        below = range(self.cursor, min(self.cursor + PAGE, self.total))
        above = range(self.cursor - 1, max(self.cursor - PAGE, -1), -1)
        for index in (*below, *above):
            row = self.row_at(index)
            if row is not None and self.source.key(row) not in keys:
                self._go(index)
                return

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor and go one down."""
        row = self.row
        if row is None:
            return
        key = self.source.key(row)
        self.all_marked = False
        if self.marks.pop(key, None) is None:
            self.marks[key] = row
        self.move(1)
        self.refresh()

    def mark_all(self, limit: int) -> None:
        """Mark every row: more than `limit` as a whole, whichever they are."""
        self.marks.clear()
        self.all_marked = self.total > limit
        if not self.all_marked:
            for row in self.rows(limit):
                self.marks[self.source.key(row)] = row
        self.refresh()

    @property
    def marked(self) -> int:
        """How many rows are marked."""
        return self.total if self.all_marked else len(self.marks)

    def unmark(self, keys: Iterable[Hashable]) -> None:
        """Unmark some rows."""
        for key in keys:
            self.marks.pop(key, None)
        self.refresh()

    def clear_marks(self) -> None:
        """Unmark everything."""
        self.marks.clear()
        self.all_marked = False
        self.refresh()

    def _go(self, index: int) -> None:
        before = self.cursor
        self.cursor = max(0, min(index, self.total - 1))
        row = self.row
        self._cursor_key = None if row is None else self.source.key(row)
        self._cursor_row = row
        height = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)
        self.refresh_line(before + 1)
        self.refresh_line(self.cursor + 1)
        self.post_message(self.Focused())

    # Drawing

    def _resize_rows(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self.total + 1)

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight when the list becomes smaller."""
        self._resize_rows()
        self._go(self.cursor)
        # Textual tells a scrollbar that is hidden nothing, so that one that comes back may stand where it stood.
        self.call_after_refresh(self._place_scrollbar)

    def _place_scrollbar(self) -> None:
        self.vertical_scrollbar.position = self.scroll_y

    def _style(self, name: str) -> Style:
        return class_style(self, name)

    def render_line(self, y: int) -> Strip:
        """Draw line `y` of the screen: the header, or the row that is scrolled there."""
        width = self.scrollable_content_region.width
        looks = self._drawn[y] = self._looks(y, width)
        if y == 0:
            segments = [Segment(" " * _GUTTER)]
            for column, size in self._laid(width):
                segments.append(Segment(fit(column.title, size, column.align) + " " * GAP, self._style("table-header")))
            return self._finish(segments, width, self.rich_style)
        if looks is None:
            return Strip.blank(width, self.rich_style)
        if looks.note:
            return self._finish([Segment(f"  {looks.note}", role_style(self, "muted"))], width, self.rich_style)
        over = self.get_component_rich_style("table-cursor", partial=True) if looks.at_cursor else Style.null()
        if looks.busy:
            over = over + self._style("table-busy")
        segments = [
            Segment(">" if looks.at_cursor else " ", over),
            Segment("*" if looks.marked else " ", over if over.reverse else self._style("table-mark") + over),
        ]
        for (column, size), shown in zip(self._laid(width), looks.cells, strict=True):
            text = fit(literal(shown.text).text, size, column.align) + " " * GAP
            style = role_style(self, shown.role) if shown.role else self._style("table-row")
            # Turned round, colours of text would be blocks of colour: there the row is one block.
            segments.append(Segment(text, over if over.reverse else style + over))
        return self._finish(segments, width, self.rich_style + over)

    def _laid(self, width: int) -> list[tuple[Column[Row], int]]:
        return lay_out(self.columns, width - _GUTTER - GAP)

    def _looks(self, y: int, width: int, laid: Sequence[tuple[Column[Row], int]] | None = None) -> Looks | None:
        """Return what line `y` of the screen shows; None: nothing."""
        index = self.scroll_offset.y + y - 1
        if y == 0:
            return None
        if index >= self.total:
            return Looks(note="looking…") if self.searching and index == 0 else None
        row = self.row_at(index)
        if row is None:
            return Looks(note="…")
        key, now = self.source.key(row), self._clock.now()
        return Looks(
            at_cursor=index == self.cursor,
            marked=self.all_marked or key in self.marks,
            busy=key in self.busy,
            cells=tuple(column.show(row, now) for column, _ in (self._laid(width) if laid is None else laid)),
        )

    def _finish(self, segments: list[Segment], width: int, filler: Style) -> Strip:
        return Strip(segments).adjust_cell_length(width, filler).apply_style(self.rich_style)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; on the row under the cursor, or twice: open it."""
        index = self.scroll_offset.y + event.y - 1
        if event.y == 0 or index >= self.total:
            return
        again = index == self.cursor
        self._go(index)
        if again or event.chain > 1:
            self.post_message(self.Opened())
