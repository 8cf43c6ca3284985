"""Where an item comes from, what belongs to it, and what its attempts logged, in lines. Pure."""

from __future__ import annotations

from engine.contracts.view import ItemDetail, ProgressView
from rivus_tui.format import Cell, Line, age, cell, fit, fit_line, moment, plural
from rivus_tui.theme import Role

_LEVEL_ROLE: dict[str, Role] = {"warning": "wait", "error": "bad", "critical": "bad"}


def progress_cell(progress: ProgressView) -> Cell:
    """How far a running attempt is."""
    part = f"{progress.done:,}"
    if progress.total:
        part = f"{min(100, progress.done * 100 // progress.total)} %  {progress.done:,} of {progress.total:,}"
    return cell(f"{part}  {progress.text}" if progress.text else part, "muted")


def parent_line(detail: ItemDetail, width: int) -> list[Line]:
    """The item that this one belongs to; no line where there is none."""
    parent = detail.origin.parent
    if parent is None:
        return []
    return [fit_line([Cell("part of ", "muted"), cell(parent.title), Cell("  "), cell(parent.key, "muted")], width)]


def origin_lines(detail: ItemDetail, now: int, width: int) -> list[Line]:
    """What led to an item, when it was seen last, and its children; nothing where there is nothing to say."""
    origin = detail.origin
    lines: list[Line] = []
    for name, values in origin.provenance.items():
        lines.append(fit_line([Cell(fit(cell(name).text, 12) + " ", "muted"), cell(", ".join(values))], width))
    if origin.last_seen_at is not None:
        seen = cell(f"{age(now, origin.last_seen_at)} ago")
        lines.append(fit_line([Cell(fit("last seen", 12) + " ", "muted"), seen], width))
    if origin.children:
        lines.append(fit_line([Cell(f"{plural(len(origin.children), 'item')} of it", "muted")], width))
        lines += [
            fit_line(
                [Cell(f"  {fit(child.state, 8)} ", "muted"), cell(child.title), cell(f"  {child.key}", "muted")], width
            )
            for child in origin.children
        ]
    return lines


def log_lines(detail: ItemDetail, now: int, width: int) -> list[Line]:
    """What attempts logged, the newest attempt first, and results that were replaced."""
    lines: list[Line] = []
    for log in detail.origin.logs:
        lines += [()] if lines else []
        lines.append(fit_line([cell(f"{log.stage}, log of attempt {log.fence}", "muted")], width))
        for at, level, text in log.lines:
            when = fit(moment(at, now), 12)
            lines.append(fit_line([Cell(f"  {when} ", "muted"), cell(text, _LEVEL_ROLE.get(level, ""))], width))
    for old in detail.origin.replaced:
        lines += [()] if lines and old is detail.origin.replaced[0] else []
        what = f"replaced by attempt {old.replaced_by}" if old.replaced_by else "dropped"
        made = (
            f"{old.stage}: result of attempt {old.fence}, {moment(old.ended_at, now)}, {old.output_hash[:12]}, {what}"
        )
        lines.append(fit_line([cell(made, "muted")], width))
    return lines
