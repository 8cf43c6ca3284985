"""Durations by the bucket: four an octave, so that a percentile is known to a fifth from a few numbers an hour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

HOUR_MS: Final = 3_600_000
_PER_OCTAVE: Final = 4


def hour(at: int) -> int:
    """The hour that a time lies in, by its start, ms UTC."""
    return at - at % HOUR_MS


def bucket(ms: int) -> int:
    """The bucket of a duration: 0 below a millisecond, then four for each doubling."""
    return 0 if ms < 1 else 1 + int(_PER_OCTAVE * math.log2(ms) + 1e-9)


def edges(number: int) -> tuple[float, float]:
    """From and below which duration (ms) a bucket holds."""
    if number == 0:
        return 0.0, 1.0
    return 2.0 ** ((number - 1) / _PER_OCTAVE), 2.0 ** (number / _PER_OCTAVE)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration (ms) that `share` (0 to 1) of what is counted stays below, evenly spread within its bucket."""
    total = sum(counts.values())
    if not total:
        return None
    wanted, seen = share * total, 0
    for number in sorted(counts):
        n = counts[number]
        if n and seen + n >= wanted:
            low, high = edges(number)
            return low + (high - low) * max(0.0, wanted - seen) / n
        seen += n
    return edges(max(counts))[1]


def hours_left(open_by_stage: Mapping[int, int], per_hour: Mapping[int, float]) -> float | None:
    """How long what is open takes at the present pace: the slowest stage decides. None where nothing tells the pace."""
    longest = 0.0
    for stage, n in open_by_stage.items():
        if not n:
            continue
        pace = per_hour.get(stage, 0.0)
        if pace <= 0:
            return None
        longest = max(longest, n / pace)
    return longest
