"""Resources: shared capacity, pace and slots; who holds what, and who waits for it in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.costs import ModelsView
from engine.contracts.view import ComingView, LimitView
from rivus_tui.actions.action import Action
from rivus_tui.columns import Column
from rivus_tui.cost_page import model_lines
from rivus_tui.desk import Desk
from rivus_tui.filters import quoted
from rivus_tui.format import Cell, Line, age, cell, count, fit, fit_line, hang, line, priority, prose, until
from rivus_tui.messages import ItemsAsked
from rivus_tui.possible import Situation
from rivus_tui.screens.dialog import TextPrompt
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.sources import ListSource
from rivus_tui.spark import bar
from rivus_tui.widgets.filter_bar import FilterBar, scope_cells
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

_WAITERS: Final = 100
_KINDS: Final = {"resource": "shared", "pace": "pace", "slots": "slots"}

COLUMNS: tuple[Column[LimitView], ...] = (
    Column(title="LIMIT", width=18, grow=1, show=lambda limit, now: _name(limit)),
    Column(title="KIND", width=7, drop=3, show=lambda limit, now: Cell(_KINDS[limit.kind], "muted")),
    Column(title="HELD", width=9, align="right", show=lambda limit, now: _held(limit)),
    Column(title="", width=10, drop=6, show=lambda limit, now: _bar(limit)),
    Column(
        title="PACE",
        width=8,
        grow=1,
        drop=2,
        show=lambda limit, now: cell(limit.pace or "-", "muted" if not limit.pace else ""),
    ),
    Column(title="NEXT", width=7, align="right", drop=5, show=lambda limit, now: _next(limit, now)),
    Column(title="WAIT", width=6, align="right", show=lambda limit, now: _waiting(limit)),
    Column(title="LONGEST", width=7, align="right", drop=4, show=lambda limit, now: _longest(limit, now)),
)


def _name(limit: LimitView) -> Cell:
    return cell(limit.name) if limit.instead_of is None else cell(f"! {limit.name}", "wait")


def waiting(limit: LimitView) -> int:
    """Return how many stand before a limit, ready to run."""
    return sum(use.ready for use in limit.uses)


def is_full(limit: LimitView) -> bool:
    """Whether nothing is left of a capacity."""
    return limit.capacity is not None and limit.held >= limit.capacity


def _held(limit: LimitView) -> Cell:
    if limit.capacity is None:
        return Cell("-", "muted")
    return Cell(f"{limit.held} of {limit.capacity}", "wait" if is_full(limit) else "run" if limit.held else "muted")


def _bar(limit: LimitView) -> Cell:
    return Cell("") if limit.capacity is None else Cell(bar(limit.held, limit.capacity, 10), _held(limit).role)


def _next(limit: LimitView, now: int) -> Cell:
    if limit.pace is None:
        return Cell("-", "muted")
    free = limit.next_at is None or limit.next_at <= now
    return Cell("free", "ok") if free else Cell(until(now, limit.next_at).removeprefix("in "), "wait")


def _waiting(limit: LimitView) -> Cell:
    number = waiting(limit)
    return Cell(count(number), "wait" if number else "muted")


def _longest(limit: LimitView, now: int) -> Cell:
    since = min((use.ready_since for use in limit.uses if use.ready_since is not None), default=None)
    return Cell(age(now, since), "muted" if since is None else "")


class ResourcesScreen(ListRoom[LimitView]):
    """All limits."""

    KIND = MODE = "resources"
    BINDINGS = bindings_of("resources")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._all: list[LimitView] = []
        self._internal: dict[str, bool] = {}
        self._coming: list[ComingView] = []
        self._models: ModelsView | None = None

    def body(self) -> Iterator[Widget]:
        """Put the inspector below or beside the list."""
        yield FilterBar(hint="part of a name", widget_id="filter")
        with Container(id="body"):
            source = ListSource[LimitView]((), _key)
            yield VirtualTable(source, COLUMNS, self.desk.clock, widget_id="list")
            yield LinesView(self._inspect, widget_id="detail")

    def situation(self) -> Situation:
        """Return the limit under the cursor."""
        limit = self.table.row
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=self.table.total,
            copyable=limit.name if limit is not None else "",
            refusals=_refusals(limit, self.desk.read_only),
        )

    def label(self, action: Action) -> str:
        """Return what `w` and Enter show here."""
        return {"open": "Items", "why": "Who waits"}.get(action.id, action.label)

    def read(self) -> None:
        """Read all limits."""
        self._all = self.desk.reader.limits()
        self._models = self.desk.reader.models()
        self._internal = {job.name: job.internal for job in self.desk.reader.jobs()}
        self._show()

    def _in_scope(self, limit: LimitView) -> bool:
        if self.desk.scope == "all" or not limit.uses:
            return True
        return any(self._internal.get(use.job, False) == (self.desk.scope == "internal") for use in limit.uses)

    def _show(self) -> None:
        wanted = self.bar.value.casefold()
        shown = [limit for limit in self._all if self._in_scope(limit) and wanted in limit.name.casefold()]
        self.table.source = ListSource(shown, _key)
        self.table.reload()
        full = sum(is_full(limit) for limit in shown)
        self.bar.show(
            scope_cells(self.desk.scope),
            [Cell(f"{full} full   ", "wait" if full else "muted"), Cell(f"{len(shown)} of {len(self._all)}", "muted")],
        )
        self._read_waiters()

    def _read_waiters(self) -> None:
        limit = self.table.row
        self._coming = []
        if limit is not None and waiting(limit):
            users = {(use.job, use.stage) for use in limit.uses}
            jobs = {use.job for use in limit.uses}
            with self.reading():
                found = [one for job in sorted(jobs) for one in self.desk.reader.plan(job, _WAITERS)]
                found.sort(key=lambda one: one.ready_at)
                self._coming = [one for one in found if (one.job, one.stage) in users]
        self.query_one("#detail", LinesView).redraw()

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the limit under the cursor."""
        self._read_waiters()
        self.offer()

    def requery(self) -> None:
        """Show the limits that the filter lets through."""
        self._show()
        self.offer()

    def scope_changed(self) -> None:
        """Show the limits of the other scope."""
        self._show()
        self.offer()

    def do_open(self) -> None:
        if (limit := self.table.row) is not None:
            jobs = ",".join(dict.fromkeys(quoted(use.job) for use in limit.uses))
            stages = ",".join(dict.fromkeys(quoted(use.stage) for use in limit.uses))
            self.app.post_message(ItemsAsked(f"job:{jobs} stage:{stages} state:running,ready", back=self.MODE))

    def do_adjust(self) -> None:
        limit = self.table.row
        if limit is None:
            return
        now = f"{limit.capacity} places" if limit.capacity is not None else ""
        now = " and ".join(part for part in (now, f"a pace of {limit.pace}" if limit.pace else "") if part)
        says = "" if limit.instead_of is None else f" (jobs.yaml says {limit.instead_of or 'nothing'})"
        ways = {"slots": "A number", "pace": "A pace such as 60/h or 60/h burst 5"}
        way = ways.get(limit.kind, "A number, or a pace such as 60/h")
        question = f"It is {now}{says}. {way}? It holds until C drops it."

        def answered(value: str | None) -> None:
            if value is not None:
                self._adjust(limit, {"value": value})

        self.app.push_screen(TextPrompt(f"Change {cell(limit.name).text}", question), answered)

    def do_unadjust(self) -> None:
        if (limit := self.table.row) is not None:
            self._adjust(limit, {})

    def _adjust(self, limit: LimitView, more: Mapping[str, Any]) -> None:
        async def send() -> None:
            outcome = await self.desk.perform("adjust", {"kind": limit.kind, "name": limit.name, **more})
            self.report("adjust", outcome)
            self.reload(even_frozen=True)

        self.carry_out(send())

    def do_why(self) -> None:
        if (limit := self.table.row) is not None:
            self.read_out(f"Who waits for {cell(limit.name).text}", self._waiters(self.desk.clock.now()))

    def _waiters(self, now: int) -> list[Line]:
        lines: list[Line] = []
        said = ""
        for position, one in enumerate(self._coming, start=1):
            why = one.holds[0].why if one.holds else ""
            if why and why != said:
                # What holds one holds those below it too, up to the next reason.
                lines.append((Cell("~ ", "wait"), cell(why, "wait")))
            said = why
            lines.append(
                (
                    Cell(f"{position:3} ", "muted"),
                    Cell(fit(priority(one.priority).text, 2), priority(one.priority).role),
                    Cell(f" {fit(age(now, one.ready_at), 5, 'right')}  ", "muted"),
                    cell(one.title),
                )
            )
        return lines or [(Cell("Nobody waits for it.", "ok"),)]

    def _inspect(self, width: int) -> Sequence[Line]:
        limit = self.table.row
        if limit is None:
            if self.bar.value:
                return (line(Cell("The filter hides every limit.  Esc clears it.", "wait")),)
            return (
                line(Cell("Nothing limits the work now.", "strong")),
                *prose("`resources:`, `pace:` and `concurrency:` in jobs.yaml do; busy stages show here.", width),
                *self._about_models(width),
            )
        now = self.desk.clock.now()
        lines: list[Line] = [fit_line([cell(limit.name, "strong"), Cell("   "), *_said(limit, now)], width), ()]
        lines.append(
            fit_line([Cell(f"{fit('STAGE', 28)}{fit('RUN', 6, 'right')}{fit('READY', 8, 'right')}", "head")], width)
        )
        for use in limit.uses:
            name = fit(cell(f"{use.job}.{use.stage}").text, 28)
            numbers = [Cell(fit(count(use.running), 6, "right"), "run" if use.running else "muted")]
            numbers.append(Cell(fit(count(use.ready), 8, "right"), "wait" if use.ready else "muted"))
            lines.append(fit_line([Cell(name), *numbers], width))
        lines += [(), fit_line([Cell("WAITS, IN THIS ORDER", "head")], width)]
        lines += [
            row
            for one in self._waiters(now)[:21]
            for row in (hang(one, width) if len(one) == 2 else [fit_line(one, width)])
        ]
        return [*lines, *self._about_models(width)]

    def _about_models(self, width: int) -> Iterator[Line]:
        """Models with their quotas, who waits for them, and conversations; nothing where none is configured."""
        if self._models is not None and self._models.quotas:
            yield ()
            yield from model_lines(self._models, self.desk.clock.now(), width)


def _said(limit: LimitView, now: int) -> list[Cell]:
    """Say in words how a limit stands."""
    if limit.instead_of is not None:
        told = f"set by hand, jobs.yaml says {limit.instead_of or 'nothing'}; C drops it"
        return [cell(told, "wait"), Cell("   "), *_said(replace(limit, instead_of=None), now)]
    if limit.capacity is not None and limit.pace is None:
        left = limit.capacity - limit.held
        return [
            Cell(f"{left} of {limit.capacity} free" if left > 0 else f"all {limit.capacity} held", _held(limit).role)
        ]
    if limit.next_at is None or limit.next_at <= now:
        return [Cell(f"{limit.pace}: the next may start now", "ok")]
    return [Cell(f"{limit.pace}: the next may start {until(now, limit.next_at)}", "wait")]


def _busy(limit: LimitView) -> bool:
    return any(use.running or use.ready for use in limit.uses)


def _refusals(limit: LimitView | None, read_only: str) -> dict[str, str]:
    refused = {"open": "nothing holds or waits for it"} if limit is not None and not _busy(limit) else {}
    if limit is not None and limit.instead_of is None:
        refused["unadjust"] = read_only or "it is as jobs.yaml says"
    return refused


def _key(limit: LimitView) -> tuple[str, str]:
    return (limit.kind, limit.name)
