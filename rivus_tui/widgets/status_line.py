"""The two lines at the top: how the project is, and which screens there are. Pure drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.contracts.values import dataclass
from rivus_tui.format import Cell, Line, cell, clock_time, count, fit_line, line, money, plural, spread, width_of
from rivus_tui.rooms import RoomSpec, standing
from rivus_tui.theme import Role

if TYPE_CHECKING:
    from engine.contracts.costs import BudgetView


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
    budget: BudgetView | None = None
    """The daily limit of all jobs together."""
    unread: int = 0
    """Errors that a toast has told and nobody has read again."""


def status_line(pulse: Pulse, width: int) -> Line:
    """Return the status line; words where there is room, else shapes."""
    words = width >= 110
    if pulse.frozen_at is not None:
        mode = Cell(f"FROZEN {clock_time(pulse.frozen_at)} +{pulse.news}", "wait")
    elif pulse.live:
        mode = Cell("READ-ONLY", "wait") if pulse.read_only else Cell("LIVE", "ok")
    elif pulse.starting:
        mode = Cell("STARTING", "muted")
    else:
        mode = Cell("NO ENGINE", "wait")
    unread = f"! {plural(pulse.unread, 'error')}  " if words else f"!{pulse.unread}  "
    least = [*([Cell(unread, "bad")] if pulse.unread else []), mode, Cell(" ")]
    clock = [*least[:-1], Cell("  "), Cell(clock_time(pulse.now) if words else clock_time(pulse.now)[:5]), Cell(" ")]
    right = clock
    if words or pulse.lag_ms >= 100:
        right = [Cell(f"lag {pulse.lag_ms}ms  ", "wait" if pulse.lag_ms >= 100 else "muted"), *right]
    if pulse.budget is not None:
        right = [_spent(pulse.budget), Cell("  "), *right]
    laid = [_counts(pulse, style) for style in ("word", "short", "shape")]
    # What waits and what has failed is needed more than what is spent, and that more than the time.
    for told in (right, clock, least):
        room = width - width_of(told) - 1
        if (left := next((cells for cells in laid if width_of(cells) <= room), None)) is not None:
            return spread(left, told, width)
    return spread(laid[-1], least, width)


def _counts(pulse: Pulse, style: str) -> list[Cell]:
    """The project and its counts: with words, with short ones, or with shapes alone, so that none is cut."""
    gap = Cell("   " if style == "word" else "  ")
    left = [Cell(" "), cell(pulse.project, "strong", 24), gap]
    parts: tuple[tuple[str, int, str, str, Role], ...] = (
        (">", pulse.running, "running", "run", "run"),
        ("o", pulse.ready, "ready", "ready", ""),
        ("x", pulse.failed, "failed", "fail", "bad"),
        ("#", pulse.waiting, "waiting", "wait", "wait"),
    )
    for shape, number, word, short, role in parts:
        told = {"word": f" {word}", "short": f" {short}", "shape": ""}[style]
        text = f"{shape} {count(number)}{told}" if style != "shape" else f"{shape}{count(number)}"
        left += [Cell(text, role if number else "muted"), gap]
    return left[:-1]


def _spent(budget: BudgetView) -> Cell:
    """What was spent today of what may be."""
    part = budget.spent_usd_micros / budget.limit_usd_micros
    text = f"{money(budget.spent_usd_micros)}/{money(budget.limit_usd_micros)}"
    return Cell(text, "bad" if part >= 1 else "wait" if part >= 0.8 else "muted")


def tab_line(mode: str, badges: Mapping[str, int], width: int) -> Line:
    """Return the line of screens; only what waits for a person has a number beside it."""
    parts: list[Cell] = [Cell(" ")]
    for tab in tabs(mode, badges, width):
        if tab.mode == mode:
            parts.append(Cell(f"[{tab.text}{tab.badge}]", "strong"))
        else:
            parts += [Cell(f" {tab.text}", "muted"), Cell(tab.badge, "wait"), Cell(" ")]
    rest = width - width_of(parts)
    return (
        spread(parts, [Cell("? help " if rest >= 8 else "?", "muted")], width) if rest >= 2 else fit_line(parts, width)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Tab:
    """One screen in the line of screens."""

    mode: str
    text: str
    badge: str

    @property
    def size(self) -> int:
        """Terminal cells, with the brackets or blanks around it."""
        return len(self.text) + len(self.badge) + 2


def tabs(mode: str, badges: Mapping[str, int], width: int) -> list[Tab]:
    """Return the screens as they fit: full names, else short ones, else numbers; the open one is named in full."""
    for style in ("title", "short", "key"):
        laid = [_tab(room, style if room.mode != mode else "title", badges) for room in standing()]
        if sum(tab.size for tab in laid) + 1 <= width:
            return laid
    return [tab for tab in laid if tab.mode == mode]


def _tab(room: RoomSpec, style: str, badges: Mapping[str, int]) -> Tab:
    name = {"title": f"{room.key} {room.title}", "short": f"{room.key} {room.short}", "key": room.key}[style]
    number = badges.get(room.mode, 0)
    badge = "" if not number else f" {count(number)}" if style != "key" else "!"
    return Tab(mode=room.mode, text=name, badge=badge)


def tab_at(x: int, mode: str, badges: Mapping[str, int], width: int) -> str | None:
    """Return the mode whose tab is at column `x`."""
    at = 1
    for tab in tabs(mode, badges, width):
        if at <= x < at + tab.size:
            return tab.mode
        at += tab.size
    return None


def banner_line(text: str, width: int) -> Sequence[Line]:
    """Return the banner, or no line when there is nothing to say."""
    return (fit_line(line(Cell(" ! ", "bad"), cell(text, "wait")), width),) if text else ()
