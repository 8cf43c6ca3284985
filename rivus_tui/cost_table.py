"""Columns of sums of money: each with its share of the whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.contracts.costs import CostView
from rivus_tui.columns import Column
from rivus_tui.format import Cell, cell, duration, money
from rivus_tui.spark import bar

_BAR: Final = 10


def columns_of(group: str, rows: Sequence[CostView]) -> tuple[Column[CostView], ...]:
    """Return the columns for sums by one thing; what stages cost is known by attempt, not by call.

    `rows`: all sums, of which each shows its share.
    """
    whole = sum(row.usd_micros for row in rows)
    name: Column[CostView] = Column(title=group.upper(), width=12, grow=1, show=lambda row, now: cell(row.name))
    share: Column[CostView] = Column(title="SHARE", width=_BAR, drop=3, show=lambda row, now: _share(row, whole))
    runs: Column[CostView] = Column(
        title="RUNS" if group == "stage" else "CALLS", width=7, align="right", drop=4,
        show=lambda row, now: Cell(f"{row.calls:,}"),
    )  # fmt: skip
    return (name, _COST, share, runs, *_FAILED, *(() if group == "stage" else _ASKED))


def _share(row: CostView, whole: int) -> Cell:
    return Cell("#" * len(bar(row.usd_micros, whole, _BAR).rstrip(".")), "run")


def _cached(row: CostView) -> Cell:
    asked = row.calls + row.cached
    return Cell(f"{100 * row.cached // asked}%" if asked else "-", "muted")


_COST: Final[Column[CostView]] = Column(
    title="COST", width=9, align="right",
    show=lambda row, now: Cell(money(row.usd_micros) + ("?" if row.unpriced else ""), "wait" if row.unpriced else ""),
)  # fmt: skip
_FAILED: Final[tuple[Column[CostView], ...]] = (
    Column(
        title="FAILED", width=6, align="right", drop=2,
        show=lambda row, now: Cell(f"{row.failed:,}", "bad" if row.failed else "muted"),
    ),
    Column(
        title="FAILED$", width=7, align="right", drop=6,
        show=lambda row, now: Cell(money(row.failed_usd_micros), "bad" if row.failed_usd_micros else "muted"),
    ),
)  # fmt: skip
_ASKED: Final[tuple[Column[CostView], ...]] = (
    Column(title="CACHED", width=6, align="right", drop=7, show=lambda row, now: _cached(row)),
    Column(
        title="P95", width=6, align="right", drop=5,
        show=lambda row, now: Cell("-" if row.p95_ms is None else duration(row.p95_ms), "muted"),
    ),
    Column(
        title="TOKENS IN", width=11, align="right", drop=8, show=lambda row, now: Cell(f"{row.tokens_in:,}", "muted")
    ),
    Column(title="OUT", width=9, align="right", drop=9, show=lambda row, now: Cell(f"{row.tokens_out:,}", "muted")),
)  # fmt: skip
