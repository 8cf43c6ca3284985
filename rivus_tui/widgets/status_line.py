"""The two lines at the top: how the project is, and which screens there are. Pure drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rivus_tui.format import Cell, Line, cell, clock_time, count, fit_line, line, spread
from rivus_tui.theme import Role

SCREENS: Final[tuple[tuple[str, str, str], ...]] = (
    ("1", "jobs", "Jobs"),
    ("2", "items", "Items"),
    ("3", "triage", "Triage"),
    ("9", "events", "Events"),
)
"""Key, mode and title of the screens; a number never moves to another screen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulse:
    """What the status line shows."""

    project: str
    running: int
    ready: int
    failed: int
    waiting: int
    lag_ms: int
    """How late the app's own loop was within the last second."""
    now: int
    frozen_at: int | None
    news: int
    """Events since the view was frozen."""
    live: bool
    """Whether an engine runs on this state."""
    read_only: bool
    """Whether nothing can be changed from here."""
    starting: bool = False
    """Whether the engine of this app is still on its way."""


def status_line(pulse: Pulse, width: int) -> Line:
    """Return the status line; words where there is room, else shapes."""
    words = width >= 110

    def part(shape: str, number: int, word: str, short: str, role: Role) -> tuple[Cell, ...]:
        text = f"{shape} {count(number)} {word if words else short}"
        return (Cell(text, role if number else "muted"), Cell("   " if words else "  "))

    left = [Cell(" "), cell(pulse.project, "strong", 24), Cell("   " if words else "  ")]
    left += part(">", pulse.running, "running", "run", "run")
    left += part("o", pulse.ready, "ready", "ready", "")
    left += part("x", pulse.failed, "failed", "fail", "bad")
    left += part("#", pulse.waiting, "waiting", "wait", "wait")
    if pulse.frozen_at is not None:
        mode = Cell(f"FROZEN {clock_time(pulse.frozen_at)} +{pulse.news}", "wait")
    elif pulse.live:
        mode = Cell("READ-ONLY", "wait") if pulse.read_only else Cell("LIVE", "ok")
    elif pulse.starting:
        mode = Cell("STARTING", "muted")
    else:
        mode = Cell("NO ENGINE", "wait")
    right = [mode, Cell("  "), Cell(clock_time(pulse.now) if words else clock_time(pulse.now)[:5]), Cell(" ")]
    if words or pulse.lag_ms >= 100:
        right = [Cell(f"lag {pulse.lag_ms}ms  ", "wait" if pulse.lag_ms >= 100 else "muted"), *right]
    return spread(left, right, width)


def tab_line(mode: str, waiting: int, width: int) -> Line:
    """Return the line of screens; only what waits for a person has a number beside it."""
    parts: list[Cell] = [Cell(" ")]
    for key, name, title in SCREENS:
        badge = f" {count(waiting)}" if name == "triage" and waiting else ""
        if name == mode:
            parts += [Cell(f"[{key} {title}{badge}]", "strong"), Cell(" ")]
        else:
            parts += [Cell(f" {key} {title}", "muted"), Cell(badge, "wait"), Cell("  ")]
    return spread(parts, [Cell("? help  q quit ", "muted")], width) if width >= 64 else fit_line(parts, width)


def banner_line(text: str, width: int) -> Sequence[Line]:
    """Return the banner, or no line when there is nothing to say."""
    return (fit_line(line(Cell(" ! ", "bad"), cell(text, "wait")), width),) if text else ()


def tab_at(x: int, waiting: int) -> str | None:
    """Return the mode whose tab is at column `x`."""
    at = 1
    for key, name, title in SCREENS:
        size = len(f" {key} {title}") + (len(f" {count(waiting)}") if name == "triage" and waiting else 0) + 2
        if at <= x < at + size:
            return name
        at += size
    return None
