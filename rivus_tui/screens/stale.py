"""Stale: results that other code made than runs now, by the symbol that changed, with the difference and the price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from textual.containers import Container
from textual.widget import Widget

from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.format import Cell, Line, cell, line, plural, prose
from rivus_tui.possible import Situation
from rivus_tui.screens.dialog import Choice, Dialog
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.source_lines import is_hunk
from rivus_tui.sources import ListSource
from rivus_tui.stale_page import StaleRow, page, price_of, results_cell, rows_of
from rivus_tui.widgets.filter_bar import FilterBar, scope_cells
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

_DAY_MS: Final = 86_400_000
_SAMPLE: Final = 3
_IN_DIFF: Final = ("diff_style", "next_part", "previous_part")
"""Actions that are about the difference."""


def _verdict(row: StaleRow) -> Cell:
    if row.kept is not None:
        return Cell(f"= {row.kept.verdict}", "ok")
    return Cell(f"~ {row.stale.verdict}" if row.stale is not None else "", "wait")


def _change(row: StaleRow) -> Cell:
    if row.kept is not None:
        return cell(f"kept: {row.kept.why}", "muted")
    return cell(row.change)


COLUMNS: tuple[Column[StaleRow], ...] = (
    Column(title="CHANGE", width=16, grow=2, show=lambda row, now: _change(row)),
    Column(title="STAGE", width=14, grow=1, show=lambda row, now: cell(f"{row.job}.{row.stage}")),
    Column(title="RESULTS", width=7, align="right", show=lambda row, now: results_cell(row)),
    Column(title="VERDICT", width=10, show=lambda row, now: _verdict(row)),
    Column(title="BY", width=6, drop=1, show=lambda row, now: cell(row.by, "muted")),
)


class StaleScreen(ListRoom[StaleRow]):
    """What a change of code means for what was made before it."""

    KIND = MODE = "stale"
    BINDINGS = bindings_of("stale")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._all: list[StaleRow] = []
        self._beside = False

    def body(self) -> Iterator[Widget]:
        """Put the difference below or beside the list."""
        yield FilterBar(hint="part of a symbol, job or stage", widget_id="filter")
        with Container(id="body", classes="-diff"):
            yield VirtualTable(
                ListSource[StaleRow]((), lambda row: row.key), COLUMNS, self.desk.clock, widget_id="list"
            )
            yield LinesView(self._inspect, widget_id="detail")

    def situation(self) -> Situation:
        """Return the change under the cursor."""
        row = self.table.row
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=self.table.total,
            copyable=f"{row.job}.{row.stage}" if row is not None else "",
            refusals=_refusals(row),
        )

    def read(self) -> None:
        """Read what is stale, and what was kept in the last 24 hours."""
        reader = self.desk.reader
        self._all = rows_of(reader.stale(), reader.blessings(self.desk.clock.now() - _DAY_MS))
        self._show()

    def _show(self) -> None:
        wanted = self.bar.value.casefold()
        rows = [row for row in self._all if self._is_in_scope(row) and wanted in _words(row)]
        self.table.source = ListSource(rows, lambda row: row.key)
        self.table.reload()
        stale = sum(row.stale.results for row in rows if row.stale is not None)
        self.bar.show(scope_cells(self.desk.scope), [Cell(f"{plural(stale, 'result')} stale", "muted")])
        self.query_one("#detail", LinesView).redraw()

    def _is_in_scope(self, row: StaleRow) -> bool:
        view = row.stale or row.kept
        return self.desk.scope == "all" or (view is not None and view.internal == (self.desk.scope == "internal"))

    def _inspect(self, width: int) -> Sequence[Line]:
        row = self.table.row
        if row is not None:
            return page(row, self.desk.clock.now(), width, beside=self._beside)
        if self.bar.value:
            return (line(Cell("The filter hides every change.  Esc clears it.", "wait")),)
        return (
            line(Cell("Nothing is stale.", "strong")),
            *prose("All results were made by code that is the same as what runs now, where it matters.", width),
        )

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the change under the cursor."""
        self.query_one("#detail", LinesView).redraw()
        self.offer()

    def requery(self) -> None:
        """Show the changes that the filter lets through."""
        self._show()
        self.offer()

    def do_diff_style(self) -> None:
        self._beside = not self._beside
        self.query_one("#detail", LinesView).redraw()

    def do_next_part(self) -> None:
        self._to_hunk(back=False)

    def do_previous_part(self) -> None:
        self._to_hunk(back=True)

    def _to_hunk(self, *, back: bool) -> None:
        if not self.query_one("#detail", LinesView).move_to(is_hunk, back=back):
            self.say("no change above" if back else "no change below")

    def do_bless(self) -> None:
        if (row := self.table.row) is not None and row.stale is not None:
            self._send("bless", _target(row))

    def do_revoke(self) -> None:
        if (row := self.table.row) is not None and row.kept is not None:
            self._send("revoke", {"judgement": row.kept.judgement})

    def do_reset(self) -> None:
        row = self.table.row
        if row is None or row.stale is None:
            return
        view = row.stale
        also = ", ".join(f"{n:,} of {name}" for name, n in view.downstream)
        text = [
            f"{plural(view.results, 'result')} of {view.job}.{view.stage} will be made again.",
            *([f"With them: {also}."] if also else []),
            f"Price: {price_of(view)}, without what depends on it.",
            "It can be undone until one of them starts.",
        ]
        choices = [
            Choice(key="y", label=f"reset {'it' if view.results == 1 else f'all {view.results:,}'}", value="all"),
            *([Choice(key="s", label=f"a sample of {_SAMPLE}", value="sample")] if view.results > _SAMPLE else []),
            Choice(key="n", label="leave as it is", value=None),
        ]

        def chosen(answer: str | None) -> None:
            if answer is not None:
                self._send("reset", _target(row) | ({"sample": _SAMPLE} if answer == "sample" else {}))

        title = f"Reset {plural(view.results, 'result')}?"
        self.app.push_screen(Dialog(self.desk.clock, title, text, choices, danger=True), chosen)

    def _send(self, name: str, args: Mapping[str, Any]) -> None:
        async def send() -> None:
            outcome = await self.desk.perform(name, dict(args))
            self.report(name, outcome)
            self.reload(even_frozen=True)

        self.run_worker(send(), group="commands", exit_on_error=True)


def _target(row: StaleRow) -> dict[str, Any]:
    """Return what a command about stale results is told."""
    of: dict[str, Any] = {"job": row.job, "stage": row.stage}
    if row.stale is not None and row.stale.old is not None:
        of["version"] = row.stale.old
    return of


def _words(row: StaleRow) -> str:
    return f"{row.change} {row.job}.{row.stage} {row.kept.why if row.kept is not None else ''}".casefold()


def _refusals(row: StaleRow | None) -> Mapping[str, str]:
    if row is None:
        return dict.fromkeys(("bless", "reset", "revoke", *_IN_DIFF), "nothing is stale")
    if row.kept is not None:
        kept = dict.fromkeys(("bless", "reset"), "these results are kept already")
        return kept | dict.fromkeys(_IN_DIFF, "no difference is shown of what is kept")
    said = {"revoke": "these results are stale; there is nothing to take back"}
    if row.stale is not None and not row.stale.changes:
        said |= dict.fromkeys(_IN_DIFF, "there is no source to compare with")
    return said
