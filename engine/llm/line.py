"""Who is asked next: waiting requests in one order, by urgency, and backends that take the next fitting one at once.

There is no queue per backend: a lane that is free takes the most urgent request that may go on it, so nobody waits for
the slowest, and a request of low urgency passes a more urgent one only on a lane that the other cannot use.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.contracts.models import ModelSpec
from engine.llm.lanes import Hold, Lane, Lanes, Wait

_NOW_AND_THEN_S = 1.0
"""Backends that are busy without saying until when are asked again so often."""

Granted = tuple[Lane, list[tuple[str, float, int]]]
"""A lane that was taken, and what has to be stored of its buckets."""


@dataclass(eq=False, slots=True)
class Ticket:
    """One request that wants a lane."""

    alias: ModelSpec
    lanes: tuple[Lane, ...]
    urgency: int
    give_up_at: int
    """Later than this it does not wait, ms UTC."""
    hold: Hold | None
    granted: asyncio.Future[Granted | Wait]
    rank: tuple[int, int] = (0, 0)
    told: Wait | None = None
    """What it was last said to wait for."""


@dataclass(slots=True)
class Line:
    """All waiting requests."""

    lanes: Lanes
    now: Callable[[], int]
    changed: Callable[[Ticket], None] = lambda _ticket: None
    """Called when a ticket begins to wait for something else."""
    _tickets: list[Ticket] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._tickets)

    def enter(self, ticket: Ticket) -> None:
        """Take a place in line; its future is set at once when a lane is free."""
        ticket.rank = (ticket.urgency, next(self._numbers))
        bisect.insort(self._tickets, ticket, key=lambda one: one.rank)
        self.look()

    def withdraw(self, ticket: Ticket) -> None:
        """Wait no more."""
        if ticket in self._tickets:
            self._tickets.remove(ticket)

    def look(self) -> None:
        """Something may be free: give lanes to those who fit, the most urgent first."""
        soonest: int | None = None
        for ticket in tuple(self._tickets):
            if ticket.granted.done():
                self.withdraw(ticket)
                continue
            wait = self._place(ticket)
            if wait is None:
                continue
            now = self.now()
            until = wait.until if wait.until is not None else now + round(_NOW_AND_THEN_S * 1000)
            if (wait.until is not None and wait.until > ticket.give_up_at) or now >= ticket.give_up_at:
                self.withdraw(ticket)
                ticket.granted.set_result(wait)
                continue
            if wait != ticket.told:
                ticket.told = wait
                self.changed(ticket)
            until = min(until, ticket.give_up_at)
            soonest = until if soonest is None else min(soonest, until)
        self._expect(soonest)

    def _place(self, ticket: Ticket) -> Wait | None:
        """Give the first free lane; else say what it waits for: the lane that is free soonest."""
        waits = []
        for lane in ticket.lanes:
            wait = self.lanes.wait(ticket.alias, lane, ticket.urgency, ticket.hold)
            if wait is None:
                stored = self.lanes.take(ticket.alias, lane, ticket.hold)
                self.withdraw(ticket)
                ticket.granted.set_result((lane, stored))
                return None
            waits.append(wait)
        # One that ends when somebody is done is nearer than one with a time.
        return min(waits, key=lambda one: -1 if one.until is None else one.until)

    def _expect(self, at: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(0.001, (at - self.now()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(delay, self.look)

    def close(self) -> None:
        """Nobody waits any more."""
        self._expect(None)
        for ticket in self._tickets:
            ticket.granted.cancel()
        self._tickets.clear()
