"""What may be claimed now: slots of stages, pace, and shared resources, reserved before anything is claimed.

`Limits` lives on the engine's loop and knows every bucket and resource. For each group of the writer it opens an
`Allowance`, which the writer's thread uses up while it claims; the bucket's numbers are stored in the same transaction
as the claims, and `Limits` takes them over when it was committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Final, Literal

from engine.contracts.rate import Rate
from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import LastLook
from engine.rules import pacing
from engine.rules.scheduler import turn_after
from engine.store.plan import Plan

RUN: Final = "run"
"""The counter of a run that was limited as a whole."""
_JOB: Final = "job:"


@dataclass(slots=True)
class Allowance:
    """How much may be claimed in one group; used by one thread."""

    now: int
    slots: dict[int, int]
    """Stage number → free slots of its own."""
    buckets_of: Mapping[int, tuple[str, ...]]
    """Stage number → buckets that each of its claims takes from."""
    resources_of: Mapping[int, tuple[str, ...]]
    rates: Mapping[str, Rate]
    tats: dict[str, float]
    capacity: dict[str, int]
    """Resource → what is left of it."""
    passed: dict[int, float] = field(default_factory=dict)
    """Stage number → where it stands among those that take turns; the lowest comes first (stride scheduling)."""
    turn: float = 0.0
    """Where the stage stood that had the last turn."""
    weights: dict[int, float] = field(default_factory=dict)
    counters_of: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Stage that items start at → the counters that limit how many may."""
    counters: dict[str, int] = field(default_factory=dict)
    """Counter → how many items may still start."""
    started: dict[str, int] = field(default_factory=dict)
    """Counter → how many items were started."""
    suspects: Literal["none", "alone", "beside"] = "none"
    """Whether rows wait for a run of their own, and whether one that is claimed now would run alone."""
    probes: frozenset[int] = frozenset()
    """Stages that may start something although their jobs are paused."""
    closed: set[int] | None = None
    """Stages at which nothing may start by the state file's word; None: nobody asked it."""
    used: set[str] = field(default_factory=set)
    got: set[int] = field(default_factory=set)

    def is_limited(self, stage: int) -> bool:
        """Whether pace or a resource stands before this stage."""
        return bool(self.buckets_of.get(stage) or self.resources_of.get(stage) or self.counters_of.get(stage))

    def direct(self, hints: Collection[int]) -> dict[int, int]:
        """Slots of stages that nothing limits and in whose queue nothing waits."""
        if self.suspects != "none":
            return {}
        return {stage: n for stage, n in self.slots.items() if stage not in hints and not self.is_limited(stage)}

    def limit(self, stage: int) -> int:
        """How many of this stage may be claimed now."""
        n = self.slots.get(stage, 0)
        if n <= 0 or not self.is_limited(stage):
            return max(0, n)
        for name in self.buckets_of.get(stage, ()):
            n = min(n, pacing.available(self.tats.get(name, 0.0), self.now, self.rates[name]))
        for name in self.resources_of.get(stage, ()):
            n = min(n, self.capacity[name])
        for name in self.counters_of.get(stage, ()):
            n = min(n, self.counters[name])
        return max(0, n)

    def take(self, stage: int, n: int) -> None:
        """`n` of this stage were claimed."""
        self.slots[stage] = self.slots.get(stage, 0) - n
        if n:
            self.got.add(stage)
            if stage in self.weights:
                self.passed[stage] = turn_after(self.passed[stage], n, self.weights[stage])
        for name in self.buckets_of.get(stage, ()):
            self.tats[name] = pacing.granted(self.tats.get(name, 0.0), self.now, self.rates[name], n)
            if n:
                self.used.add(name)
        for name in self.resources_of.get(stage, ()):
            self.capacity[name] -= n
        for name in self.counters_of.get(stage, ()):
            self.counters[name] -= n
            self.started[name] = self.started.get(name, 0) + n

    def close(self, stages: set[int]) -> None:
        """Nothing starts at these stages, whatever was known of them before this group."""
        self.closed = stages
        for stage in stages - self.probes:
            self.slots.pop(stage, None)

    def given(self) -> list[tuple[str, float, int]]:
        """Buckets that gave something: name, theoretical arrival time, when the next grant is free (ms UTC)."""
        return [
            (name, self.tats[name], pacing.next_at(self.tats[name], self.now, self.rates[name])) for name in self.used
        ]

    def counted(self) -> list[tuple[str, int]]:
        """Jobs with a limit of their own, and how many items of each were started."""
        return [(name[len(_JOB) :], n) for name, n in self.started.items() if n and name.startswith(_JOB)]

    def shared(self, stages: Collection[int]) -> list[int]:
        """Those of these stages that pace, a resource or a counter limits, and that may start something now."""
        return [stage for stage in stages if self.is_limited(stage) and self.limit(stage)]

    def turns(self, stages: Collection[int], weights: Mapping[int, float]) -> Iterator[tuple[int, int]]:
        """(stage, at most so many) in a fair order; stages that share a limit take turns in proportion to their weights
        until nothing is left."""
        free = [stage for stage in stages if not self.is_limited(stage)]
        yield from ((stage, self.limit(stage)) for stage in free if self.limit(stage))
        shared = self.shared(stages)
        self.weights = {stage: weights.get(stage, 1.0) for stage in shared}
        for stage in shared:
            # Who had nothing to do for a while has no more turns to catch up with than anybody else.
            self.passed[stage] = max(self.passed.get(stage, 0.0), self.turn)
        while waiting := [stage for stage in shared if self.limit(stage)]:
            stage = min(waiting, key=lambda one: (self.passed[one], one))
            self.turn = self.passed[stage]
            before = self.limit(stage)
            yield stage, 1 if len(shared) > 1 else before
            if self.limit(stage) == before:
                shared.remove(stage)  # a queue that gave nothing is empty: it has had its turn


class Limits:
    """Buckets and resources of the whole project, on the engine's loop."""

    def __init__(self, stored: Mapping[str, float], *, items: int | None = None) -> None:
        """`stored`: bucket → theoretical arrival time, as the state file keeps it; `items`: start so many at most."""
        self._counters: dict[str, int] = {} if items is None else {RUN: items}
        self._counters_of: dict[int, tuple[str, ...]] = {}
        self._limits: dict[str, int] = {}
        self._tats = dict(stored)
        self._passed: dict[int, float] = {}
        self._turn = 0.0
        self._rates: dict[str, Rate] = {}
        self._capacity: dict[str, int] = {}
        self._buckets_of: dict[int, tuple[str, ...]] = {}
        self._resources_of: dict[int, tuple[str, ...]] = {}
        self._calls: Counter[str] = Counter()
        """Resource → model calls that hold it."""
        self._is_open = False
        """An allowance is out: what it takes of shared resources is not known yet."""
        self._slowed: dict[str, int] = {}
        self._look = LastLook()

    def slow(self, stage: int, until: int) -> list[str]:
        """Somebody asked for fewer requests: nothing that takes from this stage's buckets starts before `until` (ms
        UTC); of a stage without one, nothing of itself. Returns the names that are held back."""
        names = [*self._buckets_of.get(stage, ())] or [_own_name(stage)]
        self.hold(dict.fromkeys(names, until))
        return names

    def hold(self, slowed: Mapping[str, int]) -> None:
        """Take over what is held back, and until when."""
        for name, until in slowed.items():
            self._slowed[name] = max(until, self._slowed.get(name, 0))

    def _slowed_until(self, stage: int) -> int:
        if not self._slowed:
            return 0
        names = (*self._buckets_of.get(stage, ()), _own_name(stage))
        return max(self._slowed.get(name, 0) for name in names)

    def configure(self, project: ProjectSpec, plan: Plan) -> None:
        """Take the limits of a configuration; what buckets have given so far stays counted."""
        self._rates, self._capacity = {}, {}
        for resource in project.resources:
            self._capacity[resource.name] = resource.capacity
            if resource.pace is not None:
                self._rates[f"resource:{resource.name}"] = resource.pace
        for backend in project.backends:
            if backend.pace is not None:
                self._rates[f"backend:{backend.name}"] = backend.pace
            for mode in backend.modes.values():
                if mode.pace is not None:
                    self._rates[f"mode:{backend.name}/{mode.name}"] = mode.pace
        self._buckets_of, self._resources_of = {}, {}
        self._counters_of = {}
        before = self._limits
        self._limits = {job.spec.name: job.spec.limit for job in plan.jobs.values() if job.spec.limit is not None}
        for name, limit in self._limits.items():
            counter = f"{_JOB}{name}"
            self._counters[counter] = self._counters.get(counter, limit) + limit - before.get(name, limit)
        whole = (RUN,) if RUN in self._counters else ()
        for job in plan.jobs.values():
            own = (f"{_JOB}{job.spec.name}",) if job.spec.limit is not None else ()
            if whole or own:
                entries = [number for number in job.stages if not plan.stages[number].before]
                self._counters_of |= dict.fromkeys(entries, (*whole, *own))
            if job.spec.pace is not None:
                self._rates[f"job:{job.spec.name}"] = job.spec.pace
            for number in job.stages:
                spec = plan.stages[number].spec
                names = [f"job:{job.spec.name}"] if job.spec.pace is not None else []
                if spec.pace is not None:
                    names.append(f"stage:{job.spec.name}.{spec.name}")
                    self._rates[names[-1]] = spec.pace
                names += [f"resource:{name}" for name in spec.resources if f"resource:{name}" in self._rates]
                self._buckets_of[number] = tuple(names)
                self._resources_of[number] = spec.resources

    def open(self, slots: dict[int, int], taken: Callable[[int], int], now: int) -> Allowance:
        """What may be claimed now, given the free slots of stages and how many of each stage run."""
        if back := self._look.gone_back(now):
            self._slowed = {name: until - back for name, until in self._slowed.items()}
        for name, tat in self._tats.items():
            # A rate that was raised, or a clock that was set back: the bucket is empty at most, from now on.
            if (rate := self._rates.get(name)) is not None:
                self._tats[name] = min(tat, now + rate.burst * pacing.interval_ms(rate))
        capacity = dict(self._capacity)
        for stage, names in self._resources_of.items():
            for name in names:
                capacity[name] -= taken(stage)
        for name, n in self._calls.items():
            if name in capacity:
                capacity[name] -= n
        self._is_open = True
        if self._slowed:
            self._slowed = {name: until for name, until in self._slowed.items() if until > now}
            slots = {stage: n for stage, n in slots.items() if self._slowed_until(stage) <= now}
        return Allowance(
            now=now,
            slots=slots,
            buckets_of=self._buckets_of,
            resources_of=self._resources_of,
            rates=self._rates,
            tats=dict(self._tats),
            capacity=capacity,
            passed=dict(self._passed),
            turn=self._turn,
            counters_of=self._counters_of,
            counters=dict(self._counters),
        )

    def adopt(self, allowance: Allowance) -> None:
        """A group was committed: take over what it used."""
        self._is_open = False
        self._tats |= {name: allowance.tats[name] for name in allowance.used}
        # A job that was resumed meanwhile counts anew: what was started is taken off, not what was left set.
        for name, n in allowance.started.items():
            self._counters[name] = self._counters.get(name, 0) - n
        self._passed |= allowance.passed
        self._turn = allowance.turn

    # Model calls take from the same

    def wait_of_call(
        self, buckets: Sequence[str], resources: Sequence[str], taken: Callable[[int], int], now: int
    ) -> tuple[str, int | None] | None:
        """Why a model call cannot have one of each now, and when (ms UTC; None: when somebody is done)."""
        if resources and self._is_open:
            return "stages are being started", None
        for name in resources:
            held = self._calls[name]
            held += sum(taken(stage) for stage, names in self._resources_of.items() if name in names)
            if held >= self._capacity.get(name, 0):
                return f"resource {name}: {held} of {self._capacity.get(name, 0)} held", None
        for bucket in self._buckets_of_call(buckets, resources):
            rate = self._rates[bucket]
            if not pacing.available(self._tats.get(bucket, 0.0), now, rate):
                return f"pace of {bucket}: {rate}", pacing.next_at(self._tats[bucket], now, rate)
        return None

    def take_for_call(self, buckets: Sequence[str], resources: Sequence[str], now: int) -> list[tuple[str, float, int]]:
        """A model call takes one of each; returns (bucket, theoretical arrival time, next grant) to be stored."""
        self._calls.update(resources)
        stored = []
        for bucket in self._buckets_of_call(buckets, resources):
            rate = self._rates[bucket]
            tat = self._tats[bucket] = pacing.granted(self._tats.get(bucket, 0.0), now, rate, 1)
            stored.append((bucket, tat, pacing.next_at(tat, now, rate)))
        return stored

    def give_back(self, resources: Sequence[str]) -> None:
        """A model call has ended."""
        self._calls.subtract(resources)

    def _buckets_of_call(self, buckets: Sequence[str], resources: Sequence[str]) -> list[str]:
        names = [*buckets, *(f"resource:{name}" for name in resources)]
        return [name for name in names if name in self._rates]

    def count(self, started: Mapping[str, int]) -> None:
        """Take how many items of each job were started since it was last resumed."""
        for job, n in started.items():
            if job in self._limits:
                self._counters[f"{_JOB}{job}"] = self._limits[job] - n

    def may_start(self, stage: int) -> bool:
        """Whether no counter keeps items from starting at a stage."""
        return all(self._counters[name] > 0 for name in self._counters_of.get(stage, ()))

    def used_up(self) -> list[str]:
        """Jobs that have started all that their own limit allows."""
        return [job for job in self._limits if self._counters[f"{_JOB}{job}"] <= 0]

    def next_at(self, stages: Collection[int], now: int) -> int | None:
        """When pace lets the first of these stages go on, ms UTC; None when none of them waits for pace alone."""
        times = []
        for stage in stages:
            waits = [
                pacing.next_at(self._tats.get(name, 0.0), now, self._rates[name])
                for name in self._buckets_of.get(stage, ())
            ]
            waits.append(self._slowed_until(stage))
            if max(waits) > now:
                times.append(max(waits))
        return min(times, default=None)


def _own_name(stage: int) -> str:
    return f"number:{stage}"
