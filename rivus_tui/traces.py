"""Tracebacks for reading: the frames of the engine under a handler are left out, and where it failed can be opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from rich.cells import cell_len

import engine.contracts
from rivus_tui.format import Cell, Line, fit_line, literal

_FRAME: Final = re.compile(r'^\s*File "([^"]+)", line (\d{1,9})\b')
_ENGINE: Final = str(Path(engine.contracts.__file__).parents[1] / "work")


def trace_lines(text: str, width: int, most: int | None = None) -> list[Line]:
    """Return a traceback in lines, the last `most` of them, without the engine's own frames."""
    kept, hidden, skipping = [], 0, False
    for row in text.splitlines():
        frame = _FRAME.match(row)
        if frame is not None:
            skipping = frame[1].startswith(_ENGINE)
            hidden += skipping
        elif skipping and not row.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(row)
    if hidden == sum(1 for row in text.splitlines() if _FRAME.match(row)):
        kept = text.splitlines()  # it went wrong in the engine itself
    return [_row(row, width) for row in (kept if most is None else kept[-most:])]


def _row(row: str, width: int) -> Line:
    """One line of a traceback; of a path that is too long, its beginning goes: the name and the line number stay."""
    if (frame := _FRAME.match(row)) is not None and (over := cell_len(row) + 2 - width) > 0:
        path = frame[1]
        short = path[min(over + 1, len(path)) :]
        row = row.replace(path, "…" + (short[short.find("/") :] if "/" in short else short), 1)
    return fit_line([Cell("  "), literal(row, "muted")], width)


def failed_at(text: str, root: Path) -> tuple[str, int] | None:
    """Return the file, relative to the project, and the line of the deepest frame that lies in it."""
    found = None
    for row in text.splitlines():
        if (frame := _FRAME.match(row)) is not None and Path(frame[1]).is_relative_to(root):
            found = str(Path(frame[1]).relative_to(root)), int(frame[2])
    return found


def line_of(text: str, *names: str) -> int | None:
    """Return the line (1-based) at which a key of a YAML text stands, else that of the last key above it that does."""
    at, depth, found = 0, -1, None
    rows = text.splitlines()
    for name in names:
        key = re.compile(rf"""(\s*)(?:-\s+)?['"]?{re.escape(name)}['"]?\s*:""")
        for number in range(at, len(rows)):
            row = rows[number]
            match = key.match(row)
            if match is not None and len(match[1]) > depth:
                at, depth, found = number + 1, len(match[1]), number + 1
                break
            if row.strip() and not row.lstrip().startswith("#") and len(row) - len(row.lstrip()) <= depth:
                return found
        else:
            return found
    return found
