"""The rows of the stale screen, and what stands beside the list: price, what depends on it, why, the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from engine.contracts.staleness import BlessingView, StaleView
from engine.contracts.values import dataclass
from rivus_tui.format import Cell, Line, cell, count, duration, fit_line, hang, line, moment, money, plural
from rivus_tui.source_lines import beside_lines, diff_lines, whole

Differences: TypeAlias = Callable[[str | None, str | None, int], list[Line]]
"""Shows old and new code in a width."""
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


def page(row: StaleRow, now: int, width: int, *, beside: bool = False) -> list[Line]:
    """Return what is known of a row; `beside` puts old and new code side by side."""
    if row.stale is not None:
        return _stale_page(row.stale, now, width, beside_lines if beside else diff_lines)
    if row.kept is not None:
        return _kept_page(row.kept, now, width)
    return []


def _stale_page(view: StaleView, now: int, width: int, differences: Differences) -> list[Line]:
    old, new = (view.old or "unknown")[:6], (view.new or "unknown")[:6]
    lines: list[Line] = [
        fit_line([cell(f"{view.job}.{view.stage}", "strong"), Cell(f"  {old} -> {new}", "muted")], width),
        *hang([Cell("If reset  ", "muted"), cell(price_of(view))], width),
    ]
    if view.downstream:
        takes = ", ".join(f"{name} {n:,}" for name, n in view.downstream)
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
    for change in view.changes:
        word = "new here" if change.old is None else "not reached any more" if change.new is None else "changed"
        harmless = "  (cannot reach an output)" if change.is_cosmetic else ""
        lines += [
            line(""),
            fit_line(
                [cell(change.name, "head"), Cell(f"  {word}{harmless}  ", "muted"), cell(change.place, "muted")], width
            ),
            *whole(differences(change.old, change.new, width), _LINES),
        ]
    if view.old is None:
        lines += [line(""), *hang([cell("There is no source to compare with: reset, or keep them.", "muted")], width)]
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


def price_of(view: StaleView) -> str:
    """Return what a reset takes, in words."""
    each = f"{duration(view.item_ms)}, {money(view.item_usd_micros)} each" if view.results > 1 else ""
    whole_price = (
        f"{plural(view.results, 'result')}, about {duration(view.reset_ms)} and {money(view.reset_usd_micros)}"
    )
    return f"{whole_price} ({each})" if each else whole_price


def results_cell(row: StaleRow) -> Cell:
    """Return the number of results of a row."""
    view = row.stale or row.kept
    return Cell(count(view.results) if view is not None else "", "" if row.stale is not None else "muted")
