"""Time as an argument: wall clock in integer milliseconds UTC, monotonic clock in seconds."""

from __future__ import annotations

import time
from typing import Final, Protocol

_FAR_MS: Final = 86_400_000
"""A clock that goes back by more was wrong; by less, it is what people and time servers do."""


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> int:
        """Wall clock, ms UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class LastLook:
    """The time at the last look: it notices that a clock which was far ahead is right again."""

    def __init__(self) -> None:
        self._now = 0

    def gone_back(self, now: int) -> int:
        """By how much a clock that was more than a day ahead has gone back since the last look, ms; 0: it has not.

        Nothing may wait for the time that such a clock showed: who keeps times takes this off them.
        """
        back, self._now = self._now - now, now
        return back if back > _FAR_MS else 0


class ManualClock:
    """A clock that moves only when told to; for tests."""

    def __init__(self, now: int = 1_767_225_600_000) -> None:
        self._now = now
        self._mono = 0.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._mono

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += round(seconds * 1000)
        self._mono += seconds

    def set(self, by_ms: int) -> None:
        """Move the wall clock alone, as a person or a time server does."""
        self._now += by_ms
