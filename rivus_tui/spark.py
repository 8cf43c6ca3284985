"""Numbers over time as one line of blocks: for a look, not for reading. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the newest `width` values as blocks, the highest one full; a blank where there was nothing."""
    shown = [*values][-width:] if width > 0 else []
    top = max(shown, default=0)
    if top <= 0:
        return " " * (width - len(shown)) + "·" * len(shown)
    drawn = "".join("·" if value <= 0 else _BLOCKS[min(7, int(value / top * 7.999))] for value in shown)
    return " " * (width - len(shown)) + drawn


def bar(part: float, whole: float, width: int) -> str:
    """Return how much of a whole there is, `####....`; never empty when there is something, never over the edge."""
    if width <= 0:
        return ""
    share = 0.0 if whole <= 0 else min(max(part / whole, 0.0), 1.0)
    full = max(1, round(share * width)) if part > 0 else 0
    return "#" * full + "." * (width - full)
