"""What was spent over time as bars: where people look rather than read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rivus_tui.format import Cell, Line, fit, moment, money

_HOUR_MS: Final = 3_600_000
_DAYS_MS: Final = 24 * _HOUR_MS
_STEPS: Final = ((1, _HOUR_MS, "an hour"), (7, 6 * _HOUR_MS, "in six hours"), (30, _DAYS_MS, "a day"))
"""Up to so many days are drawn in such steps, and what a step is called."""
_HEIGHT: Final = 4
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_LABEL: Final = 9


def chart_lines(quarters: Sequence[tuple[int, int]], since: int, now: int, width: int) -> list[Line]:
    """Return bars of what was spent since a time, the newest at the right; nothing where nothing was spent.

    `quarters` has pairs of a time (ms UTC) and micro-dollars.
    """
    days = round((now - since) / _DAYS_MS)
    step, said = next(((step, said) for most, step, said in _STEPS if days <= most), _STEPS[-1][1:])
    number = max(1, -(-(now - since) // step))
    values = [0] * number
    for at, usd_micros in quarters:
        back = (now - at) // step
        if 0 <= back < number:
            values[number - 1 - back] += usd_micros
    top = max(values)
    size = max(1, min(3, (width - _LABEL - 2) // number))
    if top == 0 or _LABEL + number * size > width:
        return []
    lines: list[Line] = [(Cell(f"SPENT {said.upper()}", "head"),)]
    for row in reversed(range(_HEIGHT)):
        label = money(top) if row == _HEIGHT - 1 else "$0" if row == 0 else ""
        drawn = "".join(_part(value / top, row) * max(1, size - 1) + " " * (size > 1) for value in values)
        lines.append((Cell(fit(label, _LABEL - 2, "right") + " |", "muted"), Cell(drawn.rstrip(), "run")))
    begin = moment(since, now)
    end = "now"
    room = max(number * size - len(begin) - len(end), 1)
    lines.append((Cell(" " * _LABEL + begin + " " * room + end, "muted"),))
    return lines


def _part(share: float, row: int) -> str:
    """Return what of a bar stands in one row of the chart; something spent is never nothing."""
    if share <= 0 and row == 0:
        return "·"
    eighths = min(max(round(share * _HEIGHT * 8), 1 if share > 0 else 0) - row * 8, 8)
    return _BLOCKS[max(eighths, 0)]
