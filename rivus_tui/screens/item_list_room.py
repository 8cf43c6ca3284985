"""A list of items: those that are marked or under the cursor, and the one under the cursor in the inspector."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence

from engine.contracts.view import ItemDetail, ItemQuery, ItemView
from engine.kit.safe_text import safe_block
from rivus_tui.actions.action import Action
from rivus_tui.desk import Desk
from rivus_tui.event_lines import Happened
from rivus_tui.format import Cell, Line, cell, count, hang
from rivus_tui.links import Place, link_to
from rivus_tui.messages import ItemOpened
from rivus_tui.screens.item_room import ItemRoom
from rivus_tui.screens.list_room import MarkingRoom
from rivus_tui.sources import ItemSource
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

log = logging.getLogger("rivus.tui")


class ItemListRoom(MarkingRoom[ItemView], ItemRoom):
    """A list of items that can be marked, with the one under the cursor in the inspector."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._detail: ItemDetail | None = None
        self._unreadable = ""
        """Why the item under the cursor cannot be shown; empty when it can."""

    def more_copies(self, row: ItemView) -> list[tuple[str, str]]:
        """Return the command line that shows the item, and its place."""
        ways = [("the command line that shows it", f"rivus items show {shlex.quote(row.job)} {shlex.quote(row.key)}")]
        if row.path:
            ways.append(("its place", row.path if row.line is None else f"{row.path}:{row.line}"))
        return [*ways, ("a link to it", link_to(Place(mode=self.MODE, item=(row.job, row.key))))]

    def chosen_items(self) -> tuple[ItemView, ...]:
        """Return the marked items, or the one under the cursor."""
        return self.table.chosen

    def focused_detail(self) -> ItemDetail | None:
        """Return the item under the cursor."""
        return self._detail

    def label(self, action: Action) -> str:
        """Return how many a deed is about, when some are marked."""
        return f"{action.label} {count(self.table.marked)}" if action.on_marks and self.table.marked else action.label

    def is_bulk(self) -> bool:
        """Whether what is chosen was not picked one by one."""
        return self.table.all_marked or (self._all_marked and len(self.table.marks) > 1)

    def chosen_set(self) -> ItemQuery | list[int]:
        """Return all that the list shows, when that is marked, or the numbers of the marked items."""
        source = self.table.source
        if self.table.all_marked and isinstance(source, ItemSource):
            return source.query
        return [item.id for item in self.chosen_items()]

    def counted(self) -> None:
        """Show the number of rows, and the item under the cursor, which may not have been there before."""
        with self.reading():
            self.show_counts()
            self.read_detail()
        self.draw_frame()

    def detail_lines(self, detail: ItemDetail, width: int) -> Sequence[Line]:
        """Return what the inspector shows of an item."""
        raise NotImplementedError

    def empty_lines(self, width: int) -> Sequence[Line]:
        """Return why the list is empty, and what would change that."""
        raise NotImplementedError

    def read_detail(self) -> None:
        """Read the item under the cursor, another one from its top.

        One that cannot be read, such as one with a damaged result, says so in its own place: the list goes on.
        """
        row, before = self.table.row, self._detail
        self._detail, self._unreadable = None, ""
        if row is not None:
            try:
                self._detail = self.desk.reader.item(row.job, row.key)
            except Exception as error:
                # Whatever a damaged state file raises.
                log.exception("reading an item failed")
                self._unreadable = safe_block(str(error) or type(error).__name__, 500)
        self.draw_detail()
        if row is not None and (before is None or before.item.id != row.id):
            self.query_one("#detail", LinesView).move_end(first=True)

    def happened(self) -> Happened | None:
        """Return the events of the item under the cursor."""
        if self._detail is None:
            return None
        item = self._detail.item
        return Happened(about=item.title, known=(item.job, item.key), events=self._detail.events)

    def inspect(self, width: int) -> Sequence[Line]:
        """Draw the inspector."""
        if self._unreadable:
            return hang([Cell("x ", "bad"), cell(f"This item cannot be read: {self._unreadable}", "bad")], width)
        if self._detail is not None:
            return self.detail_lines(self._detail, width)
        return () if self.table.total else self.empty_lines(width)

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the item under the cursor."""
        self.read_detail()
        self.offer()

    def scope_changed(self) -> None:
        """Show the items of the other scope."""
        self.requery()

    def undone(self, job: str, keys: tuple[str, ...]) -> None:
        """Go back to the item whose deed was taken back."""
        self.table.move_to_key((job, keys[0]))

    def do_open(self) -> None:
        if (row := self.table.row) is not None:
            self.app.post_message(ItemOpened((row.job, row.key)))
