"""The rows of the stale screen, and what stands beside the list: price, what depends on it, why, the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from engine.contracts.costs import BudgetView
from engine.contracts.staleness import BlessingView, StaleView, SymbolChange
from engine.contracts.values import dataclass
from rivus_tui.format import Cell, Line, cell, count, duration, fit_line, hang, line, moment, money, plural
from rivus_tui.source_lines import beside_lines, diff_lines, whole

Differences: TypeAlias = Callable[[str | None, str | None, int], list[Line]]
"""Shows old and new code in a width."""


@dataclass(frozen=True, slots=True)
class Style:
    """How differences are shown."""

    beside: bool = False
    """Old and new code side by side."""
    spaces: bool = True
    """Lines that differ in white space only are shown, too."""

    def lines(self, old: str | None, new: str | None, width: int) -> list[Line]:
        """Return the difference of two texts."""
        found = (beside_lines if self.beside else diff_lines)(old, new, width, spaces=self.spaces)
        if not found and not self.spaces and old != new:
            return [line(Cell("only white space differs  (i shows it)", "wait"))]
        return found


_PLAIN: Final = Style()
_NAMED: Final = 6
"""Lines of a question that name what is marked."""
_LINES: Final = 120
"""Lines of one symbol's difference at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StaleRow:
    """One line of the list: stale results, or versions that were made the same."""

    change: str
    """The symbol whose change matters most, or what is known instead."""
    stale: StaleView | None = None
    kept: BlessingView | None = None

    @property
    def job(self) -> str:
        """Name of its job."""
        view = self.stale or self.kept
        return view.job if view is not None else ""

    @property
    def stage(self) -> str:
        """Name of its stage."""
        view = self.stale or self.kept
        return view.stage if view is not None else ""

    @property
    def by(self) -> str | None:
        """Who said what is known of it."""
        view = self.stale or self.kept
        return view.by if view is not None else None

    @property
    def key(self) -> str:
        """What it is known by in the list."""
        if self.kept is not None:
            return f"kept {self.kept.judgement}"
        return f"{self.job}.{self.stage} {self.stale.old if self.stale else ''}"


def rows_of(stale: Sequence[StaleView], kept: Sequence[BlessingView]) -> list[StaleRow]:
    """Return the list: by changed symbol, the one that makes most results stale first, then by stage; then what was
    kept."""
    weights: dict[str, int] = {}
    for view in stale:
        weights[_change_of(view)] = weights.get(_change_of(view), 0) + view.results
    ordered = sorted(stale, key=lambda view: (-weights[_change_of(view)], _change_of(view), -view.results))
    rows = [StaleRow(change=_change_of(view), stale=view) for view in ordered]
    return [*rows, *(StaleRow(change="", kept=one) for one in kept)]


def _change_of(view: StaleView) -> str:
    if not view.changes:
        return "unknown code"
    first = view.changes[0]
    place = first.place.rpartition("/")[2].partition(":")[0]
    return f"{place}:{first.name}" if place else first.name


def page(
    row: StaleRow,
    now: int,
    width: int,
    *,
    style: Style = _PLAIN,
    budget: BudgetView | None = None,
    changes: Sequence[SymbolChange] = (),
) -> list[Line]:
    """Return what is known of a row; `budget`: what all jobs together may spend today; `changes`: what differs
    between versions that were made the same."""
    if row.stale is not None:
        return _stale_page(row.stale, now, width, style.lines, budget)
    if row.kept is not None:
        return [*_kept_page(row.kept, now, width), *_change_lines(changes, width, style.lines)]
    return []


def _stale_page(
    view: StaleView, now: int, width: int, differences: Differences, budget: BudgetView | None
) -> list[Line]:
    old, new = (view.old or "unknown")[:6], (view.new or "unknown")[:6]
    lines: list[Line] = [
        fit_line([cell(f"{view.job}.{view.stage}", "strong"), Cell(f"  {old} -> {new}", "muted")], width),
        *hang([Cell("If reset  ", "muted"), cell(price_of(view))], width),
    ]
    if budget is not None:
        lines += hang([Cell("Left today  ", "muted"), *left_cells(budget, cost_of([view]))], width)
    if view.downstream:
        takes = ", ".join(f"{name} {n:,}" for name, n in view.downstream) + along_told(view)
        lines += hang([Cell("Takes along  ", "muted"), cell(takes)], width)
    said = f"{view.by}, {moment(view.at, now)}" if view.by and view.at else "nobody yet"
    sure = f", sure to {view.confidence:.0%}" if view.confidence is not None else ""
    cost = f", for {money(view.cost_usd_micros)}" if view.cost_usd_micros else ""
    lines += hang(
        [Cell("Verdict  ", "muted"), Cell(f"{view.verdict}  ", "wait"), cell(f"by {said}{sure}{cost}")], width
    )
    lines += hang([Cell("Why  ", "muted"), cell(view.why, limit=500)], width)
    for doubt in view.doubts:
        lines += hang([Cell("Not all is seen  ", "wait"), cell(doubt, limit=300)], width)
    lines += _change_lines(view.changes, width, differences)
    if view.old is None:
        lines += [line(""), *hang([cell("There is no source to compare with: reset, or keep them.", "muted")], width)]
    return lines


def _change_lines(changes: Sequence[SymbolChange], width: int, differences: Differences) -> list[Line]:
    lines: list[Line] = []
    for change in changes:
        word = "new here" if change.old is None else "not reached any more" if change.new is None else "changed"
        harmless = "  (cannot reach an output)" if change.is_cosmetic else ""
        lines += [
            line(""),
            fit_line(
                [cell(change.name, "head"), Cell(f"  {word}{harmless}  ", "muted"), cell(change.place, "muted")], width
            ),
            *whole(differences(change.old, change.new, width), _LINES),
        ]
    return lines


def _kept_page(view: BlessingView, now: int, width: int) -> list[Line]:
    return [
        fit_line(
            [cell(f"{view.job}.{view.stage}", "strong"), Cell(f"  {view.old[:6]} = {view.new[:6]}", "muted")], width
        ),
        *hang(
            [Cell("Kept  ", "muted"), cell(f"{plural(view.results, 'result')}, {moment(view.at, now)} by {view.by}")],
            width,
        ),
        *hang([Cell("Why  ", "muted"), cell(view.why, limit=500)], width),
        line(""),
        *hang([cell("X takes this back: the results are stale again then.", "muted")], width),
    ]


def along_told(view: StaleView) -> str:
    """Return what the stages that a reset takes along add to its price; nothing where that is nothing."""
    if not view.downstream_ms and not view.downstream_usd_micros:
        return ""
    return f", about {duration(view.downstream_ms)} and {money(view.downstream_usd_micros)} more"


def cost_of(views: Sequence[StaleView]) -> int:
    """Return what a reset of all these costs, with what each takes along but once."""
    own = {(view.job, view.stage) for view in views}
    along = sum(
        view.downstream_usd_micros for view in views if not all((view.job, name) in own for name, _ in view.downstream)
    )
    return sum(view.reset_usd_micros for view in views) + along


def left_cells(budget: BudgetView, price: int) -> list[Cell]:
    """Return what is left of the money of today, and whether a price fits into it."""
    left = budget.limit_usd_micros - budget.spent_usd_micros - budget.reserved_usd_micros
    told = cell(f"{money(max(left, 0))} of {money(budget.limit_usd_micros)}")
    if price <= left:
        return [told, Cell("  enough", "ok")]
    return [told, Cell("  less than this costs", "bad")]


def price_of(view: StaleView) -> str:
    """Return what a reset takes, in words."""
    each = f"{duration(view.item_ms)}, {money(view.item_usd_micros)} each" if view.results > 1 else ""
    whole_price = (
        f"{plural(view.results, 'result')}, about {duration(view.reset_ms)} and {money(view.reset_usd_micros)}"
    )
    return f"{whole_price} ({each})" if each else whole_price


def targets_told(rows: Sequence[StaleRow]) -> list[str]:
    """Return which results several rows are about, a line each, at most a few."""
    told = [f"{row.stale.results:,} of {row.job}.{row.stage}" for row in rows if row.stale is not None]
    return told if len(told) <= _NAMED else [*told[: _NAMED - 1], f"and {len(told) - _NAMED + 1} more"]


def reset_told(rows: Sequence[StaleRow], budget: BudgetView | None) -> tuple[str, list[str]]:
    """Return the question before a reset of these rows: its title, and what it takes along and costs."""
    views = [row.stale for row in rows if row.stale is not None]
    results = sum(view.results for view in views)
    if len(views) == 1:
        (view,) = views
        also = ", ".join(f"{n:,} of {name}" for name, n in view.downstream)
        text = [f"{plural(results, 'result')} of {view.job}.{view.stage} will be made again."]
        whole_price, more = price_of(view), along_told(view)
    else:
        own = {(view.job, view.stage) for view in views}
        taken = {(view.job, name): n for view in views for name, n in view.downstream if (view.job, name) not in own}
        also = ", ".join(f"{n:,} of {job}.{name}" for (job, name), n in taken.items())
        text = [f"{plural(results, 'result')} of {len(views)} stages will be made again:", *targets_told(rows)]
        more = ""
        ms, micros = sum(view.reset_ms for view in views), sum(view.reset_usd_micros for view in views)
        whole_price = f"{plural(results, 'result')}, about {duration(ms)} and {money(micros)}"
    text.append(f"Price: {whole_price}.")
    text += [f"With them: {also}{more}."] if also else []
    if budget is not None:
        left = ", ".join(part.text.strip() for part in left_cells(budget, cost_of(views)))
        text.append(f"Left today: {left}.")
    return f"Reset {plural(results, 'result')}?", [*text, "It can be undone until one of them starts."]


def results_cell(row: StaleRow) -> Cell:
    """Return the number of results of a row."""
    view = row.stale or row.kept
    return Cell(count(view.results) if view is not None else "", "" if row.stale is not None else "muted")
