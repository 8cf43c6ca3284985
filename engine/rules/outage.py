"""When a mode of a backend has failed too often: nothing is sent for a while, then one request tries."""

from __future__ import annotations

from typing import Final

FAILURES_UNTIL_BROKEN: Final = 5
"""So many failures in a row break the circuit."""
_FIRST_MS: Final = 30_000
_LONGEST_MS: Final = 600_000


def after_failure(failures: int, *, systemic: bool, now: int) -> tuple[int, int]:
    """(failures in a row, broken until in ms UTC; 0: not broken) after one more.

    A systemic failure (a key that is refused) will not go away by itself: it breaks the circuit at once.
    """
    failures = max(failures, FAILURES_UNTIL_BROKEN - 1) + 1 if systemic else failures + 1
    if failures < FAILURES_UNTIL_BROKEN:
        return failures, 0
    wait = _LONGEST_MS if systemic else min(_LONGEST_MS, _FIRST_MS << min(10, failures - FAILURES_UNTIL_BROKEN))
    return failures, now + wait


def is_probe(failures: int) -> bool:
    """Whether the next request only tries whether it works again: one at a time then."""
    return failures >= FAILURES_UNTIL_BROKEN


def throttle_s(retry_after_s: float | None, failures: int) -> float:
    """How long to send nothing after too many requests: what the provider says, else 5 s doubling to 5 min.

    `failures` in a row before this one: who says "at once" and refuses again is given more time than it asks for.
    """
    if retry_after_s is not None:
        return min(max(retry_after_s, float(2 ** min(failures, 6))), 86_400.0)
    return float(min(300.0, 5.0 * 2 ** min(failures, 6)))
