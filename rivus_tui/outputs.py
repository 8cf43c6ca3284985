"""What a stage left, as lines to read: known parts (`facts`, `summary`, `snippet`) nicely, the rest as it is. Pure.

`facts` is a list of [label, value], `summary` a text, `snippet` a dict of path, start (1-based), here (the line that
matters) and lines. Any job may use them; whatever has another shape is shown like every other value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.cells import cell_len

from rivus_tui.format import Cell, Line, cell, fit, fit_line, literal, place, wrap

_KNOWN: Final = ("summary", "facts", "snippet")
_LABEL: Final = 14
_MAX_LINES: Final = 2_000
_MAX_DEPTH: Final = 6
_SHORT: Final = 60
"""Characters that a list of plain values may take on one line."""


def output_lines(output: Mapping[str, Any], width: int) -> list[Line]:
    """Return a stage's output as lines of at most `width` cells."""
    lines: list[Line] = []
    parts = [
        part
        for part in (
            _summary(output.get("summary"), width),
            _snippet(output.get("snippet"), width),
            _facts(output.get("facts"), width),
        )
        if part
    ]
    shown = {name for name in _KNOWN if _is_known(name, output.get(name))}
    rest = {name: value for name, value in output.items() if name not in shown}
    if rest:
        parts.append(value_lines(rest, width))
    for part in parts:
        if lines:
            lines.append(())
        lines += part
    return lines


def value_lines(value: Any, width: int, indent: int = 0) -> list[Line]:
    """Return any JSON value as readable lines, in the manner of YAML."""
    lines: list[Line] = []
    _write(lines, value, width, indent, 0)
    if len(lines) > _MAX_LINES:
        hidden = len(lines) - _MAX_LINES
        return [*lines[:_MAX_LINES], (Cell(f"… {hidden:,} more lines", "muted"),)]
    return lines


def label_line(label: str, value: Cell, width: int, size: int = _LABEL) -> Line:
    """Return a label and a value beside it."""
    return fit_line([Cell(fit(cell(label).text, size) + " ", "muted"), value], width)


def _is_known(name: str, value: Any) -> bool:
    if name == "summary":
        return isinstance(value, str)
    if name == "facts":
        return isinstance(value, Sequence) and not isinstance(value, str) and all(_is_pair(fact) for fact in value)
    return isinstance(value, Mapping) and _is_list(value.get("lines")) and isinstance(value.get("start", 1), int)


def _is_pair(value: Any) -> bool:
    return _is_list(value) and len(value) == 2


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _summary(value: Any, width: int) -> list[Line]:
    if not isinstance(value, str) or not value.strip():
        return []
    lines: list[Line] = []
    for paragraph in value.splitlines():
        lines += [(Cell(text),) for text in wrap(cell(paragraph, limit=20_000).text, width)]
    return lines


def _facts(value: Any, width: int) -> list[Line]:
    if not _is_known("facts", value):
        return []
    size = min(max((cell_len(cell(label).text) for label, _ in value), default=0), max(_LABEL, width // 3))
    lines: list[Line] = []
    for label, fact in value:
        room = max(width - size - 1, 8)
        rows = wrap(cell(_scalar(fact)).text, room) or [""]
        lines.append((Cell(fit(cell(label).text, size) + " ", "muted"), Cell(rows[0])))
        lines += [(Cell(" " * (size + 1)), Cell(row)) for row in rows[1:]]
    return lines


def _snippet(value: Any, width: int) -> list[Line]:
    if not _is_known("snippet", value):
        return []
    start, here = value.get("start", 1), value.get("here")
    lines: list[Line] = []
    if value.get("path"):
        lines.append(fit_line([place(str(value["path"]), here if isinstance(here, int) else None)], width))
    digits = len(str(start + len(value["lines"])))
    for number, text in enumerate(value["lines"], start):
        is_here = number == here
        mark = Cell("> " if is_here else "  ", "wait")
        code = literal(str(text), "strong" if is_here else "")
        lines.append(fit_line([mark, Cell(f"{number:>{digits}} ", "muted"), code], width))
    return lines


def _scalar(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_scalar(inner)}" for name, inner in value.items())
    if _is_list(value):
        return ", ".join(_scalar(inner) for inner in value)
    return str(value)


def _write(lines: list[Line], value: Any, width: int, indent: int, depth: int) -> None:
    pad = Cell(" " * indent)
    if len(lines) > _MAX_LINES:
        return
    if depth > _MAX_DEPTH:
        lines.append(fit_line([pad, Cell("…", "muted")], width))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            label = Cell(f"{cell(str(name)).text}:", "muted")
            if _is_block(inner):
                lines.append(fit_line([pad, label], width))
                _write(lines, inner, width, indent + 2, depth + 1)
            else:
                lines.append(fit_line([pad, label, Cell(" "), cell(_scalar(inner))], width))
    elif _is_list(value):
        for inner in value:
            if _is_block(inner):
                lines.append(fit_line([pad, Cell("-", "muted")], width))
                _write(lines, inner, width, indent + 2, depth + 1)
            else:
                lines.append(fit_line([pad, Cell("- ", "muted"), cell(_scalar(inner))], width))
    else:
        for text in str(value).splitlines():
            if cell_len(text) + indent <= width:
                lines.append((pad, literal(text)))
            else:
                lines += [(pad, Cell(row)) for row in wrap(cell(text, limit=20_000).text, max(width - indent, 8))]


def _is_block(value: Any) -> bool:
    if isinstance(value, Mapping):
        return len(value) > 0
    if _is_list(value):
        # A few plain values stand on one line: a pair, a list of words.
        return any(_is_block(inner) or isinstance(inner, Mapping) for inner in value) or len(_scalar(value)) > _SHORT
    return isinstance(value, str) and ("\n" in value or len(value) > 100)
