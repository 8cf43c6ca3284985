"""When a failed attempt is tried again."""

from __future__ import annotations

from typing import Final

INTERRUPTIONS_UNTIL_HOLD: Final = 3
"""An item stage that was running in this many crashes is held for a person: it may be what kills the engine."""


def backoff_s(attempt: int, *, first_s: float, max_s: float, chance: float) -> float:
    """Seconds to wait after the failed `attempt` (1 for the first): doubling, capped, and with jitter.

    `chance` in [0, 1) picks a point in the upper half of the interval ("equal jitter", as in Marc Brooker's AWS
    article "Exponential Backoff and Jitter"), so that items that failed together do not come back together.
    """
    whole = min(max_s, first_s * 2.0 ** min(attempt - 1, 60))
    return whole / 2 + whole / 2 * chance
