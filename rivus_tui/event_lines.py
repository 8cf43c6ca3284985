"""Events in lines: one of an item's page, and what happened to the row of a list, beside its inspector. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.contracts.values import dataclass
from engine.contracts.view import EventView
from rivus_tui.format import Cell, Line, cell, fit, fit_line, hang, moment, prose, width_of
from rivus_tui.theme import Role

LEVEL_ROLE: Final[dict[str, Role]] = {"debug": "muted", "info": "", "warning": "wait", "error": "bad"}
LEVEL_SHAPE: Final = {"debug": ".", "info": " ", "warning": "~", "error": "x"}
"""A level is never told by colour alone."""
NEWEST: Final = 60
"""Events that are shown of a row; the screen of events has all."""
_ROWS: Final = 3
"""Lines that the text of one event takes at most: what is read to the end is read on the screen of events."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """What happened to one thing."""

    about: str
    """What it is called."""
    known: tuple[str, ...]
    """Names of job, stage or item that need not be said with each event, as all are about them."""
    events: Sequence[EventView]
    """Newest first."""
    note: str = ""
    """How far back they were looked for; empty: as far as there are any."""


def event_line(event: EventView, now: int, width: int) -> Line:
    """Return one event of an item."""
    when = fit(moment(event.at, now), 12)
    return fit_line(
        [
            Cell(when + " ", "muted"),
            Cell(fit(event.kind, 18) + " ", "muted"),
            cell(event.text, LEVEL_ROLE[event.level]),
        ],
        width,
    )


def happened_lines(happened: Happened, now: int, width: int) -> list[Line]:
    """Return the newest events of one thing: when, what, and where as far as that is not known."""
    lines: list[Line] = [fit_line([Cell("EVENTS  ", "head"), cell(happened.about, "muted")], width)]
    for event in happened.events[:NEWEST]:
        role = LEVEL_ROLE[event.level]
        where = [part for part in (event.job, event.stage, event.key) if part and part not in happened.known]
        mark = Cell(f"{moment(event.at, now)} {LEVEL_SHAPE[event.level]} ", role or "muted")
        text = cell(event.text, role, _ROWS * max(width - width_of([mark]) - 2, 8))
        said = text if text.text.strip() else cell(event.kind, role)
        hint = [Cell(f"  {cell('  '.join(where)).text}", "muted")] if where else []
        lines += hang([mark, said, *hint], width)
    if not happened.events:
        lines += prose("Nothing that is still known.", width)
    elif len(happened.events) >= NEWEST:
        lines += [(), *prose(f"The newest {NEWEST}.", width)]
    if happened.note:
        lines += [(), *prose(happened.note, width)]
    return lines
