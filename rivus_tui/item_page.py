"""One item in lines: header, stages, and the parts output, data, attempts, events. Pure."""

from __future__ import annotations

from typing import Final, Literal

from engine.contracts.view import AttemptView, ItemDetail, ItemStageView
from rivus_tui.change_lines import change_lines, change_of
from rivus_tui.event_lines import event_line
from rivus_tui.format import (
    PROPOSED,
    Cell,
    Line,
    age,
    cell,
    duration,
    fit,
    fit_line,
    hang,
    moment,
    money,
    place,
    priority,
    spread,
    until,
    wrap,
)
from rivus_tui.graph import item_graph
from rivus_tui.origin_lines import log_lines, origin_lines, parent_line, progress_cell
from rivus_tui.outputs import label_line, output_lines, value_lines
from rivus_tui.session_page import session_lines
from rivus_tui.states import item_state, stage_state
from rivus_tui.theme import Role
from rivus_tui.timeline import timeline_lines
from rivus_tui.traces import trace_lines

Part = Literal["timeline", "output", "session", "data", "attempts", "events"]
PARTS: Final[tuple[Part, ...]] = ("timeline", "output", "session", "data", "attempts", "events")


def header_lines(detail: ItemDetail, now: int, width: int) -> list[Line]:
    """Return title, state and place of an item."""
    item = detail.item
    urgency = [Cell("  "), priority(item.priority)] if item.priority is not None else []
    lines = [spread([cell(item.title, "strong")], [item_state(item), *urgency], width)]
    where = place(item.path, item.line)
    seen = Cell(f"{item.origin} {age(now, item.created_at)} ago, changed {age(now, item.updated_at)} ago", "muted")
    trail = cell(" > ".join(item.headings), "muted") if item.headings else Cell("")
    left = [part for part in (where, Cell("  "), trail) if part.text] if where.text else [trail]
    lines.append(spread([cell(item.job, "muted"), Cell("  "), *left], [seen], width))
    if item.title != item.key:
        lines.append(fit_line([Cell("key ", "muted"), cell(item.key, "muted")], width))
    if item.state == "snoozed" and item.due_at is not None:
        said = f"put off, comes back {until(now, item.due_at)}{f': {item.why}' if item.why else ''}"
        lines += hang([Cell("z ", "muted"), cell(said, "wait", limit=500)], width)
    return lines + parent_line(detail, width)


def stage_lines(detail: ItemDetail, chosen: int, now: int, width: int) -> list[Line]:
    """Return one line for each stage; the chosen one is marked."""
    size = max((len(stage.stage) for stage in detail.stages), default=8)
    size = max(8, min(size, 24))
    lines: list[Line] = []
    for index, stage in enumerate(detail.stages):
        mark = Cell("> " if index == chosen else "  ", "strong")
        took = _took(stage, now)
        tries = f"{stage.attempts}/{stage.max_attempts}" if stage.attempts else "-"
        role: Role = "strong" if index == chosen else ""
        lines.append(
            fit_line(
                [
                    mark,
                    Cell(fit(cell(stage.stage).text, size) + " ", role),
                    Cell(fit(stage_state(stage.state).text, 10), stage_state(stage.state).role),
                    Cell(fit(took, 6, "right") + " "),
                    Cell(fit(tries, 4, "right") + "  ", "muted"),
                    _stage_note(stage, now),
                ],
                width,
            )
        )
    return lines


def part_tabs(detail: ItemDetail, part: Part, width: int) -> Line:
    """Return the line that names the parts; the open one stands in brackets."""
    badges = {"attempts": len(detail.attempts), "events": len(detail.events)}
    cells: list[Cell] = []
    for name in PARTS:
        badge = f" {badges[name]}" if badges.get(name) else ""
        text = f"{name.capitalize()}{badge}"
        cells.append(Cell(f"[{text}] ", "strong") if name == part else Cell(f" {text}  ", "muted"))
    return spread(cells, [Cell("[ ] switch", "muted")], width)


def part_lines(detail: ItemDetail, chosen: int, part: Part, now: int, width: int) -> list[Line]:
    """Return one part of an item; the output is that of the chosen stage."""
    if part == "timeline":
        drawn = item_graph(detail.stages, chosen, width)
        return [*timeline_lines(detail, chosen, now, width), *([(), *drawn] if drawn else [])]
    if part == "output":
        return _output(detail, chosen, now, width)
    if part == "session":
        return session_lines(detail, chosen, now, width)
    if part == "data":
        data = value_lines(detail.item.data, width) if detail.item.data else []
        origin = origin_lines(detail, now, width)
        if origin:
            return [*origin, (), *data] if data else origin
        return data or [(Cell("This item carries no data of its own.", "muted"),)]
    if part == "attempts":
        return _attempts(detail, now, width)
    return [event_line(event, now, width) for event in detail.events] or [(Cell("No events yet.", "muted"),)]


def triage_lines(detail: ItemDetail, now: int, width: int) -> list[Line]:
    """Return what a person needs to decide about an item: place, what the stages found, which gate it waits at."""
    item = detail.item
    lines: list[Line] = [(Cell(text, "strong"),) for text in wrap(cell(item.title).text, width)]
    where = place(item.path, item.line)
    if where.text:
        lines.append(spread([where], [Cell(f"seen {age(now, item.created_at)} ago", "muted")], width))
    if item.headings:
        lines.append(fit_line([cell(" > ".join(item.headings), "muted")], width))
    for stage in detail.stages:
        if stage.state == "waiting":
            gate = f"waits at gate {stage.gate}" if stage.gate else "asks"
            lines.append(fit_line([Cell("# ", "wait"), cell(f"{stage.stage} {gate}", "wait")], width))
            if stage.gate is None and stage.why:
                lines += hang([Cell("  "), cell(stage.why, "strong")], width)
            if stage.choices:
                lines.append(fit_line([Cell("  "), cell(" | ".join(stage.choices))], width))
        elif stage.state == "failed":
            lines += hang(
                [Cell("x ", "bad"), cell(f"{stage.stage} failed: {stage.why or 'nobody said why'}", "bad")], width
            )
    if item.proposed:
        said = f"{PROPOSED.get(item.proposed, item.proposed)}, {detail.steering.proposed_why or 'by rule'}"
        lines += hang([Cell("b ", "strong"), cell(said, "wait")], width)
    if item.priority is not None:
        lines.append(label_line("priority", priority(item.priority), width))
    for index, stage in enumerate(detail.stages):
        # What is asked about stands above what led to it.
        if stage.state == "waiting" and (change := change_of(detail.stages, index)) is not None:
            lines += [(), *change_lines(change, width)]
    for stage in detail.stages:
        # What a stage found nothing for is no help for a decision; the page of the item shows it.
        if found := {name: value for name, value in (stage.output or {}).items() if value not in (None, "", [], {})}:
            lines += [(), *output_lines(found, width)]
    return lines


def _output(detail: ItemDetail, chosen: int, now: int, width: int) -> list[Line]:
    if not detail.stages:
        return [(Cell("This job has no stages.", "muted"),)]
    stage = detail.stages[min(chosen, len(detail.stages) - 1)]
    lines: list[Line] = []
    latest = next((attempt for attempt in detail.attempts if attempt.stage == stage.stage), None)
    if stage.state not in ("failed", "later"):
        latest = None
    if stage.why and (latest is None or latest.message not in stage.why):
        lines += hang([Cell("why  ", "muted"), cell(stage.why, "bad" if stage.state == "failed" else "wait")], width)
    if stage.choices:
        lines.append(fit_line([Cell("choices  ", "muted"), cell(" | ".join(stage.choices))], width))
    if stage.output:
        lines += [*([()] if lines else []), *output_lines(stage.output, width)]
    for artifact in stage.artifacts:
        size = f"{artifact.size:,} bytes"
        lines.append(
            fit_line([Cell("file  ", "muted"), cell(artifact.path), Cell(f"  {artifact.type}, {size}", "muted")], width)
        )
    if (change := change_of(detail.stages, detail.stages.index(stage))) is not None:
        lines += [*([()] if lines else []), *change_lines(change, width)]
    if latest is not None:
        lines += [*([()] if lines else []), *_attempt(latest, now, width)]
    if not lines:
        lines.append(fit_line([cell(_no_output(stage, now), "muted")], width))
    return lines


def _no_output(stage: ItemStageView, now: int) -> str:
    if stage.state == "done":
        return f"{stage.stage} ended {age(now, stage.ended_at)} ago and left no output."
    if stage.state == "blocked":
        return f"{stage.stage} has not started: it comes after {', '.join(stage.after)}."
    return f"{stage.stage} is {stage.state}; there is no output yet."


def _attempts(detail: ItemDetail, now: int, width: int) -> list[Line]:
    lines: list[Line] = []
    for attempt in detail.attempts:
        if lines:
            lines.append(())
        lines += _attempt(attempt, now, width)
    logged = log_lines(detail, now, width)
    lines += [(), *logged] if lines and logged else logged
    return lines or [(Cell("No attempt failed.", "muted"),)]


def _attempt(attempt: AttemptView, now: int, width: int) -> list[Line]:
    took = duration(attempt.ended_at - attempt.started_at)
    head = f"{attempt.stage}, attempt {attempt.attempt}, {moment(attempt.ended_at, now)} after {took}"
    lines = [
        fit_line([cell(head, "muted")], width),
        fit_line([cell(attempt.error_type, "bad"), Cell(": "), cell(attempt.message)], width),
    ]
    return lines + trace_lines(attempt.traceback, width)


def _took(stage: ItemStageView, now: int) -> str:
    if stage.started_at is None:
        return "-"
    if stage.ended_at is not None and stage.ended_at >= stage.started_at:
        return duration(stage.ended_at - stage.started_at)
    return age(now, stage.started_at) if stage.state == "running" else "-"


def _stage_note(stage: ItemStageView, now: int) -> Cell:
    if stage.state == "waiting" and stage.gate is not None:
        return cell(f"gate {stage.gate}: a person decides", "wait")
    if stage.progress is not None:
        return progress_cell(stage.progress)
    if stage.state == "later":
        return cell(f"{until(now, stage.due_at)}: {stage.why or 'tried again'}", "wait")
    if stage.state == "blocked":
        return cell(f"after {', '.join(stage.after)}", "muted")
    if stage.state == "done" and stage.cost_usd_micros:
        return cell(money(stage.cost_usd_micros), "muted")
    return cell(stage.why, "bad" if stage.state == "failed" else "muted")
