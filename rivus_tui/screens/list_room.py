"""A screen with a list under a filter: what all of them have in common."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from textual.widget import Widget

from rivus_tui import export
from rivus_tui.desk import Desk
from rivus_tui.event_lines import Happened, happened_lines
from rivus_tui.files import free_name, write
from rivus_tui.filters import Suggestion, known_values, suggestions
from rivus_tui.format import Cell, Line, moment, plural
from rivus_tui.links import Place, link_to
from rivus_tui.memory import View
from rivus_tui.screens.dialog import Choice, Dialog, TextPrompt
from rivus_tui.screens.room import Mover, Room
from rivus_tui.sorting import MOST_SORTED, Sort
from rivus_tui.widgets.filter_bar import FilterBar
from rivus_tui.widgets.lines_view import Draw, LinesView
from rivus_tui.widgets.row_window import PAGE
from rivus_tui.widgets.virtual_table import VirtualTable

log = logging.getLogger("rivus.tui")

Row = TypeVar("Row")

_THREE_PANES = 160
"""Columns from which on what happened to a row stands beside its inspector."""
_LEAST_ROWS = 6
"""Lines of a list, its header with them, however few rows there are."""

MARK_LIMIT = 1_000
"""Rows that `V` marks one by one; more are marked as a whole."""


class ListRoom(Room, Generic[Row]):
    """A screen with a filter `FilterBar`, a list `#list`, an inspector `#detail` and, where a row has events and there
    is room for a third pane, `#happened`."""

    SORTS: ClassVar[tuple[Sort[Any], ...]] = ()
    """Orders that `s` offers, the first is the one to begin with."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        before = desk.memory.lists.get(self.MODE, View(mode=self.MODE))
        self.sort: Sort[Any] | None = next(
            (sort for sort in self.SORTS if sort.name == before.sort), self.SORTS[0] if self.SORTS else None
        )
        self.reverse = before.reverse
        self._begin_with = before.filter
        self._happened_to: Hashable = None
        """The row whose events are shown."""

    def on_mount(self) -> None:
        """Begin with the filter of the last time."""
        if self._begin_with:
            self.is_whole = True
            self.bar.set_value(self._begin_with)
            self.requery()
        else:
            super().on_mount()

    def view(self) -> View:
        """Return how the list is shown now."""
        return View(
            mode=self.MODE,
            filter=self.bar.value,
            scope=self.desk.scope,
            sort=self.sort.name if self.sort is not None else "",
            reverse=self.reverse,
        )

    def show_view(self, view: View) -> None:
        """Show the list as a view says."""
        self.sort = next((sort for sort in self.SORTS if sort.name == view.sort), self.sort)
        self.reverse = view.reverse
        self.show_filtered(view.filter, None)

    def reload(self, *, even_frozen: bool = False) -> None:
        """Read rows and status again; remember how the list is shown."""
        super().reload(even_frozen=even_frozen)
        self.desk.memory.lists[self.MODE] = self.view()
        self._fit_list()

    def on_resize(self) -> None:
        """Show the third pane where there is room; give a list that is shorter than its room only what it needs."""
        self.set_class(self.size.width >= _THREE_PANES, "-widest")
        self._fit_list()

    def _fit_list(self) -> None:
        """Above an inspector, what a short list leaves is the inspector's; beside one, it stays its own."""
        if self.is_whole and self.query_one_optional("#list") is not None:
            beside = self.has_class("-wide") or self.has_class("-short")
            self.table.styles.max_height = None if beside else max(self.table.total + 1, _LEAST_ROWS)

    def copies(self) -> list[tuple[str, str]]:
        """Return the ways to copy the row under the cursor."""
        row = self.table.row
        if row is None:
            return [*super().copies(), self.link_here()]
        now = self.desk.clock.now()
        return [
            *super().copies(),
            self.link_here(),
            ("JSON", export.as_json(row)),
            ("Markdown", export.markdown(row, self.table.columns, now)),
            *self.more_copies(row),
        ]

    def link_here(self) -> tuple[str, str]:
        """Return the link to this list as it is shown."""
        return ("a link to this list", link_to(Place(mode=self.MODE, filter=self.bar.value, scope=self.desk.scope)))

    def more_copies(self, row: Row) -> list[tuple[str, str]]:
        """Return ways to copy that only this screen has."""
        return []

    def do_export(self) -> None:
        choices = [
            Choice(key="1", label="CSV, the columns as they are here", value="csv"),
            Choice(key="2", label="JSON lines, everything that is known of each row", value="jsonl"),
            Choice(key="3", label="Markdown", value="md"),
            Choice(key="n", label="nothing", value=None),
        ]
        text = [f"{plural(self.table.total, 'row')}: {self.view_said()}", f"It is written to {Path.cwd()}."]
        self.app.push_screen(Dialog(self.desk.clock, "Export this list", text, choices), self._export)

    def view_said(self) -> str:
        """Return in words what the list shows."""
        order = self.sort.short if self.sort is not None else "newest first"
        return f"{self.MODE}, {self.desk.scope} jobs, filter: {self.bar.value or 'none'}, by {order}"

    def _export(self, form: str | None) -> None:
        if form is None:
            return
        table, now = self.table, self.desk.clock.now()
        source, columns = table.source, table.columns
        said = f"rivus {self.desk.project}: {self.view_said()}, {moment(now, 0)}"

        def work() -> str:
            path = free_name(Path.cwd(), f"rivus-{self.MODE}", form, now)
            rows = export.pages(source.anchors(PAGE), source.page, PAGE, lambda: not self.app.is_running)
            written = write(path, export.lines(form, said, columns, rows, now))
            return f"{plural(table.total, 'row')} written to {path} ({plural(written, 'line')})"

        async def run() -> None:
            try:
                self.say(await asyncio.to_thread(work))
            except Exception as error:
                # What the disk says, or whatever a damaged or vanished state file raises.
                log.exception("exporting a list failed")
                self.say(f"not written: {str(error) or type(error).__name__}", "error")

        self.run_worker(run(), group="export", exit_on_error=True)

    def do_save_view(self) -> None:
        def named(name: str | None) -> None:
            if name is not None:
                self.desk.memory.save_view(name[:60], self.view())
                self.say(f"saved as {name[:60]}; ctrl+p finds it")

        shown = self.bar.value or "everything"
        self.app.push_screen(TextPrompt("Save this view", f"{self.MODE}: {shown}. Its name?"), named)

    @property
    def table(self) -> VirtualTable[Row]:
        """The list."""
        return self.query_one("#list", VirtualTable)

    def suggest(self, text: str) -> Sequence[Suggestion]:
        """Return how a filter could go on."""
        found: Sequence[Suggestion] = ()
        with self.reading():
            found = suggestions(text, known_values(self.desk.reader.jobs()))
        return found

    @property
    def bar(self) -> FilterBar:
        """The filter."""
        return self.query_one(FilterBar)

    def panes(self) -> Sequence[Mover]:
        """Return list and inspector, and the events beside them where they are shown."""
        happened = self.query_one_optional("#happened", LinesView)
        third = () if happened is None or not happened.display else (happened,)
        return (self.table, self.query_one("#detail", LinesView), *third)

    def inspector(self, draw: Draw) -> Iterator[Widget]:
        """Return what stands below or beside the list: what there is to say of its row, and what happened to it."""
        yield LinesView(draw, widget_id="detail")
        yield LinesView(self._draw_happened, widget_id="happened")

    def draw_detail(self) -> None:
        """Draw the inspector again, and the events of the row: those of another one from the newest on."""
        self.query_one("#detail", LinesView).redraw()
        happened = self.query_one_optional("#happened", LinesView)
        if happened is None:
            return
        row, before = self.table.row, self._happened_to
        self._happened_to = None if row is None else self.table.source.key(row)
        happened.redraw_in_place()
        if self._happened_to != before:
            happened.move_end(first=True)

    def happened(self) -> Happened | None:
        """Return what happened to the row under the cursor; asked for where it is shown only."""
        return None

    def _draw_happened(self, width: int) -> Sequence[Line]:
        found: Happened | None = None
        with self.reading():
            found = self.happened()
        return () if found is None else happened_lines(found, self.desk.clock.now(), width)

    def requery(self) -> None:
        """Show what the filter and the scope let through."""
        raise NotImplementedError

    def show_filtered(self, text: str, back: str | None) -> None:
        """Show what a filter lets through, asked for from the screen `back`."""
        self.bar.set_value(text)
        self.requery()

    def sort_cell(self) -> Cell:
        """Return the order of the list, for the line above it."""
        if self.sort is None or (self.sort is self.SORTS[0] and not self.reverse):
            return Cell("")
        return Cell(f"by {self.sort.short}{' reversed' if self.reverse else ''}   ", "muted")

    def do_sort(self) -> None:
        many = self.rows_to_sort() > MOST_SORTED
        offered = [sort for sort in self.SORTS if sort.indexed or not many]
        choices = [
            Choice(key=str(number), label=f"{sort.label}{'   (now)' if sort is self.sort else ''}", value=sort.name)
            for number, sort in enumerate(offered, start=1)
        ]
        choices.append(Choice(key="n", label="leave as it is", value=None))
        text = ["S turns the order round."]
        if many:
            text.append(f"Other orders are for up to {MOST_SORTED:,} rows; narrow the list with / first.")

        def chosen(name: str | None) -> None:
            if name is not None:
                self.sort, self.reverse = next(sort for sort in self.SORTS if sort.name == name), False
                self.requery()

        self.app.push_screen(Dialog(self.desk.clock, "Sort by", text, choices), chosen)

    @property
    def order(self) -> Any:
        """What the list is sorted by, as its rows are asked for."""
        return self.sort.name if self.sort is not None else None

    def rows_to_sort(self) -> int:
        """Return how many rows another order would have to put in order."""
        return self.table.total

    def do_reverse(self) -> None:
        self.reverse = not self.reverse
        self.requery()

    def clear_filter(self) -> bool:
        """Take the filter one step back; False when there is none."""
        if not self.bar.value:
            return False
        self.bar.set_value("")
        self.requery()
        return True

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Open by mouse what Enter opens."""
        self.action_do("open")

    def on_virtual_table_unread(self, event: VirtualTable.Unread) -> None:
        """Say in the banner that some rows cannot be read."""
        self.desk.trouble = event.why
        self.draw_frame()

    def on_virtual_table_counted(self, event: VirtualTable.Counted) -> None:
        """Show how many rows a pass over all of them has found; they are read already."""
        self.counted()
        self._fit_list()

    def counted(self) -> None:
        """Show what follows from the number of rows."""
        self.draw_frame()

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        """Show what matches."""
        self.requery()

    def do_filter(self) -> None:
        self.bar.open(self.kept_filter())

    def kept_filter(self) -> str:
        """Return what of the filter another screen led here with: it stays while the rest is edited."""
        return ""

    def do_escape(self) -> None:
        if self.bar.is_open:
            self.bar.close()
        elif not self.clear_filter():
            super().do_escape()


class MarkingRoom(ListRoom[Row]):
    """A list whose rows can be marked, so that a deed is about several."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._all_marked = False
        """Whether the marks were set by one key: a deed on them asks, however few they are."""

    def show_counts(self) -> None:
        """Show above the list how many rows there are and how many are marked."""
        raise NotImplementedError

    def do_mark(self) -> None:
        self._all_marked = False
        self.table.toggle_mark()
        self._marked()

    def do_mark_all(self) -> None:
        self.table.mark_all(MARK_LIMIT)
        self._all_marked = True
        self._marked()

    def do_escape(self) -> None:
        if self.table.marked and not self.bar.is_open:
            self.clear_marks()
        else:
            super().do_escape()

    def clear_marks(self) -> None:
        """Mark nothing."""
        self.table.clear_marks()
        self._all_marked = False
        self._marked()

    def _marked(self) -> None:
        self.show_counts()
        self.offer()
