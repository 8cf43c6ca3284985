"""What the doctor's screen says of one incident: verdict and evidence, what was done and what would be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.contracts.incident import ActView, BreakerView, IncidentView
from engine.contracts.verdict import FailureClass
from rivus_tui.format import Cell, Line, age, cell, clock_time, fit_line, hang, plural, until
from rivus_tui.theme import Role
from rivus_tui.traces import trace_lines

CLASS_ROLE: Final[dict[FailureClass, Role]] = {
    "transient": "muted",
    "throttled": "wait",
    "systemic": "bad",
    "code_bug": "bad",
    "item": "",
    "unknown": "wait",
}
CLASS_SHAPE: Final[dict[FailureClass, str]] = {
    "transient": "~",
    "throttled": "=",
    "systemic": "!",
    "code_bug": "#",
    "item": "x",
    "unknown": "?",
}
"""A class is never told by colour alone."""
_LABEL: Final = 10
_TAIL: Final = 30


def incident_lines(incident: IncidentView, now: int, width: int) -> Sequence[Line]:
    """Draw one incident."""
    where = ", ".join(incident.jobs)
    since = (
        f"{plural(incident.count, 'time')}, {plural(incident.items, 'item')} now,"
        f" first {age(now, incident.first_at)} ago, last {age(now, incident.last_at)} ago"
    )
    again = f", open again {plural(incident.reopened, 'time')}" if incident.reopened else ""
    head = Cell(f"{_class(incident.cls).text}  ", CLASS_ROLE[incident.cls])
    lines: list[Line] = [
        *hang([head, cell(incident.label, "strong")], width),
        *_labelled("where", [cell(f"{where}: {', '.join(incident.stages)}")], width),
        *_labelled("hits", [cell(since + again)], width),
        *_labelled("verdict", [cell(_said(incident))], width),
    ]
    if incident.fix:
        lines += _labelled("fix", [cell(incident.fix, "strong")], width)
    for breaker in incident.breakers:
        lines += _labelled("breaker", [_breaker(breaker, now)], width)
    for act in incident.acts:
        if act.state == "pending":
            lines += _labelled("would do", _act(act, now), width)
    for act in incident.acts:
        if act.state != "pending":
            lines += _labelled("did" if act.state == "done" else "vetoed", _act(act, now), width)
    evidence = incident.evidence
    keys = ", ".join(str(key) for key in evidence.get("keys", ()))
    lines += [(), fit_line([Cell("evidence  ", "muted"), cell(keys, "muted")], width)]
    lines += hang([Cell("  "), cell(f"{evidence.get('exc_type', '')}: {evidence.get('message', '')}", "bad")], width)
    return lines + trace_lines(str(evidence.get("traceback_tail", "")), width, _TAIL)


def _class(cls: FailureClass) -> Cell:
    return Cell(f"{CLASS_SHAPE[cls]} {cls}", CLASS_ROLE[cls])


def class_cell(incident: IncidentView) -> Cell:
    """The class with its shape."""
    return _class(incident.cls)


def action_cell(incident: IncidentView) -> Cell:
    """What is done, or was."""
    pending = any(act.state == "pending" for act in incident.acts)
    if incident.state != "open":
        return Cell(incident.state, "muted")
    return Cell(incident.action, "wait" if pending or incident.is_replaying else "bad" if incident.breakers else "")


def _said(incident: IncidentView) -> str:
    by = f"{incident.by} {incident.rule}" if incident.rule else incident.by
    return f"{incident.confidence}, by {by}: {incident.reason}" if incident.by != "none" else incident.reason


def _breaker(breaker: BreakerView, now: int) -> Cell:
    what = "error rate" if breaker.cls == "rate" else breaker.cls
    if breaker.state == "probing":
        return cell(f"{what}: one canary runs", "wait")
    probe = f", canary {until(now, breaker.probe_at)}" if breaker.probe_at is not None else ""
    return cell(f"{what}: open since {clock_time(breaker.opened_at)}{probe}", "bad")


def _act(act: ActView, now: int) -> list[Cell]:
    if act.state == "pending":
        return [cell(f"{act.action} {until(now, act.due_at)} ({act.tier} risk; x vetoes): {act.text}", "wait")]
    return [cell(f"{act.action} at {clock_time(act.at)}: {act.text}")]


def _labelled(label: str, cells: Sequence[Cell], width: int) -> Sequence[Line]:
    return hang([Cell(f"{label:{_LABEL}}", "muted"), *cells], width)
