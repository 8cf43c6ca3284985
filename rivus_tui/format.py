"""Values as text for a terminal: cells, counts, ages, times, money. Pure; every text from outside is cleaned here.

A line is a tuple of cells; widgets turn cells into segments, so that text stays text whatever it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from engine.kit.safe_text import safe_block, safe_line
from rivus_tui.theme import Role

PROPOSED: Final = {"accept": "accept", "drop": "won't do", "snooze": "later"}
"""What rules of triage propose, in the words of its keys."""


class Cell(NamedTuple):
    """A piece of one line and its role."""

    text: str
    role: Role = ""


Line = tuple[Cell, ...]


_JOINS: Final = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d(?!\\w)")
"""What glues emoji together or colours them. Terminals disagree about the width of the result, so that columns would
shift; taken apart, every terminal agrees. A joiner is kept before a letter only: some scripts need it there, and at the
end of a cell it would swallow the blank that follows."""


def cell(text: object, role: Role = "", limit: int = 1_000) -> Cell:
    """Return a cell of one line with every control character made visible; None becomes nothing."""
    return Cell("" if text is None else _JOINS.sub("", safe_line(str(text), limit)), role)


def literal(text: str, role: Role = "", limit: int = 2_000) -> Cell:
    """Return a cell that keeps its blanks, as code needs them: tabs become four blanks, line breaks become visible."""
    return Cell(_JOINS.sub("", safe_block(text[:limit])).expandtabs(4).replace("\n", "␊"), role)


def line(*parts: str | Cell) -> Line:
    """Return a line; a plain string is a cell without a role."""
    return tuple(part if isinstance(part, Cell) else Cell(part) for part in parts)


def width_of(cells: Iterable[Cell]) -> int:
    """Return how many terminal cells a line takes."""
    return sum(cell_len(part.text) for part in cells)


def fit(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """Cut or pad to exactly `width` terminal cells; a cut ends in `…`, and a wide character is never halved."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding


def fit_line(cells: Sequence[Cell], width: int) -> Line:
    """Cut a line to at most `width` terminal cells."""
    kept: list[Cell] = []
    left = width
    for part in cells:
        length = cell_len(part.text)
        if length <= left:
            kept.append(part)
            left -= length
            continue
        if left > 0:
            kept.append(Cell(fit(part.text, left), part.role))
        break
    return tuple(kept)


def spread(left: Sequence[Cell], right: Sequence[Cell], width: int) -> Line:
    """Put one part at the left and one at the right edge; the left part is cut where both do not fit."""
    room = width - width_of(right) - 1
    if room < 8:
        return fit_line(left, width)
    head = fit_line(left, room)
    return (*head, Cell(" " * (width - width_of(head) - width_of(right))), *right)


_NEAR: Final = 16
"""Characters for each cell of a line that are looked at first: a word of megabytes is not measured for each line."""


def _is_wider(text: str, width: int) -> bool:
    return cell_len(text[: width * _NEAR]) > width or (len(text) > width * _NEAR and cell_len(text) > width)


def wrap(text: str, width: int) -> list[str]:
    """Break text at spaces to lines of at most `width` terminal cells; a word that is longer is cut into pieces."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        while _is_wider(word, width):
            if current:
                lines.append(current)
                current = ""
            head = set_cell_size(word[: width * _NEAR] if _is_wider(word[: width * _NEAR], width) else word, width)
            head = head.rstrip()
            if not head:
                break
            lines.append(head)
            word = word[len(head) :]
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
        else:
            lines.append(current)
            current = word
    if current:
        lines.append(current)
    return lines


def prose(text: str, width: int, role: Role = "muted") -> list[Line]:
    """Return words of the program itself, such as why a list is empty, in as many lines as they need."""
    return [(Cell(row, role),) for row in wrap(text, width)]


def hang(cells: Sequence[Cell], width: int) -> list[Line]:
    """Break a line that starts with a marker: what follows is aligned under the first word.

    A last cell that begins with blanks is a hint, such as which key helps: it stays whole, and apart from the text.
    """
    if width_of(cells) <= width or len(cells) < 2:
        return [fit_line(cells, width)]
    marker, text, *rest = cells
    indent = width_of([marker])
    hint = rest.pop() if rest and rest[-1].text.startswith("  ") else None
    words = " ".join(part.text for part in (text, *rest))
    rows = wrap(words, max(width - indent, 8))
    lines: list[Line] = [(marker, Cell(rows[0], text.role))]
    lines += [(Cell(" " * indent), Cell(row, text.role)) for row in rows[1:]]
    if hint is not None and width_of([*lines[-1], hint]) <= width:
        lines[-1] = (*lines[-1], hint)
    elif hint is not None:
        lines.append(fit_line((Cell(" " * indent), Cell(hint.text.lstrip(), hint.role)), width))
    return lines


def count(number: int) -> str:
    """Return a count in at most six cells: `1,204`, `12.3k`, `1.20M`."""
    if number < 10_000:
        return f"{number:,}"
    if number < 1_000_000:
        return f"{number / 1000:.1f}k"
    return f"{number / 1_000_000:.2f}M"


def plural(number: int, noun: str) -> str:
    """Return `1 item`, `2 items`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(ms: int) -> str:
    """Return a span in at most five cells: `80ms`, `4.1s`, `2m10`, `3h02`, `12d`."""
    if ms < 1_000:
        return f"{max(ms, 0)}ms"
    seconds = ms / 1000
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86_400}d"


def age(now: int, at: int | None) -> str:
    """Return how long ago `at` (ms UTC) was, in whole units; a dash for never."""
    if at is None:
        return "-"
    seconds = max(now - at, 0) // 1000
    if seconds < 60:
        return f"{seconds}s"
    return duration(seconds * 1000) if seconds >= 3_600 else f"{seconds // 60}m"


def until(now: int, at: int | None) -> str:
    """Return how long it is to `at` (ms UTC): `in 4m`, `now`; a dash for never."""
    if at is None:
        return "-"
    return "now" if at - now < 1_000 else f"in {age(at, now)}"


def clock_time(ms: int) -> str:
    """Return local wall time, `14:07:12`."""
    return datetime.fromtimestamp(ms / 1000).strftime("%H:%M:%S")


def moment(ms: int | None, now: int) -> str:
    """Return a local time, with the day when it is not today: `14:07:12`, `Nov 20 14:07`."""
    if ms is None:
        return "-"
    then = datetime.fromtimestamp(ms / 1000)
    return then.strftime("%H:%M:%S" if then.date() == datetime.fromtimestamp(now / 1000).date() else "%b %d %H:%M")


def morning_after(now: int, days: int, hour: int = 9) -> int:
    """Return `hour` o'clock local time, `days` days after today, as ms UTC."""
    day = datetime.fromtimestamp(now / 1000) + timedelta(days=days)
    return round(day.replace(hour=hour, minute=0, second=0, microsecond=0).timestamp() * 1000)


def every(seconds: float) -> str:
    """Return an interval as in jobs.yaml: `10m`, `1d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def priority(value: int | None) -> Cell:
    """Return `P0` to `P3`, or a dash where none was given."""
    if value is None:
        return Cell("-", "muted")
    return Cell(f"P{value}", "bad" if value == 0 else "wait" if value == 1 else "")


def place(path: str | None, at: int | None) -> Cell:
    """Return `path:line`; nothing where the item has no file."""
    if not path:
        return Cell("")
    return cell(path if at is None else f"{path}:{at}", "muted")


def money(micros: int) -> str:
    """Return millionths of a dollar as `$0.0123`; four places below a cent, else two."""
    return f"${micros / 1_000_000:.4f}" if 0 < micros < 10_000 else f"${micros / 1_000_000:.2f}"
