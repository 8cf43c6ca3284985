"""Source code and differences of it as lines: added and removed ones by sign and colour, Python by its tokens."""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from engine.kit.safe_text import safe_block
from rivus_tui.format import Cell, Line, fit_line, literal, width_of
from rivus_tui.theme import Role

_TOKEN: Final = re.compile(
    r"""(?P<comment>\#.*)|(?P<text>[rbfuRBFU]{0,2}(?:"[^"]*"?|'[^']*'?))|(?P<word>[^\W\d]\w*)|(?P<other>\s+|\d[\w.]*|.)"""
)
_LONGEST: Final = 400
"""Characters of a line that are coloured; the rest is cut."""


def code_cells(text: str, base: Role = "") -> list[Cell]:
    """Return a line of Python with its tokens marked: keywords strong, texts and comments apart."""
    cells: list[Cell] = []
    for match in _TOKEN.finditer(safe_block(text)[:_LONGEST]):
        role: Role = base
        if match.lastgroup == "comment":
            role = "muted"
        elif match.lastgroup == "text":
            role = base or "wait"
        elif match.lastgroup == "word" and keyword.iskeyword(match[0]):
            role = "strong"
        cells.append(literal(match[0], role))
    return cells


def diff_lines(old: str | None, new: str | None, width: int, *, spaces: bool = True) -> list[Line]:
    """Return how `new` differs from `old`; None: there is none on that side. Without `spaces`, lines that differ in
    white space only are equal."""
    before, after = (old or "").splitlines(), (new or "").splitlines()
    lines: list[Line] = []
    for group in _groups(before, after, spaces):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        lines.append(fit_line([literal(f"@@ -{_range(a, b)} +{_range(c, d)} @@", "head")], width))
        for kind, a, b, c, d in group:
            if kind == "equal":
                lines += [_signed(" ", text, "muted", width) for text in after[c:d]]
                continue
            lines += [_signed("-", text, "bad", width) for text in before[a:b]]
            lines += [_signed("+", text, "ok", width) for text in after[c:d]]
    return lines


def beside_lines(old: str | None, new: str | None, width: int, *, spaces: bool = True) -> list[Line]:
    """Return the same side by side: what was on the left, what is on the right."""
    before, after = (old or "").splitlines(), (new or "").splitlines()
    half = max((width - 3) // 2, 8)
    lines: list[Line] = []
    for group in _groups(before, after, spaces):
        lines.append(fit_line([literal(f"@@ {group[0][1] + 1} | {group[0][3] + 1} @@", "head")], width))
        for kind, a, b, c, d in group:
            for left, right in zip_longest(before[a:b], after[c:d]):
                lines.append(
                    (
                        *_half(left, half, "" if kind == "equal" else "bad"),
                        literal(" │ ", "muted"),
                        *_half(right, half, "" if kind == "equal" else "ok"),
                    )
                )
    return lines


def _groups(before: list[str], after: list[str], spaces: bool) -> list[list[tuple[str, int, int, int, int]]]:
    """Return the parts that differ, with three lines around each."""
    sides = [before, after] if spaces else [["".join(text.split()) for text in side] for side in (before, after)]
    matcher = difflib.SequenceMatcher(None, sides[0], sides[1], autojunk=False)
    return [list(group) for group in matcher.get_grouped_opcodes(3)]


def _range(start: int, stop: int) -> str:
    """Return lines as a unified difference names them."""
    n = stop - start
    return f"{start + 1}" if n == 1 else f"{start + (n > 0)},{n}"


def _signed(sign: str, text: str, role: Role, width: int) -> Line:
    base: Role = "" if sign == " " else role
    return fit_line([literal(f"{sign} ", role), *code_cells(text, base)], width)


def is_hunk(line: Line) -> bool:
    """Whether a line begins a part of a difference."""
    return bool(line) and line[0].role == "head" and line[0].text.startswith("@@")


def _half(text: str | None, width: int, role: Role) -> Line:
    sign = {"bad": "- ", "ok": "+ "}.get(role, "  ")
    cells = fit_line([literal(sign, role), *code_cells(text, role)] if text is not None else [], width)
    return (*cells, literal(" " * (width - width_of(cells))))


def whole(lines: Sequence[Line], limit: int) -> list[Line]:
    """Return at most `limit` lines, and say how many more there are."""
    if len(lines) <= limit:
        return list(lines)
    return [*lines[:limit], (literal(f"… {len(lines) - limit:,} more lines", "muted"),)]
