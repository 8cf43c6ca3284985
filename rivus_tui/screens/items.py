"""Items: all of a scope or of one job, filtered, any number of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.view import ItemDetail, ItemQuery, ItemView
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.filters import job_of, narrowed, trouble, with_job, without_job
from rivus_tui.format import Cell, Line, age, cell, line, place, priority, until
from rivus_tui.item_page import header_lines, part_lines, stage_lines
from rivus_tui.possible import Situation
from rivus_tui.screens.item_list_room import ItemListRoom
from rivus_tui.screens.picking import Picking
from rivus_tui.screens.room import bindings_of
from rivus_tui.sorting import ITEM_SORTS
from rivus_tui.sources import ItemKey, ItemSource
from rivus_tui.states import item_state
from rivus_tui.widgets.filter_bar import FilterBar, scope_cells
from rivus_tui.widgets.virtual_table import VirtualTable

COLUMNS: tuple[Column[ItemView], ...] = (
    Column(title="ITEM", width=20, grow=4, show=lambda item, now: cell(item.title)),
    Column(title="JOB", width=12, drop=5, show=lambda item, now: cell(item.job, "muted")),
    Column(title="STATE", width=10, show=lambda item, now: item_state(item)),
    Column(title="STAGE", width=10, drop=3, show=lambda item, now: cell(item.stage, "muted")),
    Column(title="PRI", width=3, show=lambda item, now: priority(item.priority)),
    Column(
        title="TRY", width=3, align="right", drop=7, show=lambda item, now: Cell(str(item.attempts or "-"), "muted")
    ),
    Column(title="AGE", width=5, align="right", drop=1, show=lambda item, now: Cell(age(now, item.created_at))),
    Column(title="WHY", width=14, grow=3, drop=2, show=lambda item, now: _why(item, now)),
    Column(title="PLACE", width=18, grow=2, drop=6, show=lambda item, now: place(item.path, item.line)),
)


def _why(item: ItemView, now: int) -> Cell:
    if item.state == "snoozed" and item.due_at is not None:
        return cell(f"{until(now, item.due_at)}{f': {item.why}' if item.why else ''}", "muted")
    if item.why:
        return cell(item.why, "bad" if item.state == "failed" else "muted")
    if item.stage_state == "waiting":
        return Cell("a person decides", "muted")
    return Cell(until(now, item.due_at), "muted") if item.due_at is not None and item.due_at > now else Cell("")


class ItemsScreen(ItemListRoom):
    """The list of items."""

    KIND = MODE = "items"
    SORTS = ITEM_SORTS
    BINDINGS = bindings_of("items")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._unfiltered = 0
        self._back: str | None = None
        self._asked = ""
        """The filter that another screen led here with."""

    def body(self) -> Iterator[Widget]:
        """Put the inspector below or beside the list."""
        yield FilterBar(hint="words, or job: state: …", check=trouble, suggest=self.suggest, widget_id="filter")
        with Container(id="body"):
            source = ItemSource(self.desk.reader, ItemQuery(scope=self.desk.scope))
            yield VirtualTable(source, COLUMNS, self.desk.clock, widget_id="list")
            yield from self.inspector(self.inspect)

    def situation(self) -> Situation:
        """Return the marked items, or the one under the cursor."""
        items = self.chosen_items()
        row = self.table.row
        detail = self._detail
        waits = any(item.state == "waiting" or item.stage_state == "waiting" for item in items) or (
            len(items) == 1 and detail is not None and any(stage.state == "waiting" for stage in detail.stages)
        )
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            items=items,
            cursor=row,
            many=self.table.all_marked,
            rows=self.table.total,
            waits=waits,
            copyable=row.key if row is not None else "",
        )

    def show_job(self, job: str | None) -> None:
        """Show the items of one job (None: of all), keeping the rest of the filter."""
        self._back = None
        self.bar.set_value(with_job(self.bar.value, job))
        self.requery()

    def show_filtered(self, text: str, back: str | None) -> None:
        """Show what a filter lets through; Esc leads back to where it was asked for."""
        self._back, self._asked = back, text
        super().show_filtered(text, back)

    def requery(self) -> None:
        """Show what the filter and the scope let through."""
        query = narrowed(self.bar.value, ItemQuery(scope=self.desk.scope, order=self.order, reverse=self.reverse))
        self.bar.problem = trouble(self.bar.value)
        with self.reading():
            self.table.show(ItemSource(self.desk.reader, query))
        self.reload(even_frozen=True)

    def do_again(self) -> None:
        marked, shown = self.chosen(), job_of(self.bar.value)
        one_by_one = {item.job for item in marked.items}
        of = ({shown} if shown else set()) if self.table.all_marked else one_by_one
        names: dict[str, None] = {}
        with self.reading():
            for job in self.desk.reader.jobs():
                if not of or job.name in of:
                    names |= dict.fromkeys(stage.name for stage in job.stages)

        def chosen(stage: str | None) -> None:
            if stage is not None:
                self._ask_about_many("reset", f"run again from {cell(stage, limit=40).text}", {"stage": stage}, marked)

        offers = [(name, name) for name in names]
        self.app.push_screen(Picking(self.desk.clock, "Run again from which stage?", offers), chosen)

    def read(self) -> None:
        """Read count and rows again."""
        source = self.table.source
        assert isinstance(source, ItemSource)
        if source.query.scope != self.desk.scope:
            self.requery()
            return
        self.table.reload()
        if self.bar.value:
            self._unfiltered = self.desk.reader.items_count(
                ItemQuery(scope=self.desk.scope, job=job_of(self.bar.value))
            )
        self.show_counts()
        self.read_detail()

    def show_counts(self) -> None:
        """Show how many of all items, and how many are marked."""
        marked = f"   {self.table.marked:,} marked" if self.table.marked else ""
        unfiltered = self._unfiltered if self.bar.value else self.table.total
        counts = f"{'…' if self.table.searching else f'{self.table.total:,}'} of {unfiltered:,}"
        self.bar.show(scope_cells(self.desk.scope), [self.sort_cell(), Cell(counts, "muted"), Cell(marked, "wait")])

    def detail_lines(self, detail: ItemDetail, width: int) -> Sequence[Line]:
        """Return the item, its stages, and the output that tells most."""
        now = self.desk.clock.now()
        chosen = current_stage(detail)
        lines = [*header_lines(detail, now, width), (), *stage_lines(detail, chosen, now, width)]
        return [*lines, (), *part_lines(detail, chosen, "output", now, width)]

    def empty_lines(self, width: int) -> Sequence[Line]:
        """Return why the list is empty, and what would change that."""
        if self.table.searching:
            return (line(Cell("Looking through all items…", "muted")),)
        if without_job(self.bar.value):
            return (line(Cell("The filter hides every item.  Esc clears it.", "wait")),)
        if job := job_of(self.bar.value):
            if self.job_named(job) is None:
                return (line(cell(f"There is no job {job}.  Esc clears the filter.", "wait")),)
            return (
                line(cell(f"{job} has no items yet.", "strong")),
                line(Cell("1 jobs, then r looks for some now.", "muted")),
            )
        if self.desk.scope != "all":
            return (line(Cell(f"No items of {self.desk.scope} jobs.  , shows the others.", "wait")),)
        return (line(Cell("No items yet.", "strong")), line(Cell("1 jobs, then r looks for some now.", "muted")))

    def kept_filter(self) -> str:
        """Return what another screen led here with, such as one job."""
        return self._asked if self._back is not None else ""

    def sending(self, keys: set[ItemKey]) -> None:
        """Marks have done their duty; those that are set from now on are about the next deed."""
        self.clear_marks()

    def sent(self, keys: set[ItemKey]) -> None:
        """Read again; what was marked for steps of priority and the like has been done."""
        self.table.unmark(keys)
        super().sent(keys)

    def go(self, mode: str) -> None:
        """Go to another screen; here again: show the items of every job."""
        if mode == self.MODE:
            self.show_job(None)
        else:
            super().go(mode)

    def clear_filter(self) -> bool:
        """Clear what was typed, then go back to where the items were asked for, or show all."""
        if self._back is not None and self.bar.value == self._asked:
            back, self._back = self._back, None
            self.app.switch_mode(back)
        elif self._back is not None:
            self.bar.set_value(self._asked)
            self.requery()
        elif without_job(self.bar.value):
            self.bar.set_value(with_job("", job_of(self.bar.value)))
            self.requery()
        elif self.bar.value:
            self.show_job(None)
        else:
            return False
        return True


def current_stage(detail: ItemDetail) -> int:
    """Return the index of the stage that tells most: failed, running, waiting, else the last one with an output."""
    for state in ("failed", "running", "waiting", "later"):
        for index, stage in enumerate(detail.stages):
            if stage.state == state and (state != "waiting" or stage.gate is None):
                return index
    with_output = [index for index, stage in enumerate(detail.stages) if stage.output]
    return with_output[-1] if with_output else 0
