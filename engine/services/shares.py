"""Pace and resources for model calls, out of the same buckets and resources that stages take from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.kit.clock import Clock
from engine.services.allowance import Limits


class ModelShares:
    """What `engine.llm` asks before a request is sent; lives on the engine's loop."""

    def __init__(self, limits: Limits, clock: Clock, taken: Callable[[int], int]) -> None:
        """`taken`: how many of a stage run."""
        self._limits = limits
        self._clock = clock
        self._taken = taken

    def wait_for(self, buckets: Sequence[str], resources: Sequence[str]) -> tuple[str, int | None] | None:
        """Why one grant of each cannot be had now, and when (ms UTC; None: when somebody is done); None: it can."""
        return self._limits.wait_of_call(buckets, resources, self._taken, self._clock.now())

    def take(self, buckets: Sequence[str], resources: Sequence[str]) -> list[tuple[str, float, int]]:
        """Take one of each; returns what has to be stored of the buckets."""
        return self._limits.take_for_call(buckets, resources, self._clock.now())

    def give_back(self, resources: Sequence[str]) -> None:
        """Resources that are held no more."""
        self._limits.give_back(resources)
