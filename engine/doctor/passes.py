"""How many attempts of each stage passed and failed lately, in minutes; forgotten at a restart."""

from __future__ import annotations

from collections import deque
from typing import Final

KEPT_MIN: Final = 15


class Passes:
    """Counts endings as they are handed in."""

    def __init__(self) -> None:
        self._minutes: dict[int, deque[list[int]]] = {}

    def add(self, stage: int, now: int, *, passed: bool) -> None:
        """One attempt of a stage has ended at `now` (ms UTC)."""
        minutes = self._minutes.setdefault(stage, deque())
        minute = now // 60_000
        if not minutes or minutes[-1][0] != minute:
            minutes.append([minute, 0, 0])
            while minutes[0][0] < minute - 24 * 60:
                minutes.popleft()
        minutes[-1][1 if passed else 2] += 1

    def counted(self, stage: int, now: int, minutes: float = KEPT_MIN) -> tuple[int, int]:
        """(passed, failed) of a stage in the last minutes."""
        since = now // 60_000 - minutes
        passed = failed = 0
        for minute, good, bad in reversed(self._minutes.get(stage, ())):
            if minute < since:
                break
            passed += good
            failed += bad
        return passed, failed

    def forget(self, stage: int) -> None:
        """Begin anew with a stage: what was counted has had its effect."""
        self._minutes.pop(stage, None)
