"""Triage: what waits for a person, one key for each decision, and the cursor moves on by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from textual.containers import Container
from textual.widget import Widget

from engine.contracts.commands import CommandOutcome
from engine.contracts.values import dataclass
from engine.contracts.view import ItemDetail, ItemQuery, ItemView
from rivus_tui.actions.action import Action
from rivus_tui.columns import Column
from rivus_tui.desk import Desk
from rivus_tui.filters import narrowed, trouble
from rivus_tui.format import PROPOSED, Cell, Line, age, cell, fit_line, line, place, plural, priority, prose, spread
from rivus_tui.item_page import triage_lines
from rivus_tui.possible import Situation
from rivus_tui.screens.dialog import TextPrompt, confirm
from rivus_tui.screens.item_list_room import ItemListRoom
from rivus_tui.screens.room import bindings_of
from rivus_tui.sorting import TRIAGE_SORTS
from rivus_tui.sources import ItemKey, ItemSource, item_key
from rivus_tui.widgets.filter_bar import FilterBar
from rivus_tui.widgets.lines_view import LinesView
from rivus_tui.widgets.virtual_table import VirtualTable

_BY_RULE_AT_ONCE: Final = 1_000
"""Items that one key decides by rule; one operation, one transaction."""


_TITLES: Final = 20
"""Titles that one decision leaves behind; one on more says how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """One tab of triage."""

    title: str
    filter: str
    """What is in it, in the filter's language."""
    asks: bool = True
    """Whether what is in it waits for a decision; else it is there to be looked after."""
    own: bool = True
    """Whether what is in it stands in no other one; one that shares is shown only while something is in it."""


BUCKETS: Final = (
    Bucket(title="Inbox", filter="gate:* state:waiting,failed,pending sure:high,medium"),
    Bucket(title="Bare bullets", filter="gate:* state:waiting,failed,pending sure:low"),
    Bucket(title="By rule", filter="gate:accept rule:*", own=False),
    Bucket(title="Failed", filter="state:failed", asks=False),
)

BY_RULE: Final = 2
"""The bucket of what rules propose something for."""

COLUMNS: tuple[Column[ItemView], ...] = (
    Column(title="WAITS FOR YOU", width=27, grow=3, show=lambda item, now: cell(item.title)),
    Column(title="PRI", width=3, drop=1, show=lambda item, now: priority(item.priority)),
    Column(title="AT", width=9, drop=4, show=lambda item, now: cell(item.stage, "muted")),
    Column(title="PLACE", width=14, grow=1, drop=2, show=lambda item, now: _place(item)),
    Column(
        title="AGE", width=5, align="right", drop=3, show=lambda item, now: Cell(age(now, item.created_at), "muted")
    ),
)

RULED_COLUMNS: tuple[Column[ItemView], ...] = (
    Column(
        title="RULE SAYS",
        width=9,
        show=lambda item, now: cell(PROPOSED.get(item.proposed or "", item.proposed), "wait"),
    ),
    *COLUMNS,
)


def _place(item: ItemView) -> Cell:
    return place(item.path, item.line) if item.path else cell(item.job, "muted")


class TriageScreen(ItemListRoom):
    """The list of items that wait for a person."""

    KIND = MODE = "triage"
    SORTS = TRIAGE_SORTS
    BINDINGS = bindings_of("triage")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._bucket = 0
        self._turned = False
        """Whether a person has chosen the bucket."""
        self._counts = [0 for _ in BUCKETS]
        self._titles: dict[ItemKey, str] = {}
        """Titles of what was decided, for the line that says so: the rows are gone by then."""

    def body(self) -> Iterator[Widget]:
        """Put the item below or beside the list."""
        yield FilterBar(hint="words, or file: prio: …", check=trouble, suggest=self.suggest, widget_id="filter")
        with Container(id="body", classes="-triage"):
            with Container(id="list-side"):
                yield VirtualTable(
                    ItemSource(self.desk.reader, self._query(0)), COLUMNS, self.desk.clock, widget_id="list"
                )
                yield LinesView(self._progress, widget_id="progress", hug=True)
            yield from self.inspector(self.inspect)

    def chosen_items(self) -> tuple[ItemView, ...]:
        """Return the marked items, or the one under the cursor; none that a command is on its way for."""
        keys = self.table.busy
        return tuple(item for item in self.table.chosen if (item.job, item.key) not in keys)

    def situation(self) -> Situation:
        """Return the marked items, or the one under the cursor."""
        items = self.chosen_items()
        row = self.table.row
        return Situation(
            screen=self.KIND,
            read_only=self.desk.read_only,
            items=items,
            cursor=row,
            many=self.table.all_marked,
            rows=self.table.total,
            waits=bool(items) and BUCKETS[self._bucket].asks,
            proposed=sum(1 for item in items if item.proposed) if self.table.marks else self._counts[BY_RULE],
            copyable=row.key if row is not None else "",
        )

    def label(self, action: Action) -> str:
        """Return the bucket that comes next, or how many a decision is about, when some are marked."""
        if action.id == "next_part":
            return BUCKETS[self._next(1)].title
        return super().label(action)

    def _query(self, bucket: int, text: str = "") -> ItemQuery:
        query = ItemQuery(scope=self.desk.scope, order=self.order, reverse=self.reverse)
        return narrowed(f"{BUCKETS[bucket].filter} {text}", query)

    def requery(self) -> None:
        """Show what waits in this bucket and scope and passes the filter."""
        self.bar.problem = trouble(self.bar.value)
        with self.reading():
            columns = RULED_COLUMNS if self._bucket == BY_RULE else COLUMNS
            self.table.show(ItemSource(self.desk.reader, self._query(self._bucket, self.bar.value)), columns)
        self.reload(even_frozen=True)

    def read(self) -> None:
        """Read counts and rows again."""
        source = self.table.source
        assert isinstance(source, ItemSource)
        if source.query.scope != self.desk.scope:
            self.requery()
            return
        self._counts = [self.desk.reader.items_count(self._query(index)) for index in range(len(BUCKETS))]
        if (
            not self._turned
            and not self._counts[self._bucket]
            and any(self._counts)
            and not self.bar.value
            and not self.desk.session.triaged
        ):
            # The first look goes to the bucket that has something in it.
            self._bucket = next(index for index, number in enumerate(self._counts) if number)
            self.requery()
            return
        self.table.reload()
        self.show_counts()
        self.read_detail()

    def show_counts(self) -> None:
        """Show how many wait in each bucket, how many are marked, and how far triage has come."""
        left: list[Cell] = []
        for index, bucket in enumerate(BUCKETS):
            if not bucket.own and not self._counts[index] and index != self._bucket:
                continue
            text = f"{bucket.title} {self._counts[index]:,}"
            left.append(Cell(f"[{text}]", "strong") if index == self._bucket else Cell(f" {text} ", "muted"))
        if self.desk.scope != "all":
            left.append(Cell(f"   {self.desk.scope} jobs", "wait"))
        marked = f"{self.table.marked:,} marked   " if self.table.marked else ""
        right = [
            Cell(marked, "wait"),
            self.sort_cell(),
            Cell(f"{self.table.total:,} of {self._counts[self._bucket]:,}", "muted"),
        ]
        self.bar.show(left, right)
        self.query_one("#progress", LinesView).redraw()

    def _progress(self, width: int) -> Sequence[Line]:
        session = self.desk.session
        left = sum(number for bucket, number in zip(BUCKETS, self._counts, strict=True) if bucket.asks and bucket.own)
        done = session.triaged
        parts = [Cell(f"{done:,} triaged this session, {left:,} left", "muted")]
        total = done + left
        if done and total:
            full = max(1, 12 * done // total)
            parts = [Cell("#" * full, "ok"), Cell("." * (12 - full), "muted"), Cell(" "), *parts]
        lines = [spread(parts, [], width)]
        if (last := session.last_decision) is not None:
            undo = [Cell("u undo", "strong")] if last.operation is not None else []
            title = self._titles.get((last.job or "", last.keys[0])) if len(last.keys) == 1 else None
            about = [Cell("  "), cell(title, "muted")] if title is not None else []
            lines.append(spread([Cell("last: ", "muted"), cell(last.message), *about], undo, width))
        return lines

    def detail_lines(self, detail: ItemDetail, width: int) -> Sequence[Line]:
        """Return what a person needs to decide."""
        return triage_lines(detail, self.desk.clock.now(), width)

    def empty_lines(self, width: int) -> Sequence[Line]:
        """Return why nothing is shown, and what would change that."""
        if self.bar.value:
            return (line(Cell("The filter hides everything that waits.  Esc clears it.", "wait")),)
        others = [(index, number) for index, number in enumerate(self._counts) if number and index != self._bucket]
        if others:
            index, number = others[0]
            return (line(cell(f"Nothing here.  ] shows {BUCKETS[index].title} ({number:,}).", "wait")),)
        if self.desk.scope != "all":
            return (line(Cell(f"Nothing of {self.desk.scope} jobs waits.  , shows the others.", "wait")),)
        return (
            fit_line([Cell("Nothing waits for you.", "ok")], width),
            *prose("New items appear here when a job finds some. Press 1 for the jobs; there r looks now.", width),
        )

    def sending(self, keys: set[ItemKey]) -> None:
        """Move on at once; the row goes when the engine has answered."""
        self._titles |= {item_key(item): item.title for item in self.chosen_items()[:_TITLES]}
        self.table.busy |= keys
        self.table.clear_marks()
        self.table.step_off(set(self.table.busy))

    def sent(self, keys: set[ItemKey]) -> None:
        """Read again; what was decided is off the list."""
        self.table.busy -= keys
        super().sent(keys)

    def report(self, name: str, *outcomes: CommandOutcome) -> None:
        """Leave it to the list and the progress line to show a decision; a toast for each would only be in the way."""
        if told := [outcome for outcome in outcomes if not outcome.ok or outcome.skipped]:
            super().report(name, *told)

    def do_add(self) -> None:
        job = self._adds_to()

        async def add(title: str) -> None:
            outcome = await self.desk.perform("add", {"job": job, "title": title})
            super(TriageScreen, self).report("add", outcome)  # the list may not show it: it is said
            self.reload(even_frozen=True)

        def named(value: str | None) -> None:
            if value is not None:
                self.carry_out(add(value))

        self.app.push_screen(TextPrompt(f"Add to {job}", "What is to be done?"), named)

    def _adds_to(self) -> str:
        """Return the job that takes what a person adds: that of the row under the cursor, else the one for TODOs."""
        row = self.table.row
        return row.job if row is not None and self.job_is_internal(row.job) else "todos"

    def job_is_internal(self, name: str) -> bool:
        """Return whether a job looks after the codebase."""
        job = self.job_named(name)
        return job is not None and job.internal

    def do_by_rule(self) -> None:
        if self.table.marks:
            self._maybe_ask_by_rule(tuple(item for item in self.chosen_items() if item.proposed))
            return
        with self.reading():
            query = self._query(BY_RULE, self.bar.value)
            self._maybe_ask_by_rule(tuple(self.desk.reader.items_page(query, None, _BY_RULE_AT_ONCE)))

    def _maybe_ask_by_rule(self, items: tuple[ItemView, ...]) -> None:
        """Ask, with what would become of how many; for one there is nothing to count."""
        if not items:
            self.say("no rule of triage proposes anything for these", "warning")
            return
        if len(items) == 1:
            self.send("triage", items, {})
            return
        parts = Counter(item.proposed for item in items)
        text = [f"{PROPOSED.get(do or '', f'set {do} for')} {n:,}" for do, n in sorted(parts.items(), key=str)]
        more = self._counts[BY_RULE] > len(items) == _BY_RULE_AT_ONCE
        text = [", ".join(text) + (", the first of more." if more else "."), "One u takes all of it back."]
        dialog = confirm(self.desk.clock, f"Do by rule: {plural(len(items), 'item')}?", text, "do it", "leave them")
        self.app.push_screen(dialog, self._if_yes(lambda: self.send("triage", items, {})))

    def do_next_part(self) -> None:
        self._turn(1)

    def do_previous_part(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        self._bucket, self._turned = self._next(step), True
        self.requery()

    def _next(self, step: int) -> int:
        """The bucket before or after this one; one that shares its items with others is passed over while empty."""
        index = (self._bucket + step) % len(BUCKETS)
        return index if BUCKETS[index].own or self._counts[index] else (index + step) % len(BUCKETS)
