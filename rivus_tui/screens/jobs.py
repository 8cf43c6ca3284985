"""Jobs: how each is, and why the one under the cursor does not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.history import HourView
from engine.contracts.states import ItemState
from engine.contracts.view import JobView
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.filters import with_job
from rivus_tui.format import Cell, Line, age, cell, count, line, moment, prose, until
from rivus_tui.history_page import HOUR_MS, KNOWN_MS, earlier_hours, history_lines, stood, throughput
from rivus_tui.inspector import job_lines
from rivus_tui.messages import ItemsAsked
from rivus_tui.possible import Situation
from rivus_tui.screens.job_room import JobRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.sorting import JOB_SORTS, job_rank
from rivus_tui.sources import ListSource
from rivus_tui.states import job_state, named
from rivus_tui.theme import Role
from rivus_tui.widgets.filter_bar import FilterBar, scope_cells
from rivus_tui.widgets.virtual_table import VirtualTable


def _number(value: int, role: Role = "") -> Cell:
    return Cell(count(value), role if value else "muted")


def _items(job: JobView, state: ItemState, role: Role = "") -> Cell:
    return _number(job.items.get(state, 0), role)


COLUMNS: tuple[Column[JobView], ...] = (
    Column(title="JOB", width=14, grow=1, show=lambda job, now: named(job)),
    Column(title="STATE", width=12, show=lambda job, now: job_state(job)),
    Column(title="READY", width=6, align="right", drop=2, show=lambda job, now: _number(job.count("ready"))),
    Column(title="RUN", width=4, align="right", drop=3, show=lambda job, now: _number(job.count("running"), "run")),
    Column(title="DONE", width=6, align="right", drop=5, show=lambda job, now: _items(job, "done")),
    Column(title="FAIL", width=5, align="right", drop=1, show=lambda job, now: _items(job, "failed", "bad")),
    Column(title="WAIT", width=5, align="right", drop=4, show=lambda job, now: _items(job, "waiting", "wait")),
    Column(title="LAST RUN", width=9, align="right", drop=7, show=lambda job, now: _last_run(job, now)),
    Column(title="NEXT", width=7, align="right", drop=6, show=lambda job, now: _next_run(job, now)),
    Column(title="TITLE", width=16, grow=1, drop=9, show=lambda job, now: cell(job.title, "muted")),
)  # fmt: skip


_PAST: Final = tuple(column for column in COLUMNS if column.title not in ("LAST RUN", "NEXT"))
"""What is known of jobs as they stood."""
_SPARK: Final = 12
_HISTORY_S: Final = 30.0
"""How long hours that were read are good enough."""


def _last_run(job: JobView, now: int) -> Cell:
    run = job.last_run
    if run is None:
        return Cell("never", "muted")
    if run.state == "running":
        return Cell("now", "run")
    return Cell(f"{age(now, run.started_at)} ago", "bad" if run.state == "failed" else "")


def _next_run(job: JobView, now: int) -> Cell:
    if job.next_run_at is None:
        return Cell("-", "muted")
    return Cell(until(now, job.next_run_at).removeprefix("in "))


class JobsScreen(JobRoom[JobView]):
    """All jobs of the scope."""

    KIND = MODE = "jobs"
    SORTS = JOB_SORTS
    BINDINGS = bindings_of("jobs")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._all: list[JobView] = []
        self._history: Mapping[str, Sequence[HourView]] = {}
        self._history_due = float("-inf")
        self._hour: int | None = None
        """Start of the hour at whose end the table shows the jobs, ms UTC; None: now."""
        spark: Column[JobView] = Column(title="24 HOURS", width=_SPARK, drop=8, show=self._spark)
        self._columns = (*COLUMNS[:-1], spark, COLUMNS[-1])

    def body(self) -> Iterator[Widget]:
        """Put the inspector below or beside the list."""
        yield FilterBar(hint="part of a name or title", widget_id="filter")
        with Container(id="body"):
            yield VirtualTable(
                ListSource[JobView]((), lambda job: job.name), self._columns, self.desk.clock, widget_id="list"
            )
            yield from self.inspector(self._inspect)

    def situation(self) -> Situation:
        """Return the job under the cursor."""
        job = self.chosen_job()
        refusals = {}
        if self._hour is None:
            refusals["next_part"] = "this is how the jobs stand now"
        if not self._hours_before():
            refusals["previous_part"] = "no earlier hour is known"
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            job=job,
            rows=self.table.total,
            copyable=job.name if job is not None else "",
            refusals=refusals,
        )

    def chosen_job(self) -> JobView | None:
        """Return the job under the cursor, as it stands now."""
        row = self.table.row
        return None if row is None else next((job for job in self._all if job.name == row.name), None)

    def read(self) -> None:
        """Read all jobs; the hours before, which the first paint does not wait for, every now and then."""
        self._all = self.desk.reader.jobs()
        if self.desk.clock.monotonic() >= self._history_due:
            self._history_due = self.desk.clock.monotonic() + _HISTORY_S
            self.call_after_refresh(self._read_history)
        self._show()

    def _read_history(self) -> None:
        with self.reading():
            self._history = self.desk.reader.history(self.desk.clock.now() - KNOWN_MS)
        self._show()
        self.table.refresh()
        self.offer()

    def _spark(self, job: JobView, now: int) -> Cell:
        return Cell(throughput(self._history.get(job.name, ()), now, _SPARK), "run")

    def _hours_before(self) -> list[int]:
        """The hours before the one that is shown, the newest first."""
        known = earlier_hours(self._history, self.desk.clock.now())
        return known if self._hour is None else [hour for hour in known if hour < self._hour]

    def _rows(self) -> list[JobView]:
        """All jobs, now or as they stood."""
        if self._hour is None:
            return self._all
        then = [stood(job, self._history.get(job.name, ()), self._hour) for job in self._all]
        return [job for job in then if job is not None]

    def do_previous_part(self) -> None:
        self._hour = self._hours_before()[0]
        self._turn()

    def do_next_part(self) -> None:
        later = [hour for hour in earlier_hours(self._history, self.desk.clock.now()) if hour > (self._hour or 0)]
        self._hour = later[-1] if later else None
        self._turn()

    def _turn(self) -> None:
        self.table.columns = self._columns if self._hour is None else _PAST
        self.reload(even_frozen=True)

    def _show(self) -> None:
        wanted = self.bar.value.casefold()
        scope = self.desk.scope
        jobs = [
            job
            for job in self._rows()
            if (scope == "all" or job.internal == (scope == "internal"))
            and (wanted in job.name.casefold() or wanted in job.title.casefold())
        ]
        jobs.sort(key=lambda job: job_rank(job, self.order))
        if self.reverse:
            jobs.reverse()
        self.table.source = ListSource(jobs, lambda job: job.name)
        self.table.reload()
        self.bar.show(
            scope_cells(self.desk.scope),
            [self._when(), self.sort_cell(), Cell(f"{len(jobs)} of {len(self._all)}", "muted")],
        )
        self.draw_detail()

    def _when(self) -> Cell:
        if self._hour is None:
            return Cell("")
        return Cell(f"as it stood at {moment(self._hour + HOUR_MS, self.desk.clock.now())}, ] later   ", "wait")

    def _inspect(self, width: int) -> Sequence[Line]:
        job, now = self.chosen_job(), self.desk.clock.now()
        if job is not None:
            lines = job_lines(job, now, width, has_engine=self.has_engine)
            drawn = history_lines(self._history.get(job.name, ()), now, width)
            return [*lines, (), *drawn] if drawn else lines
        if not self._all and self.desk.starting:
            return (line(Cell("The engine starts…", "muted")),)
        if not self._all:
            return (
                line(Cell("No jobs yet.", "strong")),
                *prose("Jobs are declared in jobs.yaml; without one, the built-in jobs run here.", width),
            )
        if self.bar.value:
            return (line(Cell("The filter hides every job.  Esc clears it.", "wait")),)
        return (line(Cell(f"No {self.desk.scope} jobs.  , shows the others.", "wait")),)

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the job under the cursor."""
        self.draw_detail()
        self.offer()

    def requery(self) -> None:
        """Show the jobs that the filter lets through."""
        self._show()
        self.offer()

    def do_open(self) -> None:
        if (job := self.table.row) is not None:
            name = job.findings_to if job.is_check and job.findings_to else job.name
            self.app.post_message(ItemsAsked(with_job("", name), back=self.MODE))
