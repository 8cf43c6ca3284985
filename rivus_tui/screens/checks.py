"""Checks: what each found the last time and over its last runs; the findings themselves are items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.values import dataclass
from engine.contracts.view import ItemQuery, ItemView, JobView, RunView
from rivus_tui.actions.action import Action
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.filters import narrowed, quoted
from rivus_tui.format import (
    Cell,
    Line,
    age,
    cell,
    count,
    duration,
    fit,
    fit_line,
    hang,
    line,
    moment,
    place,
    plural,
    prose,
    until,
    width_of,
    wrap,
)
from rivus_tui.messages import ItemsAsked
from rivus_tui.possible import Situation
from rivus_tui.screens.job_room import JobRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.sources import ListSource
from rivus_tui.spark import sparkline
from rivus_tui.states import job_state, named
from rivus_tui.why import why_job
from rivus_tui.widgets.filter_bar import FilterBar
from rivus_tui.widgets.virtual_table import VirtualTable

_RUNS: Final = 24
_FINDINGS: Final = 200
OPEN_STATES: Final = "pending,waiting,failed,snoozed"
"""Findings that nobody has settled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check with its last runs, newest first."""

    job: JobView
    runs: tuple[RunView, ...]

    @property
    def open(self) -> int:
        """Findings that nobody has settled."""
        return sum(self.job.items.get(state, 0) for state in ("pending", "waiting", "failed", "snoozed"))


COLUMNS: tuple[Column[Check], ...] = (
    Column(title="CHECK", width=14, grow=1, show=lambda check, now: _name(check)),
    Column(title="STATE", width=12, show=lambda check, now: job_state(check.job)),
    Column(title="OPEN", width=5, align="right", show=lambda check, now: _number(check.open)),
    Column(title="FOUND", width=5, align="right", drop=8, show=lambda check, now: _last(check, "found")),
    Column(title="NEW", width=4, align="right", drop=1, show=lambda check, now: _last(check, "new")),
    Column(title="FIXED", width=5, align="right", drop=2, show=lambda check, now: _last(check, "gone")),
    Column(title="TREND", width=12, drop=7, show=lambda check, now: Cell(trend(check), "muted")),
    Column(title="LAST RUN", width=9, align="right", drop=6, show=lambda check, now: _last_run(check, now)),
    Column(title="NEXT", width=7, align="right", drop=5, show=lambda check, now: _next(check, now)),
)


def trend(check: Check) -> str:
    """Return how many findings the last complete runs had, oldest first."""
    return sparkline([run.found for run in reversed(check.runs) if run.state == "done"], 12)


def _name(check: Check) -> Cell:
    return named(check.job)


def _number(value: int) -> Cell:
    return Cell(count(value), "wait" if value else "muted")


def _last(check: Check, what: str) -> Cell:
    run = check.job.last_run
    if run is None or run.state == "failed":
        return Cell("-", "muted")
    value = int(getattr(run, what))
    return Cell(count(value), "" if value else "muted")


def _last_run(check: Check, now: int) -> Cell:
    run = check.job.last_run
    if run is None:
        return Cell("never", "muted")
    if run.state == "running":
        return Cell("now", "run")
    return Cell(f"{age(now, run.started_at)} ago", "bad" if run.state == "failed" else "")


def _next(check: Check, now: int) -> Cell:
    at = check.job.next_run_at
    return Cell("-", "muted") if at is None else Cell(until(now, at).removeprefix("in "))


class ChecksScreen(JobRoom[Check]):
    """All checks."""

    KIND = MODE = "checks"
    BINDINGS = bindings_of("checks")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._all: list[Check] = []
        self._findings: list[ItemView] = []

    def body(self) -> Iterator[Widget]:
        """Put the inspector below or beside the list."""
        yield FilterBar(hint="part of a name or title", widget_id="filter")
        with Container(id="body"):
            source = ListSource[Check]((), lambda check: check.job.name)
            yield VirtualTable(source, COLUMNS, self.desk.clock, widget_id="list")
            yield from self.inspector(self._inspect)

    def chosen_job(self) -> JobView | None:
        """Return the job of the check under the cursor."""
        check = self.table.row
        return check.job if check is not None else None

    def situation(self) -> Situation:
        """Return the check under the cursor."""
        job = self.chosen_job()
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            job=job,
            rows=self.table.total,
            copyable=job.name if job is not None else "",
        )

    def label(self, action: Action) -> str:
        """Return what Enter and `r` mean here."""
        return {"open": "Findings", "run": "Check now"}.get(action.id, super().label(action))

    def read(self) -> None:
        """Read all checks with their last runs."""
        checks = [job for job in self.desk.reader.jobs() if job.is_check]
        self._all = [Check(job=job, runs=tuple(self.desk.reader.runs(job.name, _RUNS))) for job in checks]
        self._show()

    def _show(self) -> None:
        wanted = self.bar.value.casefold()
        shown = [
            check for check in self._all if wanted in check.job.name.casefold() or wanted in check.job.title.casefold()
        ]
        self.table.source = ListSource(shown, lambda check: check.job.name)
        self.table.reload()
        total = sum(check.open for check in self._all)
        self.bar.show([], [Cell(f"{plural(total, 'open finding')}   {len(shown)} of {len(self._all)}", "muted")])
        self._read_findings()

    def _read_findings(self) -> None:
        job = self.chosen_job()
        self._findings = []
        if job is not None:
            wanted = narrowed(f"source:{quoted(job.name)} state:{OPEN_STATES}", ItemQuery(order="updated"))
            with self.reading():
                self._findings = self.desk.reader.items_page(wanted, None, _FINDINGS)
        self.draw_detail()

    def on_virtual_table_focused(self, event: VirtualTable.Focused) -> None:
        """Show the check under the cursor."""
        self._read_findings()
        self.offer()

    def requery(self) -> None:
        """Show the checks that the filter lets through."""
        self._show()
        self.offer()

    def do_open(self) -> None:
        job = self.chosen_job()
        if job is not None:
            ask = ItemsAsked(f"source:{quoted(job.name)} state:{OPEN_STATES}", back=self.MODE)
            self.app.post_message(ask)

    def _inspect(self, width: int) -> Sequence[Line]:
        check = self.table.row
        if check is None and self.bar.value:
            return (line(Cell("The filter hides every check.  Esc clears it.", "wait")),)
        if check is None:
            return (
                line(Cell("No checks here.", "strong")),
                *prose("A job with `check:` in jobs.yaml is one, such as doc-health.", width),
            )
        now = self.desk.clock.now()
        job = check.job
        lines: list[Line] = [fit_line([cell(job.title or job.name, "strong"), Cell("  "), job_state(job)], width)]
        target = f"findings go to {job.findings_to}" if job.findings_to else "findings become items"
        lines.append(fit_line([cell(target, "muted")], width))
        if job.state != "active" or (job.last_run is not None and job.last_run.state == "failed"):
            for reason in why_job(job, now, has_engine=self.has_engine):
                lines += hang(reason, width)
        lines += [(), *rule_lines(self._findings, width), (), *run_lines(check.runs, now, width)]
        return lines


def rule_lines(findings: Sequence[ItemView], width: int) -> list[Line]:
    """Return the open findings by rule with an example each, the most frequent first."""
    if not findings:
        return [(Cell("Nothing found that is still open.", "ok"),)]
    rules = Counter(str(item.data.get("rule") or item.data.get("type") or "other") for item in findings)
    more = f" (of the newest {len(findings)})" if len(findings) >= _FINDINGS else ""
    lines: list[Line] = [fit_line([Cell(f"OPEN BY RULE{more}", "head")], width)]
    for rule, number in rules.most_common(12):
        example = next(
            item for item in findings if str(item.data.get("rule") or item.data.get("type") or "other") == rule
        )
        head = [Cell(fit(count(number), 4, "right") + "  ", "wait"), Cell(fit(cell(rule).text, 18) + "  ")]
        told = [cell(example.title), Cell("  "), place(example.path, example.line)]
        if width_of([*head, *told]) <= width:
            lines.append((*head, *told))
            continue
        # Beside a list there is room for the example only below its rule.
        lines.append(fit_line([head[0], cell(rule)], width))
        lines += [(Cell("      "), Cell(row, "muted")) for row in wrap(cell(example.title).text, max(width - 6, 8))]
    return lines


def run_lines(runs: Sequence[RunView], now: int, width: int) -> list[Line]:
    """Return the last runs, newest first."""
    lines: list[Line] = [fit_line([Cell("LAST RUNS", "head")], width)]
    for run in runs[:8]:
        when = Cell(fit(moment(run.started_at, now), 13), "muted")
        if run.state == "failed":
            lines.append(fit_line([when, Cell("x failed: ", "bad"), cell(run.error or "no reason given")], width))
            continue
        took = "running" if run.ended_at is None else duration(run.ended_at - run.started_at)
        cut = "cut short, " if run.state == "cut" else ""
        text = f"{cut}{run.found:,} found, {run.new:,} new, {run.gone:,} fixed"
        if run.held_back:
            text += f", {run.held_back:,} held back by its limits"
        trouble = [Cell(f"  {run.problems:,} unreadable", "wait")] if run.problems else []
        lines.append(fit_line([when, Cell(text), *trouble, Cell(f"  {took}", "muted")], width))
    return lines if runs else [*lines, (Cell("It has not run yet; r runs it now.", "muted"),)]
