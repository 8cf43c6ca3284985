"""One item over time: a bar for each stage, attempts that failed in it, idle gaps compressed and named. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from rich.cells import cell_len

from engine.contracts.values import dataclass
from engine.contracts.view import ItemDetail, ItemStageView
from rivus_tui.format import Cell, Line, age, cell, clock_time, duration, fit, fit_line, moment, money, until
from rivus_tui.states import stage_state
from rivus_tui.theme import Role

Kind = Literal["done", "failed", "running"]

_SIGNS: Final[dict[Kind, tuple[str, Role]]] = {"done": ("━", "ok"), "failed": ("x", "bad"), "running": (">", "run")}
_NOTE: Final = 30
"""Cells right of the bars."""
_LEAST: Final = 20
"""Cells of the bars, at least."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One attempt at one stage, ms UTC."""

    start: int
    end: int
    kind: Kind


class Axis:
    """Maps times to cells: what happened has room by how long it took, gaps without work have a few cells each."""

    def __init__(self, spans: Sequence[Span], width: int) -> None:
        self.gaps: list[tuple[int, int]] = []
        """Idle gaps that are compressed: cell at which each begins, and how long it was in ms."""
        busy = _merged(spans)
        active = sum(max(end - start, 1) for start, end in busy)
        breaks = [(before[1], after[0]) for before, after in pairwise(busy) if after[0] - before[1] > active]
        labels = [len(duration(end - start)) + 2 for start, end in breaks]
        room = max(width - sum(labels), len(busy))
        shown = busy[-1][1] - busy[0][0] - sum(end - start for start, end in breaks)
        self._points: list[tuple[int, float]] = [(busy[0][0], 0.0)]
        at, time = 0.0, busy[0][0]
        for (start, end), label in zip(breaks, labels, strict=True):
            at += (start - time) / max(shown, 1) * room
            self._points.append((start, at))
            self.gaps.append((round(at), end - start))
            at += label
            self._points.append((end, at))
            time = end
        self._points.append((busy[-1][1], at + (busy[-1][1] - time) / max(shown, 1) * room))
        self._width = width

    def cell_of(self, time: int) -> int:
        """Return the cell of a time, inside the axis."""
        for (before, left), (after, right) in pairwise(self._points):
            if before <= time <= after:
                share = (time - before) / max(after - before, 1)
                return max(0, min(self._width - 1, round(left + share * (right - left))))
        return 0 if time < self._points[0][0] else self._width - 1


def spans_of(detail: ItemDetail, stage: ItemStageView, now: int) -> list[Span]:
    """Return the attempts at a stage, oldest first."""
    failed = [
        Span(start=one.started_at, end=one.ended_at, kind="failed")
        for one in reversed(detail.attempts)
        if one.stage == stage.stage
    ]
    if stage.started_at is None:
        return failed
    if stage.state == "running":
        return [*failed, Span(start=stage.started_at, end=max(now, stage.started_at), kind="running")]
    if stage.ended_at is not None and stage.ended_at >= stage.started_at and stage.state == "done":
        return [*failed, Span(start=stage.started_at, end=stage.ended_at, kind="done")]
    if not failed and stage.ended_at is not None and stage.state == "failed":
        return [Span(start=stage.started_at, end=max(stage.ended_at, stage.started_at), kind="failed")]
    return failed


def timeline_lines(detail: ItemDetail, chosen: int, now: int, width: int) -> list[Line]:
    """Return an axis and one line for each stage; a stage that has not begun says what it waits for."""
    spans = [spans_of(detail, stage, now) for stage in detail.stages]
    found = Span(start=detail.item.created_at, end=detail.item.created_at, kind="done")
    everything = [span for row in spans for span in row]
    if not everything:
        return [(Cell("Nothing has run yet.", "muted"),), *_waits(detail, now, width)]
    names = max(8, min(16, max(cell_len(stage.stage) for stage in detail.stages)))
    room = max(width - names - _NOTE - 4, _LEAST)
    axis = Axis([found, *everything], room)
    start = min(found.start, min(span.start for span in everything))
    end = max(span.end for span in everything)
    lines = [fit_line([Cell(" " * (names + 3)), *_scale(axis, start, end, now, room)], width)]
    bar = _bar([found], axis, room)
    seen = Cell(f"  found by {detail.item.source}", "muted")
    lines.append(fit_line([Cell(f"  {fit('found', names)} ", "muted"), *_dots(bar), cell(seen.text, "muted")], width))
    for index, (stage, row) in enumerate(zip(detail.stages, spans, strict=True)):
        mark = Cell("> " if index == chosen else "  ", "strong")
        name = Cell(fit(cell(stage.stage).text, names) + " ", "strong" if index == chosen else "")
        lines.append(fit_line([mark, name, *_bar(row, axis, room), Cell("  "), *_note(stage, row, now)], width))
    took = sum(span.end - span.start for span in everything)
    waited = max(end - start - took, 0)
    spent = sum(stage.cost_usd_micros for stage in detail.stages)
    total = f"worked {duration(took)}, waited {duration(waited)}" + (f", spent {money(spent)}" if spent else "")
    return [*lines, (), fit_line([Cell(total, "muted")], width)]


def _scale(axis: Axis, start: int, end: int, now: int, room: int) -> list[Cell]:
    """The line of times: when it began, when it ended, and how long each compressed gap was."""
    text = [" "] * room
    first, last = moment(start, now).removesuffix(clock_time(start)[5:]), clock_time(end)
    _write(text, 0, first)
    for at, gap in axis.gaps:
        label = f"…{duration(gap)}…"
        if at > len(first) and at + len(label) < room - len(last):
            _write(text, at, label)
    if room > len(first) + len(last) + 2:
        _write(text, room - len(last), last)
    return [Cell("".join(text), "muted")]


def _write(text: list[str], at: int, word: str) -> None:
    for offset, sign in enumerate(word):
        if 0 <= at + offset < len(text):
            text[at + offset] = sign


def _bar(spans: Sequence[Span], axis: Axis, room: int) -> list[Cell]:
    """The attempts of one stage; a short one still has a cell."""
    row: list[tuple[str, Role]] = [(" ", "")] * room
    for at, _ in axis.gaps:
        if 0 <= at < room:
            row[at] = ("┊", "muted")
    for span in spans:
        sign = _SIGNS[span.kind]
        first, last = axis.cell_of(span.start), axis.cell_of(span.end)
        for at in range(first, max(last, first + 1)):
            row[at] = sign
    return _joined(row)


def _dots(bar: list[Cell]) -> list[Cell]:
    return [Cell(part.text.replace("━", "o"), "muted") for part in bar]


def _joined(row: Sequence[tuple[str, Role]]) -> list[Cell]:
    cells: list[Cell] = []
    for sign, role in row:
        if cells and cells[-1].role == role:
            cells[-1] = Cell(cells[-1].text + sign, role)
        else:
            cells.append(Cell(sign, role))
    return cells


def _note(stage: ItemStageView, spans: Sequence[Span], now: int) -> list[Cell]:
    """What stands right of a bar: how long, which state, how many attempts, what it cost."""
    state = stage_state(stage.state)
    if stage.state == "blocked":
        return [Cell(f". after {', '.join(stage.after)}", "muted")]
    if stage.state == "later":
        return [Cell(f"~ again {until(now, stage.due_at)}", "wait")]
    took = f"{duration(spans[-1].end - spans[-1].start)} " if spans else ""
    if stage.state == "running" and stage.started_at is not None:
        took = f"{age(now, stage.started_at)} "
    tries = f"  {stage.attempts}/{stage.max_attempts}" if stage.attempts > 1 else ""
    spent = f"  {money(stage.cost_usd_micros)}" if stage.cost_usd_micros else ""
    return [Cell(took), state, Cell(f"{tries}{spent}", "muted")]


def _waits(detail: ItemDetail, now: int, width: int) -> list[Line]:
    return [
        fit_line([Cell("  "), Cell(fit(cell(stage.stage).text, 16) + " "), *_note(stage, (), now)], width)
        for stage in detail.stages
    ]


def _merged(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Join spans that touch or overlap, in order of time."""
    busy: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda one: one.start):
        if busy and span.start <= busy[-1][1]:
            busy[-1] = (busy[-1][0], max(busy[-1][1], span.end))
        else:
            busy.append((span.start, span.end))
    return busy
