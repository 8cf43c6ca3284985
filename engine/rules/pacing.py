"""Pace: the generic cell rate algorithm (GCRA, ITU-T I.371), a token bucket that is one number.

The number is the *theoretical arrival time* (TAT, ms UTC): when the bucket would be full again. One grant moves it on
by the emission interval; as many grants are free now as fit between now and the TAT within the burst. It survives
restarts as it is, a changed rate or burst applies at once, and a clock that was set back is bounded.
"""

from __future__ import annotations

from engine.contracts.rate import Rate


def interval_ms(rate: Rate) -> float:
    """Time between two grants at the steady rate."""
    return rate.per_s * 1000 / rate.count


def settled(tat: float, now: int, rate: Rate) -> float:
    """The TAT as it counts now: never in the past, and never further ahead than a full burst puts it."""
    return min(max(tat, float(now)), now + rate.burst * interval_ms(rate))


def available(tat: float, now: int, rate: Rate) -> int:
    """How many grants are free at `now`."""
    room = rate.burst * interval_ms(rate) - (settled(tat, now, rate) - now)
    # Half a microsecond of slack: sums of fractions must not lose a whole grant.
    return max(0, int((room + 0.0005) // interval_ms(rate)))


def granted(tat: float, now: int, rate: Rate, n: int) -> float:
    """The TAT after `n` grants at `now`."""
    return settled(tat, now, rate) + n * interval_ms(rate)


def next_at(tat: float, now: int, rate: Rate) -> int:
    """When the next grant is free, ms UTC; `now` if one is."""
    if available(tat, now, rate):
        return now
    wait = settled(tat, now, rate) - now - (rate.burst - 1) * interval_ms(rate)
    return now + max(1, -int(-wait // 1))
