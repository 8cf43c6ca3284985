"""Hours that have passed, for a look: throughput, spend and backlog as blocks, and a job as it stood then. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from engine.contracts.history import HourView
from engine.contracts.view import JobView, StageView
from rivus_tui.format import Cell, Line, count, fit_line, money
from rivus_tui.spark import sparkline

HOUR_MS: Final = 3_600_000
SHOWN: Final = 24
"""Hours that are drawn."""
KNOWN_MS: Final = 7 * 24 * HOUR_MS
"""How far a person may look back."""

Value = Callable[[HourView], int]


def series(hours: Iterable[HourView], now: int, value: Value) -> list[int]:
    """Return one value for each of the last 24 hours, the one that passes last; 0 where nothing is known."""
    last = now - now % HOUR_MS
    known: dict[int, int] = {}
    for one in hours:
        known[one.hour] = known.get(one.hour, 0) + value(one)
    return [known.get(last - back * HOUR_MS, 0) for back in range(SHOWN - 1, -1, -1)]


def throughput(hours: Iterable[HourView], now: int, width: int) -> str:
    """Return what was settled in the last 24 hours as `width` blocks."""
    values = series(hours, now, lambda one: one.settled)
    each = -(-SHOWN // width)
    return sparkline([sum(values[at : at + each]) for at in range(0, SHOWN, each)], width)


def history_lines(hours: Sequence[HourView], now: int, width: int) -> list[Line]:
    """Return throughput, spend and backlog of the last 24 hours, each a line; what there was none of is left out."""
    lines: list[Line] = []
    settled = series(hours, now, lambda one: one.settled)
    if any(settled):
        told = f"  {count(sum(settled))} settled in 24 hours, {count(max(settled))} in the best"
        lines.append(_row("throughput", settled, told, width))
    spent = series(hours, now, lambda one: one.usd_micros)
    if any(spent):
        lines.append(
            _row("spend", spent, f"  {money(sum(spent))} in 24 hours, {money(max(spent))} in the dearest", width)
        )
    backlog = series(hours, now, lambda one: one.backlog)
    if any(backlog):
        lines.append(_row("backlog", backlog, f"  {count(backlog[-1])} now, {count(max(backlog))} at most", width))
    return lines


def _row(name: str, values: Sequence[int], told: str, width: int) -> Line:
    return fit_line([Cell(f"{name:11}", "muted"), Cell(sparkline(values, SHOWN), "run"), Cell(told, "muted")], width)


def earlier_hours(history: Mapping[str, Sequence[HourView]], now: int) -> list[int]:
    """Return the starts of the hours before this one of which it is known how jobs stood, the newest first."""
    this = now - now % HOUR_MS
    known = {one.hour for hours in history.values() for one in hours if one.state is not None and one.hour < this}
    return sorted(known, reverse=True)


def stood(job: JobView, hours: Sequence[HourView], hour: int) -> JobView | None:
    """Return a job as it stood at the end of an hour; None when it was not there."""
    found = next((one for one in hours if one.hour == hour and one.state is not None), None)
    if found is None or found.state is None:
        return None
    then = StageView(
        name="", position=0, handler="", after=(), gate=None, enabled=True, concurrency=1,
        counts={"ready": found.ready, "running": found.running, "later": found.later},
    )  # fmt: skip
    return replace(
        job, state=found.state, why=None, stages=(then,), last_run=None, next_run_at=None, oldest_ready_at=None,
        last_error=None, holds=(), items={"done": found.done, "failed": found.failed, "waiting": found.waiting},
    )  # fmt: skip
