"""Why something does not run, and what would change that: every reason the rows tell, the nearest first. Pure."""

from __future__ import annotations

from typing import Final

from engine.contracts.view import HoldView, ItemDetail, ItemStageView, JobView
from rivus_tui.format import Cell, Line, age, cell, line, plural, until


def why_job(job: JobView, now: int, *, has_engine: bool) -> list[Line]:
    """Return why a job does nothing at this moment; one line when nothing holds it."""
    reasons: list[Line] = []
    if job.state == "broken":
        why = f"broken: {job.why or 'its handler cannot be used'}"
        reasons.append(line(Cell("! ", "bad"), cell(why), Cell("   e opens jobs.yaml there")))
    elif job.state == "paused":
        ends = f", goes on {until(now, job.paused_until)}" if job.paused_until is not None else ""
        reasons.append(
            line(Cell("= ", "wait"), cell(f"paused: {job.why or 'by a person'}{ends}"), Cell(f"   {_way_on(job)}"))
        )
    elif job.state == "removed":
        reasons.append(line(Cell("- ", "muted"), Cell("no longer in jobs.yaml; its items stay")))
    if not has_engine:
        reasons.append(line(Cell("! ", "wait"), Cell("no engine runs here")))
    reasons += [_held(hold, now) for hold in job.holds if hold.gate != "job"]
    if job.last_run is not None and job.last_run.state == "failed":
        reasons.append(line(Cell("x ", "bad"), cell(f"its last run failed: {job.last_run.error or 'no reason given'}")))
    if failed := job.count("failed"):
        reasons.append(
            line(
                Cell("x ", "bad"),
                cell(f"{plural(failed, 'item')} failed"),
                Cell("   Enter lists items, there r tries again"),
            )
        )
    if job.count("running"):
        reasons.append(line(Cell("> ", "run"), cell(f"{plural(job.count('running'), 'item')} running now")))
    if job.count("ready") and has_engine and job.state == "active":
        since = f", the oldest for {age(now, job.oldest_ready_at)}" if job.oldest_ready_at is not None else ""
        reasons.append(line(Cell("o "), cell(f"{plural(job.count('ready'), 'item')} ready{since}")))
    if not reasons:
        text = "nothing to do: every item is settled"
        if job.last_run is None and not job.items:
            text = "nothing yet: it has not looked for items"
        if job.next_run_at is not None:
            text += f"; looks for more {until(now, job.next_run_at)}"
        elif job.every_s is None and job.cron is None:
            text += "; it looks for more only when asked (r)"
        reasons.append(line(Cell("o ", "muted"), cell(text)))
    return reasons


_CAUSES: Final = {"doctor": "4 shows the cause, ", "daily_cost": "7 shows what was spent, "}
"""Where to look before a pause is ended, by who made it."""


def _way_on(job: JobView) -> str:
    """Which keys help with a pause."""
    return f"{_CAUSES.get(job.paused_by or '', '')}p resumes"


def _held(hold: HoldView, now: int) -> Line:
    """One reason why a queue waits, with when it frees."""
    sign: Cell = {"person": Cell("# ", "wait"), "disabled": Cell("- ", "muted")}.get(hold.gate, Cell("~ ", "wait"))
    where = f"{hold.stage}: " if hold.stage else ""
    frees = f", {until(now, hold.until)}" if hold.until is not None else ""
    hint = (Cell("   3 opens triage"),) if hold.gate == "person" else ()
    return line(sign, cell(f"{where}{hold.why}{frees}"), *hint)


_GATES: Final = (
    ("job", "the job is active"),
    ("eligibility", "this is its hour"),
    ("limit", "the limit of its job is not reached"),
    ("disabled", "the stage is enabled"),
    ("paused", "the stage is not paused"),
    ("pace", "pace lets the next one start"),
    ("resource", "every resource that it needs has room"),
    ("model", "no model that it needs is used up"),
    ("concurrency", "a slot of the stage is free"),
)
"""Gates that a ready row passes, in order, and what is said of one that is open."""


_OF_OTHERS: Final = ("person", "time", "items", "backlog")
"""Gates that hold other rows of the queue, or the discovery."""


def gate_lines(stage: str, job: JobView, now: int, ahead: int | None) -> list[Line]:
    """Return every gate before a ready row, in order, open or not; `ahead`: how many of its queue go first."""
    holds = [hold for hold in job.holds if hold.stage in (None, stage) and hold.gate not in _OF_OTHERS]
    known = [gate for gate, _ in _GATES]
    rows: list[tuple[str, list[HoldView], str]] = [
        (gate, [hold for hold in holds if hold.gate == gate], said) for gate, said in _GATES
    ]
    rows += [(hold.gate, [hold], "") for hold in holds if hold.gate not in known]
    lines: list[Line] = []
    for number, (_, found, said) in enumerate(rows, start=1):
        head = Cell(f"  {number} ", "muted")
        if not found:
            lines.append((head, Cell(f"+ {said}", "ok")))
        for hold in found:
            frees = f", {until(now, hold.until)}" if hold.until is not None else ""
            lines.append((head, Cell("~ ", "wait"), cell(f"{hold.why}{frees}", "wait")))
    head = Cell(f"  {len(rows) + 1} ", "muted")
    if ahead is None:
        lines.append((head, Cell("o its turn: more than 500 go first", "muted")))
    elif ahead:
        lines.append((head, Cell(f"o its turn: {ahead:,} {'goes' if ahead == 1 else 'go'} first")))
    else:
        lines.append((head, Cell("+ it is the next", "ok")))
    return lines


def why_item(
    detail: ItemDetail, job: JobView | None, now: int, *, has_engine: bool, ahead: int | None = None
) -> list[Line]:
    """Return why an item does not go on, or what it does; `ahead`: how many go before its ready stage."""
    item = detail.item
    reasons: list[Line] = []
    if item.state == "dropped":
        reasons.append(
            line(Cell("- ", "muted"), cell(f"won't do: {item.why or 'a person said so'}"), Cell("   u undo"))
        )
    elif item.state == "gone":
        reasons.append(line(Cell("? ", "muted"), cell(item.why or "its source no longer has it")))
    elif item.state == "snoozed":
        why = f": {item.why}" if item.why else ""
        reasons.append(line(Cell("z ", "muted"), cell(f"put off{why}; comes back {until(now, item.due_at)}")))
    if detail.steering.held is not None and item.state in ("pending", "waiting"):
        reasons.append(line(Cell("~ ", "wait"), cell(f"held: {detail.steering.held}")))
    if detail.steering.next_due_at is not None:
        reasons.append(
            line(Cell("~ ", "muted"), cell(f"finished; it comes back {until(now, detail.steering.next_due_at)}"))
        )
    if detail.steering.priority_why is not None and item.state in ("pending", "waiting", "snoozed"):
        reasons.append(line(Cell("^ ", "muted"), cell(detail.steering.priority_why)))
    for stage in detail.stages:
        if reason := _why_stage(stage, detail, now):
            reasons.append(reason)
        if stage.state == "ready" and job is not None:
            reasons += gate_lines(stage.stage, job, now, ahead)
    if item.state == "pending":
        if job is not None and job.state != "active":
            reasons.append(
                line(Cell("= ", "wait"), cell(f"job {job.name} is {job.state}: {job.why or 'no reason given'}"))
            )
        if not has_engine:
            reasons.append(line(Cell("! ", "wait"), Cell("no engine runs here")))
    return reasons or [line(Cell("+ ", "ok"), Cell("every stage is settled; nothing is left to do"))]


def _why_stage(stage: ItemStageView, detail: ItemDetail, now: int) -> Line | None:
    name = stage.stage
    if stage.state == "waiting":
        if stage.gate is not None:
            return line(
                Cell("# ", "wait"), cell(f"{name} waits at gate {stage.gate} for a person"), Cell("   a accept")
            )
        return line(Cell("# ", "wait"), cell(f"{name} asks: {stage.why or 'a question'}"), Cell("   a answer"))
    if stage.state == "failed":
        tried = f"{stage.attempts} of {stage.max_attempts} attempts"
        return line(
            Cell("x ", "bad"),
            cell(f"{name} failed after {tried}: {stage.why or 'no reason given'}"),
            Cell("   r retry"),
        )
    if stage.state == "later":
        return line(
            Cell("~ ", "wait"), cell(f"{name} is tried again {until(now, stage.due_at)}: {stage.why or 'it asked to'}")
        )
    if stage.state == "running":
        return line(
            Cell("> ", "run"), cell(f"{name} runs since {age(now, stage.started_at)}, attempt {stage.attempts}")
        )
    if stage.state == "ready":
        return line(Cell("o "), cell(f"{name} is ready and waits for its turn"))
    if stage.state == "blocked":
        open_ones = [
            before.stage
            for before in detail.stages
            if before.stage in stage.after and before.state not in ("done", "skipped")
        ]
        return line(Cell(". ", "muted"), cell(f"{name} comes after {', '.join(open_ones or stage.after)}"))
    return None
