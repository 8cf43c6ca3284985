"""The breaker: a score that failures raise and time lowers; open, it is probed with one canary."""

from __future__ import annotations

from typing import Final

HALF_LIFE_MS: Final = 600_000
"""A failure counts half after ten minutes."""
LONGEST_PROBE_S: Final = 6 * 3_600.0
LEAST_ATTEMPTS: Final = 10
"""So few attempts in the window say nothing about an error rate."""


def decayed(score: float, at: int, now: int) -> float:
    """The score of the time `at` (ms UTC) as it counts now; a clock that went back changes nothing."""
    age = max(0, now - at)
    return float(score * 2.0 ** (-min(age / HALF_LIFE_MS, 60.0)))


def trips(score: float, threshold: float | None) -> bool:
    """Whether so many failures open the breaker; None: it never opens.

    Half a failure is allowed for the time between them: three at the threshold of three open it, though the first is
    some minutes old.
    """
    return threshold is not None and score > threshold - 0.5


def probe_after_s(first_s: float, tries: int) -> float:
    """Seconds until the next canary, after `tries` that failed."""
    return float(min(LONGEST_PROBE_S, first_s * 2.0 ** min(tries, 30)))


def too_many_errors(failed: int, passed: int, limit: float | None) -> bool:
    """Whether the share of failed attempts is over the limit."""
    return limit is not None and failed + passed >= LEAST_ATTEMPTS and failed > limit * (failed + passed)
