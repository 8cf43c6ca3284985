"""Turns: which stages may start something at this moment, and when to ask again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from engine.kit.clock import Clock
from engine.services.allowance import Allowance, Limits
from engine.store.jobs import JobRow
from engine.store.plan import Plan, StagePlan


class Turns:
    """Opens an allowance for each group of the writer; lives on the engine's loop."""

    def __init__(
        self,
        *,
        limits: Limits,
        clock: Clock,
        plan: Callable[[], Plan],
        taken: Callable[[int], int],
        running: Callable[[], int],
        alone: Callable[[], bool],
        may_start: Callable[[], bool],
        held: Callable[[str], bool],
        look: Callable[[], None],
        lacks: Callable[[StagePlan], bool],
        only: Collection[str] | None,
    ) -> None:
        """`taken`: how many of a stage run, `running`: of all; `alone`: whether one runs that must be alone;
        `may_start`: whether anything may start at all; `held`: whether nothing of a job may start now, though the job
        itself is active; `lacks`: whether a stage needs a model that cannot be asked now; `look` claims again."""
        self.limits = limits
        self.job_states: dict[int, str] = {}
        """Number of each job → its state, as last read."""
        self.paused_stages: set[int] = set()
        """Stages that are paused by themselves."""
        self._are_stopped = False
        self._resumed: dict[int, int] = {}
        self._clock = clock
        self._plan = plan
        self._taken = taken
        self._may_start = may_start
        self._held = held
        self._lacks = lacks
        self._look = look
        self._only = frozenset(only) if only is not None else None
        self._look_at: int | None = None
        self._probes: set[int] = set()
        self._closed: set[int] = set()
        """Stages at which nothing may start by the word of the last group that changed anything: known at its commit,
        before the states of jobs are read anew."""
        self._running = running
        self._alone = alone
        self.suspects = True
        """Whether rows may wait for a run of their own; a group that finds none says so."""

    def probe(self, stage: int, may_start: bool) -> None:
        """Let one attempt of this stage start although its job is paused, the doctor's canary; or not any more."""
        if may_start:
            self._probes.add(stage)
            self._look()
        else:
            self._probes.discard(stage)

    def take_states(self, rows: Iterable[JobRow]) -> None:
        """Which jobs may run has changed."""
        found = list(rows)
        # Of a job that was not resumed since, what was started is known better here: claims may be under way.
        self.limits.count({row.name: row.started for row in found if self._resumed.get(row.id) != row.resumed})
        self._resumed = {row.id: row.resumed for row in found}
        self.job_states = {row.id: row.state for row in found}
        self.paused_stages = {stage for row in found for stage in row.paused_stages}

    def may_run(self, job: str) -> bool:
        """Whether this job may run at all; one that a reload is taking away may not, whoever still asks for it."""
        plan = self._plan().jobs.get(job)
        if plan is None or not (self._only is None or job in self._only):
            return False
        return self.job_states.get(plan.id) == "active" and plan.spec.enabled

    def open(self) -> Allowance:
        """What may be claimed now."""
        allowance = self.limits.open(self._free_slots(), self._taken, self._clock.now())
        allowance.probes = frozenset(self._probes)
        if self.suspects:
            allowance.suspects = "beside" if self._running() else "alone"
        return allowance

    def adopt(self, allowance: Allowance, queued: set[int]) -> None:
        """Take over what a group used, and look again when pace lets the next one start."""
        self.limits.adopt(allowance)
        self._probes -= allowance.got
        if allowance.closed is not None:
            self._closed = allowance.closed
        self.suspects = self.suspects and allowance.suspects != "none"
        self.expect(queued)

    def expect(self, queued: Collection[int]) -> None:
        """Look again when pace lets the next one of these stages start; also after their pace has changed."""
        at = self.limits.next_at(queued, self._clock.now())
        if at is not None and (self._look_at is None or at < self._look_at):
            self._look_at = at
            delay = max(0.0, (at - self._clock.now()) / 1000)
            asyncio.get_running_loop().call_later(delay, self._look_again)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Nothing starts meanwhile: the plan may be newer than the limits and functions at hand."""
        self._are_stopped = True
        try:
            yield
        finally:
            self._are_stopped = False

    def left(self, stages: Collection[int], *, work: bool) -> list[int]:
        """Those of these stages whose queues this engine would still work on."""
        plan = self._plan()
        return [
            number
            for number in stages
            if work
            and self.may_run(plan.stages[number].job)
            and not self._held(plan.stages[number].job)
            and self.limits.may_start(number)
            and number not in self.paused_stages
            and not self._lacks(plan.stages[number])
        ]

    def _look_again(self) -> None:
        self._look_at = None
        self._look()

    def _free_slots(self) -> dict[int, int]:
        if self._are_stopped or not self._may_start() or self._alone():
            return {}
        free: dict[int, int] = {}
        held = {job for job in self._plan().jobs if self._held(job)}
        for number, stage in self._plan().stages.items():
            if not stage.spec.enabled or number in self.paused_stages:
                continue
            n = stage.spec.concurrency - self._taken(number)
            if number in self._probes and not self.may_run(stage.job):
                n = min(n, 1)
            elif stage.job in held or number in self._closed or not self.may_run(stage.job):
                continue
            if n > 0 and not self._lacks(stage):
                free[number] = n
        return free
