"""What a stage of an item says while it works, and after: its newest log lines, and what was said with models. Pure."""

from __future__ import annotations

from typing import Final

from engine.contracts.view import ItemDetail, TalkView
from rivus_tui.format import Cell, Line, cell, duration, fit, fit_line, hang, moment, money
from rivus_tui.origin_lines import progress_cell
from rivus_tui.theme import Role

_LEVEL_ROLE: Final[dict[str, Role]] = {"warning": "wait", "error": "bad", "critical": "bad"}
_LONGEST: Final = 2_000
"""Characters of a question or an answer that are shown; the rest is in the state file."""


def session_lines(detail: ItemDetail, chosen: int, now: int, width: int) -> list[Line]:
    """Return the session of the chosen stage, and the conversations of the item; the newest stands last."""
    lines: list[Line] = []
    for talk in reversed(detail.talks):
        lines += [*([()] if lines else []), *_talk(talk, now, width)]
    stage = detail.stages[min(chosen, len(detail.stages) - 1)] if detail.stages else None
    logs = [log for log in detail.origin.logs if stage is not None and log.stage == stage.stage]
    if logs and stage is not None:
        newest = max(logs, key=lambda log: log.fence)
        lines += [*([()] if lines else []), fit_line([cell(f"{stage.stage}, attempt {newest.fence}", "strong")], width)]
        for at, level, text in newest.lines:
            when = Cell(fit(moment(at, now), 12) + " ", "muted")
            lines += hang([when, cell(text, _LEVEL_ROLE.get(level, ""))], width)
    if stage is not None and stage.state == "running":
        since = duration(now - stage.started_at) if stage.started_at is not None else ""
        parts = [Cell("> ", "strong"), cell(f"runs for {since}  "), *_spent(stage.cost_usd_micros)]
        lines.append(fit_line([*parts, *([progress_cell(stage.progress)] if stage.progress else [])], width))
    if lines:
        return lines
    name = "This item" if stage is None else cell(stage.stage).text
    return [fit_line([Cell(f"{name} has logged nothing, and no model was talked with.", "muted")], width)]


def _spent(usd_micros: int) -> list[Cell]:
    return [cell(f"{money(usd_micros)}  ", "muted")] if usd_micros else []


def _talk(talk: TalkView, now: int, width: int) -> list[Line]:
    head = f"conversation {talk.name} with {talk.alias}, {talk.state}"
    lines = hang([cell(head, "strong"), cell(f" {talk.why}" if talk.why else "", "wait")], width)
    for at, question, answer in talk.turns:
        lines.append(fit_line([cell(moment(at, now), "muted")], width))
        lines += _said("asked  ", question, width)
        lines += _said("said   ", answer, width) if answer is not None else [(Cell("…      no answer yet", "wait"),)]
    return lines


def _said(who: str, text: str, width: int) -> list[Line]:
    rest = "" if len(text) <= _LONGEST else f"\n… {len(text) - _LONGEST:,} more characters"
    lines: list[Line] = []
    for paragraph in (text[:_LONGEST] + rest).splitlines():
        if paragraph.strip():
            lines += hang([Cell(who if not lines else " " * len(who), "muted"), cell(paragraph)], width)
    return lines
