"""Events: what happened, newest first; at the top the list follows, further down it stays where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.view import EventView
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.event_lines import LEVEL_ROLE, LEVEL_SHAPE
from rivus_tui.feed import KEPT, EventFeed
from rivus_tui.format import Cell, Line, cell, fit_line, line, moment, plural, wrap
from rivus_tui.messages import ItemOpened
from rivus_tui.outputs import value_lines
from rivus_tui.possible import Situation
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.widgets.filter_bar import FilterBar, scope_cells
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

_LEVELS: Final = ("debug", "info", "warning", "error")
_NEAR_END: Final = 50
"""Rows before the end at which older events are read."""

COLUMNS: tuple[Column[EventView], ...] = (
    Column(title="TIME", width=12, show=lambda event, now: Cell(moment(event.at, now), "muted")),
    Column(title=" ", width=1, show=lambda event, now: Cell(LEVEL_SHAPE[event.level], LEVEL_ROLE[event.level])),
    Column(title="WHAT", width=16, show=lambda event, now: cell(event.kind, "muted"), drop=4),
    Column(title="BY", width=9, show=lambda event, now: cell(event.actor, "muted"), drop=5),
    Column(title="JOB", width=11, show=lambda event, now: cell(event.job, "muted"), drop=2),
    Column(title="STAGE", width=9, show=lambda event, now: cell(event.stage, "muted"), drop=3),
    Column(title="TEXT", width=18, grow=3, show=lambda event, now: cell(event.text, LEVEL_ROLE[event.level])),
    Column(title="ITEM", width=14, grow=1, show=lambda event, now: cell(event.key, "muted"), drop=1),
)


class EventsScreen(ListRoom[EventView]):
    """The log of engine, discoveries and people."""

    KIND = MODE = "events"
    BINDINGS = bindings_of("events")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._feed = EventFeed(desk.reader, scope=desk.scope)
        self._total = 0

    def body(self) -> Iterator[Widget]:
        """Put the event's data below the list."""
        yield FilterBar(hint="words  job: level:warning,error", widget_id="filter")
        with Container(id="body", classes="-events"):
            yield VirtualTable(self._feed, COLUMNS, self.desk.clock, widget_id="list")
            yield LinesView(self._inspect, widget_id="detail")

    def situation(self) -> Situation:
        """Return the event under the cursor."""
        row = self.table.row
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=self.table.total,
            copyable=_as_text(row) if row is not None else "",
        )

    def read(self) -> None:
        """Read what is new."""
        if self._feed.scope != self.desk.scope:
            self.requery()
            return
        following = self.table.cursor == 0
        self._feed.refresh()
        self._total = self.desk.reader.events_count(self._job, self.desk.scope)
        self.table.reload()
        if following:
            self.table.move_end(first=True)
        self._show_counts()
        self.query_one("#detail", LinesView).redraw()

    _job: str | None = None

    def requery(self) -> None:
        """Show the events that the filter lets through."""
        words: list[str] = []
        levels: tuple[str, ...] = ()
        self._job = None
        self.bar.problem = ""
        for token in self.bar.value.split():
            name, colon, value = token.partition(":")
            if colon and name == "job":
                self._job = value or None
            elif colon and name == "level":
                levels = tuple(level for level in value.split(",") if level in _LEVELS)
                if value and not levels:
                    self.bar.problem = "level: one of debug, info, warning, error"
            else:
                words.append(token)
        self._feed = EventFeed(
            self.desk.reader, scope=self.desk.scope, job=self._job, words=" ".join(words), levels=levels
        )
        with self.reading():
            self._feed.refresh()
            self.table.show(self._feed)
        self.reload(even_frozen=True)

    def _show_counts(self) -> None:
        follow = Cell("following  ", "ok") if self.table.cursor == 0 else Cell("g follows  ", "muted")
        # Without a filter, how many of them are read already says nothing about what there is.
        text = f"{self.table.total:,} of {self._total:,}" if self.bar.value else plural(self._total, "event")
        if self.bar.value and self._feed.is_cut:
            text = f"{self.table.total:,} among the newest {min(KEPT, self._total):,} of {self._total:,}"
        self.bar.show(scope_cells(self.desk.scope), [follow, Cell(text, "muted")])

    def _inspect(self, width: int) -> Sequence[Line]:
        event = self.table.row
        if event is None:
            if self.bar.value:
                return (line(Cell("The filter hides every event.  Esc clears it.", "wait")),)
            if self.desk.scope != "all":
                return (line(Cell(f"No events of {self.desk.scope} jobs.  , shows the others.", "wait")),)
            return (line(Cell("Nothing has happened yet.", "muted")),)
        where = "  ".join(part for part in (event.job, event.stage, event.key) if part)
        lines: list[Line] = [
            *((Cell(text, "strong"),) for text in wrap(cell(event.text, limit=4_000).text, width)),
            fit_line([cell(f"{event.kind} by {event.actor}  {where}", "muted")], width),
        ]
        return [*lines, *(value_lines(event.data, width) if event.data else [])]

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the event under the cursor; near the end, read older ones."""
        with self.reading():
            if self.table.cursor >= self.table.total - _NEAR_END and self._feed.extend():
                self.table.reload()
        self._show_counts()
        self.query_one("#detail", LinesView).redraw()
        self.offer()

    def do_open(self) -> None:
        row = self.table.row
        if row is None or row.job is None or row.key is None:
            self.say("this event is not about an item", "warning")
            return
        self.app.post_message(ItemOpened((row.job, row.key)))

    def do_last(self) -> None:
        if self.pane is self.table:
            with self.reading():
                self._feed.extend_all()
                self.table.reload()
        super().do_last()


def _as_text(event: EventView) -> str:
    fields = {
        "id": event.id,
        "at": event.at,
        "level": event.level,
        "kind": event.kind,
        "actor": event.actor,
        "job": event.job,
        "key": event.key,
        "stage": event.stage,
        "text": event.text,
        "data": dict(event.data),
    }
    return json.dumps(fields, ensure_ascii=False, default=str)
