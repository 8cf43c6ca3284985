"""What the writer needs of the engine around it: what may be claimed, and somebody who is told what a group came to."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, Protocol

from engine.store.claims import Claim


class Allowance(Protocol):
    """What may be claimed in one group; the writer's thread uses it up."""

    suspects: Literal["none", "alone", "beside"]
    """Whether rows wait for a run of their own, and whether one that is claimed now would run alone; `none` is set when
    there are none."""

    def direct(self, hints: Collection[int]) -> dict[int, int]:
        """Slots of stages that nothing limits and in whose queue (`hints`) nothing waits."""
        ...

    def limit(self, stage: int) -> int:
        """How many of this stage may be claimed now."""
        ...

    def take(self, stage: int, n: int) -> None:
        """`n` of this stage were claimed."""
        ...

    def shared(self, stages: Collection[int]) -> list[int]:
        """Those of these stages that share something scarce and may start something now."""
        ...

    def turns(self, stages: Collection[int], weights: Mapping[int, float]) -> Iterator[tuple[int, int]]:
        """(stage, at most so many), in a fair order; asked again after each `take`."""
        ...

    def given(self) -> list[tuple[str, float, int]]:
        """Buckets that gave something: name, theoretical arrival time, when the next grant is free (ms UTC)."""
        ...

    def close(self, stages: set[int]) -> None:
        """These are the stages at which nothing may start any more: a change of this group may have paused some."""
        ...

    def counted(self) -> list[tuple[str, int]]:
        """Jobs with a limit of their own, and how many items of each were started."""
        ...


class Dispatch(Protocol):
    """What the writer asks of whoever runs attempts."""

    def allowance(self) -> Allowance:
        """What may be claimed now."""
        ...

    def guard(self, connection: sqlite3.Connection, now: int) -> set[int]:
        """Money was booked: pause what has reached its limit, in the same transaction; returns the jobs' numbers."""
        ...

    def adopt(self, allowance: Allowance, queued: set[int]) -> None:
        """A group was committed: take over what it used; something still queues at these stages."""
        ...

    def start_attempts(self, claimed: list[Claim]) -> None:
        """Run these."""
        ...

    def revoke(self, refused: list[Claim]) -> None:
        """These attempts ended too late and were refused."""
        ...

    def died(self) -> None:
        """The writer has ended on an error of its own; nothing can be stored any more."""
        ...

    def committed(self, *, next_later: int | None, paused: Collection[int]) -> None:
        """A group was committed; `next_later` is the earliest time at which a row of it comes back, `paused` are
        the numbers of the jobs that a guard has paused in it."""
        ...
