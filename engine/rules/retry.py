"""When a failed, postponed or interrupted attempt is tried again, and when a person has to say so."""

from __future__ import annotations

from typing import Final, Literal

SUSPECT_AFTER: Final = 2
"""An item stage that was running in this many crashes runs alone from then on: it may be what kills the engine."""
HOLD_AFTER: Final = 3
"""One that was interrupted so often, the last time while it ran alone, is held for a person."""
HOLD_ANYWAY_AFTER: Final = 6
"""One that was interrupted so often is held whatever ran beside it."""
ONCE_ONLY: Final = "and `on_interrupt: hold` lets it run once only; answer to run it again"
ALONE_S: Final = 30.0
"""A suspect that has run alone for so long lets others run beside it; a long one must not stop all work."""


def backoff_s(attempt: int, *, first_s: float, max_s: float, chance: float) -> float:
    """Seconds to wait after the failed `attempt` (1 for the first): doubling, capped, and with jitter.

    `chance` in [0, 1) picks a point in the upper half of the interval ("equal jitter", as in Marc Brooker's AWS
    article "Exponential Backoff and Jitter"), so that items that failed together do not come back together.
    """
    whole = min(max_s, first_s * 2.0 ** min(attempt - 1, 60))
    return whole / 2 + whole / 2 * chance


def after_interruption(
    interruptions: int, *, alone: bool, policy: Literal["retry", "hold"]
) -> tuple[Literal["ready", "later", "waiting"], str]:
    """Where an interrupted row goes, and why; `interruptions` counts this one.

    `ready`: back in the queue; `later`: it waits for a run of its own; `waiting`: for a person. `alone`: nothing else
    ran beside it, so nobody else can have stopped the engine.
    """
    if policy == "hold":
        return "waiting", f"interrupted while it ran, {ONCE_ONLY}"
    if (alone and interruptions >= HOLD_AFTER) or interruptions >= HOLD_ANYWAY_AFTER:
        return "waiting", f"interrupted {interruptions} times while it ran; it may be what stops the engine"
    if interruptions >= SUSPECT_AFTER:
        return "later", f"interrupted {interruptions} times while it ran; it runs alone next"
    return "ready", "interrupted"


def out_of_patience(times: int, since: int | None, now: int, *, count_max: int, age_max_s: float) -> str | None:
    """Say that a row was put off too often or for too long; `times` counts this time, `since` and `now` are ms UTC.

    None: it may be put off once more.
    """
    if times > count_max:
        return f"put off {count_max} times, which is as often as it may be (`later_times`)"
    if since is not None and now - since > age_max_s * 1000:
        return f"put off for {_days(age_max_s)}, which is as long as it may be (`later_for`)"
    return None


def _days(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            n = round(seconds / size)
            return f"{n} {name}" if n == 1 else f"{n} {name}s"
    return f"{seconds:g} seconds"
