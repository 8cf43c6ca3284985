"""Lanes: one mode of one backend each, with what keeps it from taking a request now.

The state file has the record of truth of quotas, blocks and failures; what stands here is its copy for quick decisions,
corrected by what the store refuses. Places (how many requests are on their way) are counted here alone: no request of a
dead engine is on its way.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from engine.contracts.llm import Backend, Price
from engine.contracts.models import BackendSpec, ModelSpec, ModeSpec
from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import LastLook
from engine.rules.outage import is_probe
from engine.store.quotas import QuotaRow, names

log = logging.getLogger(__name__)

Lane = tuple[str, str]
"""(backend, mode)"""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a lane takes nothing now, and until when (ms UTC; None: until somebody is done)."""

    why: str
    until: int | None


class Shares(Protocol):
    """Pace and resources, shared with stages."""

    def wait_for(self, buckets: Sequence[str], resources: Sequence[str]) -> tuple[str, int | None] | None:
        """Why one grant of each cannot be had now, and when; None: it can."""
        ...

    def take(self, buckets: Sequence[str], resources: Sequence[str]) -> list[tuple[str, float, int]]:
        """Take one of each; returns what has to be stored of the buckets."""
        ...

    def give_back(self, resources: Sequence[str]) -> None:
        """Resources that are held no more."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """A request's place on a lane, from when it was given to when the request has ended.

    What a new configuration says of the backend meanwhile, or that it is gone, does not concern it.
    """

    lane: Lane
    spec: BackendSpec
    backend: Backend
    stored: list[tuple[str, float, int]]
    """What has to be stored of the buckets that it was taken from."""

    def price(self) -> Price | None:
        """As configured for the mode or the backend, else as the backend knows it."""
        mode = self.spec.modes.get(self.lane[1])
        return (mode.price if mode else None) or self.spec.price or self.backend.price(self.lane[1])


@dataclass(slots=True)
class _Quota:
    per_day: int | None
    used: int = 0
    resets_at: int = 0
    blocked_until: int = 0
    failures: int = 0
    broken_until: int = 0
    why: str | None = None


@dataclass(eq=False, slots=True)
class Hold:
    """A place that a conversation keeps between its turns."""

    backend: str
    urgency: int
    lost: Callable[[str], None]
    """Called with why, when somebody more urgent takes the place."""
    is_idle: bool = True
    """False while one of its turns is on its way: that is never interrupted."""


@dataclass(slots=True)
class Lanes:
    """All lanes of the project."""

    shares: Shares
    now: Callable[[], int]
    _backends: dict[str, tuple[BackendSpec, Backend]] = field(default_factory=dict)
    _quotas: dict[str, _Quota] = field(default_factory=dict)
    _busy: Counter[str] = field(default_factory=Counter)
    """Requests on their way, by backend and by backend/mode."""
    _holds: list[Hold] = field(default_factory=list)
    _seats: set[Seat] = field(default_factory=set)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has ended."""
    _last_look: LastLook = field(default_factory=LastLook)

    def configure(self, project: ProjectSpec, backends: Mapping[str, Backend], rows: Mapping[str, QuotaRow]) -> None:
        """Take a configuration; what is on its way stays counted."""
        self._backends = {spec.name: (spec, backends[spec.name]) for spec in project.backends if spec.name in backends}
        self._quotas = {
            row.name: _Quota(
                row.per_day, row.used, row.resets_at, row.blocked_until, row.failures, row.broken_until, row.why
            )
            for row in rows.values()
        }

    async def unused(self, backend: Backend) -> None:
        """Return when no request is on its way to a backend."""
        while any(seat.backend is backend for seat in self._seats):
            self._left.clear()
            await self._left.wait()

    def _mode(self, lane: Lane) -> ModeSpec | None:
        return self._backends[lane[0]][0].modes.get(lane[1])

    def wait(self, alias: ModelSpec, lane: Lane, urgency: int, hold: Hold | None = None) -> Wait | None:
        """Why this lane cannot take a request of this urgency now; None: it can. The longest wait is told first."""
        if lane[0] not in self._backends:
            return Wait(f"{lane[0]} is not configured any more", None)
        spec, backend = self._backends[lane[0]]
        now = self._look()
        for name in names(*lane, alias.name):
            quota = self._quotas.get(name)
            if quota is None:
                continue
            if quota.per_day is not None and quota.resets_at > now and quota.used >= quota.per_day:
                return Wait(f"quota of {name}: {quota.used} of {quota.per_day} used today", quota.resets_at)
            if quota.broken_until > now:
                return Wait(f"{name} failed {quota.failures} times in a row ({quota.why})", quota.broken_until)
            if quota.blocked_until > now:
                return Wait(f"{name} asks to wait ({quota.why})", quota.blocked_until)
            if is_probe(quota.failures) and self._busy[name]:
                return Wait(f"{name} is being tried again by another request", None)
        if busy := _busy(lane[0], backend):
            return Wait(f"{lane[0]} is busy: {busy}", None)
        return self._place(spec, lane, urgency, hold) or self._pace(spec, lane)

    def _place(self, spec: BackendSpec, lane: Lane, urgency: int, hold: Hold | None) -> Wait | None:
        kept = sum(
            1
            for other in self._holds
            if other.backend == spec.name and other is not hold and other.is_idle and other.urgency <= urgency
        )
        taken = self._busy[spec.name] + kept
        if taken >= spec.concurrency:
            return Wait(f"{spec.name}: {taken} of {spec.concurrency} places taken", None)
        mode, name = self._mode(lane), "/".join(lane)
        if mode is not None and mode.concurrency is not None and self._busy[name] >= mode.concurrency:
            return Wait(f"{name}: {self._busy[name]} of {mode.concurrency} places taken", None)
        return None

    def _pace(self, spec: BackendSpec, lane: Lane) -> Wait | None:
        waits = self.shares.wait_for(self._buckets(spec, lane), spec.resources)
        return Wait(*waits) if waits is not None else None

    def _buckets(self, spec: BackendSpec, lane: Lane) -> list[str]:
        mode = self._mode(lane)
        found = [f"backend:{spec.name}"] if spec.pace is not None else []
        return found + ([f"mode:{'/'.join(lane)}"] if mode is not None and mode.pace is not None else [])

    def take(self, alias: ModelSpec, lane: Lane, hold: Hold | None = None) -> Seat:
        """One request goes on this lane."""
        spec, backend = self._backends[lane[0]]
        for name in names(*lane, alias.name):
            self._busy[name] += 1
            if (quota := self._quotas.get(name)) is not None:
                if quota.resets_at <= self.now():
                    quota.used = 0  # the store says when the new day ends
                quota.used += 1
        if hold is not None:
            # From here on it has a place to keep; while it only waits, it must not keep others from one.
            hold.backend, hold.is_idle = spec.name, False
            if hold not in self._holds:
                self._holds.append(hold)
        self._evict(spec, hold)
        seat = Seat(lane, spec, backend, self.shares.take(self._buckets(spec, lane), spec.resources))
        self._seats.add(seat)
        return seat

    def _evict(self, spec: BackendSpec, hold: Hold | None) -> None:
        """Idle conversations lose their place to a more urgent request, the least urgent one first."""
        idle = [one for one in self._holds if one.backend == spec.name and one is not hold and one.is_idle]
        while idle and self._busy[spec.name] + len(idle) > spec.concurrency:
            least = max(idle, key=lambda one: one.urgency)
            idle.remove(least)
            self._holds.remove(least)
            least.lost(f"a more urgent request took {spec.name}")

    def leave(self, alias: ModelSpec, seat: Seat, hold: Hold | None = None) -> None:
        """Its request has ended."""
        for name in names(*seat.lane, alias.name):
            self._busy[name] -= 1
        if hold is not None:
            hold.is_idle = True
        self._seats.remove(seat)
        self._left.set()
        self.shares.give_back(seat.spec.resources)

    def keeps(self, hold: Hold) -> bool:
        """Whether this conversation has its place still."""
        return hold in self._holds

    def drop(self, hold: Hold) -> None:
        """It does not keep it any more."""
        if hold in self._holds:
            self._holds.remove(hold)

    def left(self, alias: ModelSpec) -> tuple[int, int | None] | None:
        """Uses that are left today on the lane with the most, and when they begin anew; None: no quota counts them."""
        now, found = self.now(), []
        for lane in alias.lanes:
            counted = [
                (quota.per_day - (quota.used if quota.resets_at > now else 0), quota.resets_at)
                for name in names(*lane, alias.name)
                if (quota := self._quotas.get(name)) is not None and quota.per_day is not None
            ]
            if not counted:
                return None
            found.append(min(counted))
        most, resets_at = max(found)
        return max(0, most), resets_at if resets_at > now else None

    # What was learnt

    def correct(self, name: str, *, used_until: int) -> None:
        """The store says that this quota is used up, whatever is known of it here."""
        quota = self._quotas.setdefault(name, _Quota(0))
        quota.per_day = quota.per_day or 0
        quota.used, quota.resets_at = max(quota.used, quota.per_day), used_until

    def counted(self, alias: ModelSpec, lane: Lane, resets_at: int) -> None:
        """The store has taken one of each quota; a new day may have begun with it."""
        for name in names(*lane, alias.name):
            if (quota := self._quotas.get(name)) is not None and quota.resets_at <= self.now():
                quota.resets_at = resets_at

    def not_sent(self, alias: ModelSpec, lane: Lane) -> None:
        """The request was not sent after all."""
        for name in names(*lane, alias.name):
            if (quota := self._quotas.get(name)) is not None:
                quota.used = max(0, quota.used - 1)

    def _look(self) -> int:
        """The time; where the clock was far ahead and is right again, nothing waits for the time that it showed."""
        now = self.now()
        if back := self._last_look.gone_back(now):
            for quota in self._quotas.values():
                quota.blocked_until -= back
                quota.broken_until -= back
        return now

    def failures(self, lane: Lane) -> int:
        """Failures of this lane in a row."""
        quota = self._quotas.get("/".join(lane))
        return quota.failures if quota is not None else 0

    def is_blocked(self, lane: Lane) -> bool:
        """Whether this lane has asked to wait, and the time is not over."""
        now, quota = self._look(), self._quotas.get("/".join(lane))
        return quota is not None and quota.blocked_until > now

    def mark(self, lane: Lane, *, failures: int, broken_until: int, blocked_until: int, why: str | None) -> None:
        """How this lane fares."""
        if (quota := self._quotas.get("/".join(lane))) is not None:
            quota.failures, quota.broken_until, quota.why = failures, broken_until, why
            quota.blocked_until = max(quota.blocked_until, blocked_until)


def _busy(name: str, backend: Backend) -> str | None:
    """Why a backend can take nothing now; it is somebody else's code, and all who wait depend on the answer."""
    try:
        return backend.busy()
    except Exception as error:
        log.exception("the backend %s cannot say whether it is busy", name)
        return f"it cannot say ({type(error).__name__})"
