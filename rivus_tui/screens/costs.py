"""Costs: what was spent, on what, and how far the limits are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.costs import CALLS_READ, CallView, CostsView, CostView
from rivus_tui.actions.action import Action
from rivus_tui.cost_page import GROUPS, PERIODS, call_lines, choices, cost_lines, is_of, rows_of
from rivus_tui.cost_table import columns_of
from rivus_tui.desk import Desk
from rivus_tui.format import Cell, Line, cell
from rivus_tui.possible import Situation
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.sources import ListSource
from rivus_tui.widgets.filter_bar import FilterBar
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

_HOUR_MS: Final = 3_600_000
_CALLS: Final = 200
"""Requests that Enter shows, the newest."""


class CostsScreen(ListRoom[CostView]):
    """What was spent in a time, by job, model, stage, item, purpose or day."""

    KIND = "costs"
    MODE = "costs"
    BINDINGS: ClassVar = bindings_of("costs")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._view: CostsView | None = None
        self._period = 1
        self._group = 0

    def body(self) -> Iterator[Widget]:
        """Put the sum, its bars over time and the limits below or beside the list."""
        yield FilterBar(hint="part of a name", widget_id="filter")
        with Container(id="body"):
            source = ListSource[CostView]((), _key)
            yield VirtualTable(source, columns_of(self._group_name, ()), self.desk.clock, widget_id="list")
            yield LinesView(self._draw, widget_id="detail")

    @property
    def _group_name(self) -> str:
        return GROUPS[self._group]

    def read(self) -> None:
        """Read the sums again."""
        self._view = self.desk.reader.costs(self._since)
        self._show()

    def _show(self) -> None:
        wanted = self.bar.value.casefold()
        rows = () if self._view is None else rows_of(self._view, self._group_name)
        shown = [row for row in rows if wanted in row.name.casefold()]
        self.table.columns = columns_of(self._group_name, rows)
        self.table.source = ListSource(shown, _key)
        self.table.reload()
        self.table.refresh()
        counts = [Cell(f"{len(shown)} of {len(rows)}", "muted")]
        self.bar.show(choices(self._period, self._group, self.size.width), counts)
        self.query_one("#detail", LinesView).redraw()

    def on_resize(self) -> None:
        """Say as much of what can be chosen as fits."""
        if self.is_whole and self._view is not None:
            self._show()

    def _draw(self, width: int) -> Sequence[Line]:
        hidden = bool(self.bar.value) and not self.table.total
        return tuple(cost_lines(self._view, self._group_name, self.desk.clock.now(), width, hidden=hidden))

    def situation(self) -> Situation:
        """Nothing here can be decided; it can be looked at closer."""
        row = self.table.row
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=self.table.total,
            copyable=row.name if row is not None else "",
        )

    def label(self, action: Action) -> str:
        """What comes next."""
        if action.id == "next_part":
            return f"By {GROUPS[(self._group + 1) % len(GROUPS)]}"
        if action.id == "period":
            return PERIODS[(self._period + 1) % len(PERIODS)][0].capitalize()
        return action.label

    def view_said(self) -> str:
        """Return in words what the list shows."""
        filtered = self.bar.value or "none"
        return f"costs of the last {PERIODS[self._period][0]} by {self._group_name}, filter: {filtered}, dearest first"

    def requery(self) -> None:
        """Show the sums that the filter lets through."""
        self._show()
        self.offer()

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Say what can be done with the row under the cursor."""
        self.offer()

    def do_next_part(self) -> None:
        self._turn(1)

    def do_previous_part(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        self._group = (self._group + step) % len(GROUPS)
        self.reload(even_frozen=True)
        self.table.move_end(first=True)

    @property
    def _since(self) -> int:
        return self.desk.clock.now() - PERIODS[self._period][1] * _HOUR_MS

    def do_period(self) -> None:
        self._period = (self._period + 1) % len(PERIODS)
        self.reload(even_frozen=True)

    def do_open(self) -> None:
        row = self.table.row
        if row is None:
            return
        with self.reading():
            calls = self.desk.reader.model_calls(self._since, CALLS_READ)
            found = [call for call in calls if is_of(call, self._group_name, row.name)]
            name = f"{self._group_name} {cell(row.name, limit=40).text}"
            title = f"Requests to models of {name}, the newest first: last {PERIODS[self._period][0]}"
            self.read_out(title, self._told(found, calls))

    def _told(self, found: Sequence[CallView], all_calls: Sequence[CallView]) -> list[Line]:
        lines = call_lines(found[:_CALLS], self.desk.clock.now())
        if len(found) > _CALLS:
            lines.append((Cell(f"The newest {_CALLS} of {len(found):,}; `rivus costs --calls` tells more.", "muted"),))
        if len(all_calls) == CALLS_READ:
            lines.append((Cell(f"Looked for among the newest {CALLS_READ:,} requests.", "muted"),))
        return lines

    def config_place(self) -> tuple[str, ...]:
        """The daily limit of all jobs together."""
        return ("settings", "daily_cost")


def _key(row: CostView) -> str:
    return row.name
