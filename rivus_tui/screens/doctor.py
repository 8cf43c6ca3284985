"""Doctor: failures with one cause as one line, the verdict on them, and what was and will be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.incident import IncidentView
from engine.contracts.verdict import CLASSES, FailureClass
from engine.contracts.view import EVENTS_LOOKED_AT
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.event_lines import NEWEST, Happened
from rivus_tui.filters import with_job
from rivus_tui.format import Cell, Line, age, cell, count, line
from rivus_tui.incident_page import CLASS_SHAPE, action_cell, class_cell, incident_lines
from rivus_tui.messages import ItemsAsked
from rivus_tui.possible import Situation
from rivus_tui.screens.dialog import Choice, Dialog
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.sorting import Sort
from rivus_tui.sources import ListSource
from rivus_tui.traces import failed_at
from rivus_tui.widgets.filter_bar import FilterBar
from rivus_tui.widgets.virtual_table import VirtualTable

_SHOWN: Final = 1_000
_PARTS: Final = ("Open", "All")
_DEEDS: Final = ("apply", "dismiss", "classify", "probe", "clear", "send")
_KEYS: Final[dict[FailureClass, str]] = {
    "transient": "t", "throttled": "r", "systemic": "s", "code_bug": "b", "item": "i", "unknown": "u",
}  # fmt: skip
_MEANS: Final[dict[FailureClass, str]] = {
    "transient": "the same call passes soon",
    "throttled": "a rate or quota that renews itself is used up",
    "systemic": "an operator has to mend something",
    "code_bug": "a developer has to mend something",
    "item": "this input is bad, others pass",
    "unknown": "nobody knows",
}
_ORDER: Final[tuple[FailureClass, ...]] = ("systemic", "code_bug", "unknown", "throttled", "transient", "item")
SORTS: Final[tuple[Sort[str], ...]] = (
    Sort(name="last", short="last", label="last hit, the newest first"),
    Sort(name="hits", short="hits", label="most hits first"),
    Sort(name="class", short="class", label="class: what needs a person first"),
)

COLUMNS: tuple[Column[IncidentView], ...] = (
    Column(title="CLASS", width=12, show=lambda one, now: class_cell(one)),
    Column(title="SURE", width=6, drop=6, show=lambda one, now: cell(one.confidence, "muted")),
    Column(title="BY", width=6, drop=5, show=lambda one, now: cell(one.by, "muted")),
    Column(title="HITS", width=6, align="right", drop=1, show=lambda one, now: Cell(count(one.count))),
    Column(title="JOB", width=12, drop=4, show=lambda one, now: cell(", ".join(one.jobs))),
    Column(title="SIGNATURE", width=20, grow=3, show=lambda one, now: cell(one.label)),
    Column(title="ACTION", width=13, drop=2, show=lambda one, now: action_cell(one)),
    Column(title="LAST", width=5, align="right", drop=3, show=lambda one, now: Cell(age(now, one.last_at), "muted")),
)


class DoctorScreen(ListRoom[IncidentView]):
    """Incidents of the scope."""

    KIND = MODE = "doctor"
    SORTS = SORTS
    BINDINGS = bindings_of("doctor")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._part = 0
        self._all: list[IncidentView] = []
        self._internal: set[str] = set()

    def body(self) -> Iterator[Widget]:
        """Put the inspector below or beside the list."""
        yield FilterBar(hint="part of a signature, a job or a class", widget_id="filter")
        with Container(id="body"):
            yield VirtualTable(
                ListSource[IncidentView]((), lambda one: one.id), COLUMNS, self.desk.clock, widget_id="list"
            )
            yield from self.inspector(self._inspect)

    def situation(self) -> Situation:
        """Return the incident under the cursor, and what cannot be done about it."""
        row = self.table.row
        refusals: dict[str, str] = {}
        if row is None:
            refusals = dict.fromkeys(_DEEDS, "no incident is selected")
        else:
            if not row.breakers:
                refusals |= {"probe": "no breaker is open", "clear": "no breaker is open"}
            if self._failed_at(row) is None:
                refusals["source"] = "no line of this project is in its traceback"
            if row.state != "open":
                refusals |= {"dismiss": f"it is {row.state}", "apply": f"it is {row.state}"}
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            rows=self.table.total,
            copyable=row.signature if row is not None else "",
            refusals=refusals,
        )

    def read(self) -> None:
        """Read all incidents."""
        self._internal = {job.name for job in self.desk.reader.jobs() if job.internal}
        self._all = self.desk.reader.incidents(open_only=self._part == 0, limit=_SHOWN)
        self._show()

    def _show(self) -> None:
        wanted = self.bar.value.casefold()
        scope = self.desk.scope
        shown = [
            one
            for one in self._all
            if (scope == "all" or all((job in self._internal) == (scope == "internal") for job in one.jobs))
            and (not wanted or any(wanted in text.casefold() for text in (one.label, one.cls, *one.jobs)))
        ]
        if self.order == "hits":
            shown.sort(key=lambda one: -one.count)
        elif self.order == "class":
            shown.sort(key=lambda one: _ORDER.index(one.cls))
        if self.reverse:
            shown.reverse()
        self.table.source = ListSource(shown, lambda one: one.id)
        self.table.reload()
        self.bar.show(self._parts(), [self.sort_cell(), Cell(f"{len(shown):,} of {len(self._all):,}", "muted")])
        self.draw_detail()

    def _parts(self) -> list[Cell]:
        cells = [
            Cell(f"[{part}]", "strong") if at == self._part else Cell(f" {part} ", "muted")
            for at, part in enumerate(_PARTS)
        ]
        if self.desk.scope != "all":
            cells.append(Cell(f"   {self.desk.scope} jobs", "wait"))
        return cells

    def _inspect(self, width: int) -> Sequence[Line]:
        row = self.table.row
        if row is not None:
            return incident_lines(row, self.desk.clock.now(), width)
        if self.bar.value:
            return (line(Cell("The filter hides every incident.  Esc clears it.", "wait")),)
        if self.desk.scope != "all":
            return (line(Cell(f"No incidents of {self.desk.scope} jobs.  , shows the others.", "wait")),)
        text = "Nothing is wrong." if self._part == 0 else "Nothing has failed yet."
        return (line(Cell(text, "ok")), line(Cell("What fails is grouped here by its cause.", "muted")))

    def happened(self) -> Happened | None:
        """Return the newest events of the incident under the cursor."""
        if (row := self.table.row) is None:
            return None
        events = self.desk.reader.events_of_incident(row.id, row.jobs, NEWEST)
        note = f"Looked for among the newest {EVENTS_LOOKED_AT:,} of {cell(', '.join(row.jobs), limit=40).text}."
        known = (*row.jobs, *row.stages) if len(row.jobs) == len(row.stages) == 1 else ()
        return Happened(about=row.label, known=known, events=events, note=note)

    def requery(self) -> None:
        """Show what the filter lets through."""
        with self.reading():
            self._show()
        self.draw_frame()

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the incident under the cursor."""
        self.draw_detail()
        self.offer()

    def do_open(self) -> None:
        if (row := self.table.row) is not None:
            text = f"{with_job('', row.jobs[0])} state:failed,later"
            self.app.post_message(ItemsAsked(text, back=self.MODE))

    def _failed_at(self, row: IncidentView) -> tuple[str, int] | None:
        return failed_at(str(row.evidence.get("traceback_tail", "")), self.desk.root)

    def do_source(self) -> None:
        if (row := self.table.row) is not None and (place := self._failed_at(row)) is not None:
            self.open_file(self.desk.root, *place)

    def do_next_part(self) -> None:
        self._part = (self._part + 1) % len(_PARTS)
        self.reload(even_frozen=True)

    def do_previous_part(self) -> None:
        self.do_next_part()

    def do_apply(self) -> None:
        self._about("apply")

    def do_dismiss(self) -> None:
        self._about("dismiss")

    def do_send(self) -> None:
        self._about("send")

    def do_probe(self) -> None:
        self._of_job("probe")

    def do_clear(self) -> None:
        self._of_job("clear-errors")

    def do_classify(self) -> None:
        row = self.table.row
        if row is None:
            return
        choices = [
            Choice(key=_KEYS[cls], label=f"{CLASS_SHAPE[cls]} {cls}: {_MEANS[cls]}", value=cls) for cls in CLASSES
        ]
        choices.append(Choice(key="n", label="leave it as it is", value=None))
        text = [row.label, "What you say stays, whatever rules and models say, until you say otherwise."]

        def chosen(cls: str | None) -> None:
            if cls is not None:
                self._send("overrule", {"incident": str(row.id), "class": cls})

        self.app.push_screen(Dialog(self.desk.clock, "What is it?", text, choices), chosen)

    def _about(self, name: str) -> None:
        if (row := self.table.row) is not None:
            self._send(name, {"incident": str(row.id)})

    def _of_job(self, name: str) -> None:
        if (row := self.table.row) is not None and row.breakers:
            self._send(name, {"job": row.breakers[0].job})

    def _send(self, name: str, args: Mapping[str, Any]) -> None:
        async def send() -> None:
            outcome = await self.desk.perform(name, dict(args))
            self.report(name, outcome)
            self.reload(even_frozen=True)

        self.carry_out(send())
