"""Who is asked next: waiting requests in one order, by urgency, and backends that take the next fitting one at once.

There is no queue per backend: a lane that is free takes the most urgent request that may go on it, so nobody waits for
the slowest, and a request of low urgency passes a more urgent one only on a lane that the other cannot use.
"""

from __future__ import annotations

import asyncio
import bisect
import heapq
import itertools
from collections.abc import Callable
from dataclasses import field

from engine.contracts.models import ModelSpec
from engine.contracts.values import dataclass
from engine.llm.lanes import Hold, Lane, Lanes, Seat, Wait

_NOW_AND_THEN_S = 1.0
"""Backends that are busy without saying until when are asked again so often."""

Rank = tuple[int, int]
"""Urgency, and who came first among equals."""


@dataclass(eq=False, slots=True)
class Ticket:
    """One request that wants a lane."""

    alias: ModelSpec
    lanes: tuple[Lane, ...]
    urgency: int
    give_up_at: int
    """Later than this it does not wait, ms UTC."""
    hold: Hold | None
    granted: asyncio.Future[Seat | Wait]
    rank: Rank = (0, 0)
    told: Wait | None = None
    """What it was last said to wait for."""
    group: _Group | None = None
    """Where it stands; None: not in line."""


@dataclass(eq=False, slots=True)
class _Group:
    """Requests that differ in their urgency and patience alone: what the most urgent one waits for, all wait for."""

    key: tuple[str, tuple[Lane, ...], Hold | None]
    by_rank: list[Ticket] = field(default_factory=list)
    by_patience: list[Ticket] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """All waiting requests, in groups of equals.

    A look asks the lanes about the first of each group, and about those that it gives something: a lane that is free
    again costs the same however many wait. The first of a group knows what it waits for; the others wait for it.
    """

    lanes: Lanes
    now: Callable[[], int]
    changed: Callable[[Ticket], None] = lambda _ticket: None
    """Called when a ticket begins to wait for something else."""
    _groups: dict[tuple[str, tuple[Lane, ...], Hold | None], _Group] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(len(group.by_rank) for group in self._groups.values())

    def enter(self, ticket: Ticket) -> None:
        """Take a place in line; its future is set at once when a lane is free."""
        ticket.rank = (ticket.urgency, next(self._numbers))
        # Who has a place already is kept from a lane by less than others are.
        hold = ticket.hold if ticket.hold is not None and self.lanes.keeps(ticket.hold) else None
        key = (ticket.alias.name, ticket.lanes, hold)
        group = ticket.group = self._groups.setdefault(key, _Group(key))
        bisect.insort(group.by_rank, ticket, key=_rank)
        bisect.insort(group.by_patience, ticket, key=_patience)
        self.look()
        if ticket.granted.done():
            return
        if group.by_rank[0] is not ticket:
            self._tell(ticket, _behind(ticket))
        elif len(group.by_rank) > 1:
            self._tell(group.by_rank[1], _behind(ticket))

    def withdraw(self, ticket: Ticket) -> None:
        """Wait no more."""
        if (group := ticket.group) is None:
            return
        ticket.group = None
        del group.by_rank[bisect.bisect_left(group.by_rank, ticket.rank, key=_rank)]
        del group.by_patience[bisect.bisect_left(group.by_patience, _patience(ticket), key=_patience)]
        if not group.by_rank:
            del self._groups[group.key]

    def look(self) -> None:
        """Something may be free: give lanes to those who fit, the most urgent first."""
        firsts = [(group.by_rank[0].rank, group) for group in self._groups.values()]
        heapq.heapify(firsts)
        soonest: int | None = None
        while firsts:
            _, group = heapq.heappop(firsts)
            until = self._serve(group)
            if until is not None:
                soonest = until if soonest is None else min(soonest, until)
            elif group.by_rank:
                heapq.heappush(firsts, (group.by_rank[0].rank, group))
        self._expect(soonest)

    def _serve(self, group: _Group) -> int | None:
        """See to the first of a group: when to look at the group again, ms UTC; None: at once, it has gone."""
        ticket = group.by_rank[0]
        wait = self._place(ticket)
        if wait is None or self._gives_up(ticket, wait):
            return None
        self._tell(ticket, wait)
        # None of the others is kept from a lane by less; the least patient may want to hear of it before its turn.
        while (other := group.by_patience[0]) is not ticket and self._ends_before(other, wait):
            theirs = self._place(other)
            if theirs is not None and not self._gives_up(other, theirs):
                break
        until = wait.until if wait.until is not None else self.now() + round(_NOW_AND_THEN_S * 1000)
        return min(until, max(group.by_patience[0].give_up_at, self.now() + 1))

    def _ends_before(self, ticket: Ticket, wait: Wait) -> bool:
        """Whether its patience ends before such a wait does."""
        return self.now() >= ticket.give_up_at or (wait.until is not None and wait.until > ticket.give_up_at)

    def _gives_up(self, ticket: Ticket, wait: Wait) -> bool:
        """Send it away where it would not wait for so long."""
        if not self._ends_before(ticket, wait):
            return False
        self.withdraw(ticket)
        ticket.granted.set_result(wait)
        return True

    def _tell(self, ticket: Ticket, wait: Wait) -> None:
        if wait != ticket.told:
            ticket.told = wait
            self.changed(ticket)

    def _place(self, ticket: Ticket) -> Wait | None:
        """Give the first free lane; else say what it waits for: the lane that is free soonest. None: it has gone."""
        if ticket.granted.done():  # its caller has left, and has not got round to saying so
            self.withdraw(ticket)
            return None
        waits = []
        for lane in ticket.lanes:
            wait = self.lanes.wait(ticket.alias, lane, ticket.urgency, ticket.hold)
            if wait is None:
                self.withdraw(ticket)
                ticket.granted.set_result(self.lanes.take(ticket.alias, lane, ticket.hold))
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
        for group in self._groups.values():
            for ticket in group.by_rank:
                ticket.group = None
                ticket.granted.cancel()
        self._groups.clear()


def _rank(ticket: Ticket) -> Rank:
    return ticket.rank


def _patience(ticket: Ticket) -> tuple[int, Rank]:
    return ticket.give_up_at, ticket.rank


def _behind(ticket: Ticket) -> Wait:
    return Wait(f"more urgent requests for {ticket.alias.name} go first", None)
