"""Time as an argument: wall clock in integer milliseconds UTC, monotonic clock in seconds."""

from __future__ import annotations

import time
from typing import Protocol


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
