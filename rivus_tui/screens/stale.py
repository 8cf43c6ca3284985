"""Stale: results that other code made than runs now, by the symbol that changed, with the difference and the price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.staleness import SymbolChange
from engine.contracts.view import EVENTS_LOOKED_AT
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.event_lines import NEWEST, Happened
from rivus_tui.format import Cell, Line, cell, line, money, plural, prose
from rivus_tui.possible import Situation
from rivus_tui.screens.dialog import Choice, Dialog, confirm
from rivus_tui.screens.list_room import MarkingRoom
from rivus_tui.screens.picking import Picking
from rivus_tui.screens.room import bindings_of
from rivus_tui.source_lines import is_hunk
from rivus_tui.sources import ListSource
from rivus_tui.stale_page import StaleRow, Style, page, reset_told, results_cell, rows_of, targets_told
from rivus_tui.widgets.filter_bar import FilterBar, scope_cells
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

_DAY_MS: Final = 86_400_000
_SAMPLE: Final = 3
_IN_DIFF: Final = ("diff_style", "diff_spaces", "next_part", "previous_part")
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
    Column(title="CHANGE", width=14, grow=2, show=lambda row, now: _change(row)),
    Column(title="STAGE", width=14, grow=1, drop=1, show=lambda row, now: cell(f"{row.job}.{row.stage}")),
    Column(title="RESULTS", width=7, align="right", show=lambda row, now: results_cell(row)),
    Column(title="VERDICT", width=10, show=lambda row, now: _verdict(row)),
    Column(title="BY", width=6, drop=2, show=lambda row, now: cell(row.by, "muted")),
)


class StaleScreen(MarkingRoom[StaleRow]):
    """What a change of code means for what was made before it."""

    KIND = MODE = "stale"
    BINDINGS = bindings_of("stale")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._all: list[StaleRow] = []
        self._style = Style()
        self._judged: dict[int, Sequence[SymbolChange]] = {}

    def body(self) -> Iterator[Widget]:
        """Put the difference below or beside the list."""
        yield FilterBar(hint="part of a symbol, job or stage", widget_id="filter")
        with Container(id="body", classes="-diff"):
            yield VirtualTable(
                ListSource[StaleRow]((), lambda row: row.key), COLUMNS, self.desk.clock, widget_id="list"
            )
            yield from self.inspector(self._inspect)

    def situation(self) -> Situation:
        """Return the change under the cursor."""
        row = self.table.row
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=self.table.total,
            copyable=f"{row.job}.{row.stage}" if row is not None else "",
            refusals=_refusals(row, self.table.chosen),
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
        self._show_counts(rows)
        self.draw_detail()

    def _show_counts(self, rows: Iterable[StaleRow]) -> None:
        stale = sum(row.stale.results for row in rows if row.stale is not None)
        marked = f"{self.table.marked:,} marked   " if self.table.marked else ""
        counts = [Cell(marked, "wait"), Cell(f"{plural(stale, 'result')} stale", "muted")]
        self.bar.show(scope_cells(self.desk.scope), counts)

    def _is_in_scope(self, row: StaleRow) -> bool:
        view = row.stale or row.kept
        return self.desk.scope == "all" or (view is not None and view.internal == (self.desk.scope == "internal"))

    def _inspect(self, width: int) -> Sequence[Line]:
        row = self.table.row
        if row is not None:
            budget = self.desk.status.budget if self.desk.status is not None else None
            changes = self._changes_of(row.kept.judgement) if row.kept is not None else ()
            return page(row, self.desk.clock.now(), width, style=self._style, budget=budget, changes=changes)
        if self.bar.value:
            return (line(Cell("The filter hides every change.  Esc clears it.", "wait")),)
        return (
            line(Cell("Nothing is stale.", "strong")),
            *prose("All results were made by code that is the same as what runs now, where it matters.", width),
        )

    def happened(self) -> Happened | None:
        """Return the newest events of the stage whose results are stale or were kept."""
        if (row := self.table.row) is None:
            return None
        events = self.desk.reader.events_of_stage(row.job, row.stage, NEWEST)
        note = f"Looked for among the newest {EVENTS_LOOKED_AT:,} of {cell(row.job, limit=40).text}."
        return Happened(about=f"{row.job}.{row.stage}", known=(row.job, row.stage), events=events, note=note)

    def _changes_of(self, judgement: int) -> Sequence[SymbolChange]:
        """Return what differs between versions that were made the same; read once, as it never changes."""
        if judgement not in self._judged:
            with self.reading():
                self._judged[judgement] = self.desk.reader.judged_changes(judgement)
        return self._judged.get(judgement, ())

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the change under the cursor."""
        self.draw_detail()
        self.offer()

    def requery(self) -> None:
        """Show the changes that the filter lets through."""
        self._show()
        self.offer()

    def show_counts(self) -> None:
        """Show how many results are stale, and how many changes are marked."""
        self._show_counts(self.table.rows(self.table.total))

    def do_diff_style(self) -> None:
        self._style = replace(self._style, beside=not self._style.beside)
        self.draw_detail()

    def do_diff_spaces(self) -> None:
        self._style = replace(self._style, spaces=not self._style.spaces)
        self.draw_detail()
        self.say("white space counts in the difference" if self._style.spaces else "white space is ignored")

    def do_next_part(self) -> None:
        self._to_hunk(back=False)

    def do_previous_part(self) -> None:
        self._to_hunk(back=True)

    def _to_hunk(self, *, back: bool) -> None:
        if not self.query_one("#detail", LinesView).move_to(is_hunk, back=back):
            self.say("no change above" if back else "no change below")

    def do_bless(self) -> None:
        rows = [row for row in self.table.chosen if row.stale is not None]
        if not self._all_marked or len(rows) < 2:
            self._send("bless", [_target(row) for row in rows])
            return
        results = sum(row.stale.results for row in rows if row.stale is not None)
        title = f"Keep {plural(results, 'result')}?"
        text = [*targets_told(rows), "Nothing of them is made again. u takes it back."]

        def answered(value: str | None) -> None:
            if value is not None:
                self._send("bless", [_target(row) for row in rows])

        self.app.push_screen(confirm(self.desk.clock, title, text, "keep them", "leave them stale"), answered)

    def do_revoke(self) -> None:
        self._send("revoke", [{"judgement": row.kept.judgement} for row in self.table.chosen if row.kept is not None])

    def do_reset(self) -> None:
        # What depends on another one first: a reset of the other takes it along, and leaves nothing stale of it.
        rows = [row for row in self.table.chosen if row.stale is not None]
        rows.sort(key=lambda row: len(row.stale.downstream) if row.stale is not None else 0)
        if not rows:
            return
        budget = self.desk.status.budget if self.desk.status is not None else None
        title, text = reset_told(rows, budget)
        results = sum(row.stale.results for row in rows if row.stale is not None)
        has_more = any(row.stale is not None and row.stale.results > _SAMPLE for row in rows)
        each = f"a sample of {_SAMPLE}" + (" of each" if len(rows) > 1 else "")
        choices = [
            Choice(key="y", label=f"reset {'it' if results == 1 else f'all {results:,}'}", value="all"),
            *([Choice(key="s", label=each, value="sample")] if has_more else []),
            Choice(key="n", label="leave as it is", value=None),
        ]

        def chosen(answer: str | None) -> None:
            if answer is not None:
                more = {"sample": _SAMPLE} if answer == "sample" else {}
                self._send("reset", [_target(row) | more for row in rows])

        self.app.push_screen(Dialog(self.desk.clock, title, text, choices, danger=True), chosen)

    def do_judge(self) -> None:
        row = self.table.row
        if row is None or row.stale is None:
            return
        target, view = _target(row), row.stale

        async def ask() -> None:
            look = await self.desk.perform("judge", target | {"price": True})
            if not look.ok:
                self.say(look.message, "warning")
                return
            prices: Mapping[str, int] = look.data.get("prices", {})
            offers = [(f"{name}, for {money(cost)} at most", name) for name, cost in prices.items()]
            title = f"Ask a model about {view.job}.{view.stage}?"
            text = (
                "It sees the difference only. If it says that the output cannot differ, the results are kept; X takes"
                " that back.",
            )
            self.app.push_screen(Picking(self.desk.clock, title, offers, text), answered)

        def answered(name: str | None) -> None:
            if name is not None:
                self.say(f"{name} is asked about {view.job}.{view.stage}")
                self._send("judge", [target | {"model": name}])

        self.run_worker(ask(), group="ask", exclusive=True, exit_on_error=True)

    def _send(self, name: str, each: Sequence[Mapping[str, Any]]) -> None:
        async def send() -> None:
            outcomes = await self.desk.perform_all(name, each)
            self.clear_marks()
            self.report(name, *outcomes)
            self.reload(even_frozen=True)

        if each:
            self.carry_out(send())


def _target(row: StaleRow) -> dict[str, Any]:
    """Return what a command about stale results is told."""
    of: dict[str, Any] = {"job": row.job, "stage": row.stage}
    if row.stale is not None and row.stale.old is not None:
        of["version"] = row.stale.old
    return of


def _words(row: StaleRow) -> str:
    return f"{row.change} {row.job}.{row.stage} {row.kept.why if row.kept is not None else ''}".casefold()


def _refusals(row: StaleRow | None, chosen: Sequence[StaleRow]) -> Mapping[str, str]:
    if row is None:
        return dict.fromkeys(("bless", "reset", "revoke", "judge", *_IN_DIFF), "nothing is stale")
    said: dict[str, str] = {}
    if not any(one.stale is not None for one in chosen):
        said |= dict.fromkeys(("bless", "reset"), "these results are kept already")
    if not any(one.kept is not None for one in chosen):
        said["revoke"] = "these results are stale; there is nothing to take back"
    if row.kept is not None:
        said["judge"] = "these results are kept already"
    elif row.stale is not None and not row.stale.changes:
        said |= dict.fromkeys(("judge", *_IN_DIFF), "there is no source to compare with")
    return said
