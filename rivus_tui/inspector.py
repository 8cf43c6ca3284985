"""One job in lines: what it is, its stages with their counts, why it does not run, its last run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.contracts.states import STAGE_STATES
from engine.contracts.view import JobView, RunView, StageView
from rivus_tui.format import Cell, Line, age, cell, count, duration, every, fit, fit_line, hang, moment, spread, until
from rivus_tui.graph import job_graph
from rivus_tui.states import job_state
from rivus_tui.theme import Role
from rivus_tui.why import why_job

_SHOWN: Final = tuple(state for state in STAGE_STATES if state != "blocked")
_SHORT: Final = {"running": "run", "skipped": "skip", "failed": "fail", "waiting": "wait"}
_COLUMN: Final = 7


def job_lines(job: JobView, now: int, width: int, *, has_engine: bool) -> list[Line]:
    """Return the inspector of a job, at most `width` cells wide."""
    name = " ".join(part for part in (job.emoji, job.title or job.name) if part)
    lines: list[Line] = [spread([cell(name, "strong"), Cell("  "), job_state(job)], [_rhythm(job)], width)]
    if job.is_check:
        target = f"a check; its findings go to {job.findings_to}" if job.findings_to else "a check"
        lines.append(fit_line([cell(target, "muted")], width))
    for reason in why_job(job, now, has_engine=has_engine):
        lines += hang(reason, width)
    if job.stages:
        lines += [(), *stage_table(job.stages, width)]
    if drawn := job_graph(job.stages, width):
        lines += [(), *drawn]
    if job.last_run is not None:
        lines += [(), *hang(run_line(job.last_run, now), width)]
        if job.next_run_at is not None:
            lines.append(fit_line([Cell("next run  ", "muted"), Cell(until(now, job.next_run_at))], width))
    elif job.next_run_at is not None:
        lines += [(), fit_line([Cell("first run ", "muted"), Cell(until(now, job.next_run_at))], width)]
    if job.last_error:
        lines += hang([Cell("last error  ", "muted"), cell(job.last_error, "bad")], width)
    return lines


def stage_table(stages: Sequence[StageView], width: int) -> list[Line]:
    """Return one line for each stage with its counts; states that are nowhere are left out."""
    states = [state for state in _SHOWN if any(stage.counts.get(state) for stage in stages)] or ["ready", "done"]
    wide = min(_COLUMN, (width - 12) // max(len(states), 1))
    heads = [_SHORT.get(state, state).upper() for state in states]
    # Where there is little room, a column is as wide as its head and a blank.
    columns = [max(len(head) + 1, wide) for head in heads]
    size = max(7, min(28, width - sum(columns)))
    header = [Cell(fit("STAGE", size), "head")]
    header += [Cell(fit(head, column, "right"), "head") for head, column in zip(heads, columns, strict=True)]
    lines: list[Line] = [fit_line(header, width)]
    for stage in stages:
        label = stage.name if stage.enabled else f"{stage.name} (off)"
        if stage.gate:
            label = f"{label} #{stage.gate}"
        row = [Cell(fit(cell(label).text, size), "" if stage.enabled else "muted")]
        for state, column in zip(states, columns, strict=True):
            number = stage.counts.get(state, 0)
            role: Role = "muted" if not number else "bad" if state == "failed" else "wait" if state == "waiting" else ""
            row.append(Cell(fit(count(number), column, "right"), role))
        lines.append(fit_line(row, width))
    return lines


def run_line(run: RunView, now: int) -> Line:
    """Return one run: when, how long, what it found."""
    head = (Cell("last run  ", "muted"), Cell(f"{moment(run.started_at, now)}  "))
    if run.state == "running":
        return (*head, Cell("running ", "run"), Cell(f"for {age(now, run.started_at)}, {run.found:,} found so far"))
    took = duration(run.ended_at - run.started_at) if run.ended_at is not None else "?"
    if run.state == "failed":
        return (*head, Cell(f"failed after {took}: ", "bad"), cell(run.error or "no reason given"))
    cut = (Cell("cut short  ", "wait"),) if run.state == "cut" else ()
    counts = f"{run.found:,} found, {run.new:,} new, {run.changed:,} changed, {run.gone:,} gone  in {took}"
    problems = (Cell(f"  {run.problems:,} unreadable", "wait"),) if run.problems else ()
    return (*head, *cut, Cell(counts), *problems)


def _rhythm(job: JobView) -> Cell:
    kind = "internal" if job.internal else "external"
    rhythm = f"every {every(job.every_s)}" if job.every_s else f"at {job.cron}" if job.cron else "when asked"
    return cell(f"{kind}, {rhythm}", "muted")
