"""What happened since a person was here last, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from engine.contracts.since import JobSince, SinceView
from rivus_tui.format import Cell, Line, cell, moment, money, plural

AWAY_MS = 10 * 60_000
"""Who was away for less is told nothing when the room opens."""


def since_lines(view: SinceView, now: int) -> list[Line]:
    """Return what finished, failed, was spent, and waits."""
    return [*_happened(view), (), *_stands(view, now)]


def _happened(view: SinceView) -> Iterator[Line]:
    if view.is_quiet:
        yield (Cell("Nothing happened.", "muted"),)
    for job in view.jobs:
        yield (cell(job.job, "strong"), Cell("  "), *_parts(job))
    if len(view.jobs) > 1:
        spent = sum(job.usd_micros for job in view.jobs)
        yield (Cell(f"spent in all  {money(spent)}", "muted"),)
    for label in view.incidents:
        yield (Cell("! ", "bad"), cell(label, limit=120))
    if view.incidents_open > len(view.incidents):
        yield (Cell(f"  and {view.incidents_open - len(view.incidents)} more incidents; 4 shows them", "muted"),)
    if view.deeds:
        said = ", ".join(f"{name} ({n:,})" if n > 1 else name for name, n in view.deeds.items())
        yield (Cell("done by hand  ", "muted"), cell(said))


def _parts(job: JobSince) -> Iterator[Cell]:
    told = (
        (job.finished, Cell(f"{job.finished:,} done", "ok")),
        (job.failed, Cell(f"{job.failed:,} given up", "bad")),
        (job.new, Cell(f"{job.new:,} new")),
        (job.usd_micros, Cell(money(job.usd_micros), "wait")),
    )
    for position, part in enumerate(part for n, part in told if n):
        yield Cell(f"{', ' if position else ''}{part.text}", part.role)


def _stands(view: SinceView, now: int) -> Iterator[Line]:
    if view.waiting:
        verb = "waits" if view.waiting == 1 else "wait"
        yield (Cell("# ", "wait"), Cell(f"{plural(view.waiting, 'item')} {verb} for you; 3 shows them"))
    if view.failed:
        verb = "stands" if view.failed == 1 else "stand"
        yield (Cell("x ", "bad"), Cell(f"{plural(view.failed, 'item')} {verb} failed"))
    for job, why in view.paused.items():
        yield (Cell("= ", "wait"), cell(f"{job} does not work: {why}", limit=160))
    yield (Cell(f"As of {moment(now, 0)}; sums are kept by the hour.", "muted"),)
