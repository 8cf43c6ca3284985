"""Eligibility: which jobs may start something now, by the hour, by what the user does, and by what is left of a quota.

Looked at every few seconds while a job asks for it, and right when a part of the day begins or ends. What holds a job
is stored when it changes, with when it ends. The same look at the user starts discoveries that wait for a quiet hour.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.seam import Quotas
from engine.contracts.spec import JobSpec, ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.hooks import NoAnswer, ask
from engine.kit.tasks import end_task, wait_for_any
from engine.rules.eligibility import Held, Idle, QuotaNow, job_holds
from engine.store import holds as store
from engine.store.writer import Writer

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
PROBE_S: Final = 5.0
_STEP_MS: Final = 15_000
"""A new end of a hold is stored when it has moved by more: each key of the user moves it a little."""


@dataclass(frozen=True, slots=True)
class _Context:
    """Implements `engine.contracts.seam.ProbeContext`."""

    params: Mapping[str, Any]
    root: Path
    state_dir: Path
    now: int
    started_at: int
    log: logging.Logger


class Eligibility:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        writer: Writer,
        clock: Clock,
        state_dir: Path,
        hook: Callable[[str], Callable[..., Any]],
        quotas: Quotas | None,
        changed: Callable[[], None],
        rested: Callable[[str], object],
    ) -> None:
        """`changed`: jobs may start that were held; `rested`: the user has rested long enough for this discovery."""
        self._project = project
        self._writer = writer
        self._clock = clock
        self._state_dir = state_dir
        self._hook = hook
        self._quotas = quotas
        self._changed = changed
        self._rested = rested
        self._started_at = clock.now()
        self._held: dict[str, tuple[Held, ...]] = {}
        self._told: dict[str, tuple[Held, ...]] = {}
        """What is stored of it."""
        self._unseen = {job.name for job in project.jobs if job.eligibility is not None}
        self._resting: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Go on looking; `look` was called once before."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="eligibility")

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    async def reload(self, project: ProjectSpec, hook: Callable[[str], Callable[..., Any]]) -> None:
        """Take a new configuration."""
        self._project, self._hook = project, hook
        await self.look()
        self._wake.set()

    def holds(self, job: str) -> bool:
        """Whether nothing of this job may start now; before the first look, that of none that asks for one."""
        found = self._held.get(job)
        return job in self._unseen if found is None else bool(found)

    def ask_again(self) -> None:
        """Something has changed (a quota): look now."""
        self._wake.set()

    async def look(self) -> None:
        """Look once at every job, and store what has changed."""
        jobs = [job for job in self._project.jobs if job.eligibility is not None or _waits_for_rest(job)]
        names = {job.name for job in jobs}
        idle = await self._idle() if any(_asks_for_idle(job) for job in jobs) else Idle(None)
        zone = ZoneInfo(self._project.settings.timezone)
        freed = False
        for job in self._project.jobs:
            now_held: tuple[Held, ...] = ()
            if job.name in names and job.eligibility is not None:
                quotas = {name: quota for name in job.eligibility.quota if (quota := self._quota(name)) is not None}
                found = job_holds(job.eligibility, now=self._clock.now(), zone=zone, idle=idle, quotas=quotas)
                now_held = tuple(found)
            freed |= not now_held and self.holds(job.name)
            # First: what is stored next may be committed together with a claim.
            self._held[job.name] = now_held
            if _differs(self._told.get(job.name, ()), now_held):
                await self._tell(job.name, now_held)
                self._told[job.name] = now_held
        self._look_for_rest(jobs, idle)
        if freed:
            self._changed()

    def _look_for_rest(self, jobs: list[JobSpec], idle: Idle) -> None:
        resting = set()
        for job in jobs:
            wanted = job.discovery.on_idle_s if job.discovery is not None else None
            if wanted is not None and idle.seconds is not None and idle.seconds >= wanted:
                resting.add(job.name)
        for name in resting - self._resting:
            self._rested(name)
        self._resting = resting

    async def _tell(self, name: str, held: tuple[Held, ...]) -> None:
        plan = self._writer.plan.jobs[name]
        whys = {one.why: one.until for one in held}
        await self._writer.change(lambda connection, _now: store.tell(connection, plan.id, "eligibility", whys))

    def _quota(self, name: str) -> QuotaNow | None:
        left = self._quotas.left(name) if self._quotas is not None else None
        return None if left is None else QuotaNow(*left)

    async def _idle(self) -> Idle:
        spec = self._project.settings.idle
        context = _Context(
            params=spec.params,
            root=self._project.root,
            state_dir=self._state_dir,
            now=self._clock.now(),
            started_at=self._started_at,
            log=logging.getLogger("rivus.idle"),
        )
        try:
            seconds = await ask(self._hook(spec.use), context, timeout_s=PROBE_S)
        except Exception as error:  # an unresolved name, or no answer: nothing of these jobs starts, and says why
            if not isinstance(error, NoAnswer):
                log.exception("the idle probe cannot be used")
            return Idle(None, f"{spec.use}: {error}")
        if seconds is None:
            return Idle(None, f"{spec.use} cannot tell")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
            return Idle(None, f"{spec.use} answered with no number of seconds")
        return Idle(float(seconds))

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            await wait_for_any(self._wake, timeout_s=self._sleep_s())
            try:
                await self.look()
            except (StateError, EngineStopped):
                pass  # the writer says why; the next look tries again
            except Exception:
                log.exception("looking at who may start failed")

    def _sleep_s(self) -> float | None:
        jobs = [job for job in self._project.jobs if job.eligibility is not None or _waits_for_rest(job)]
        return LOOK_S if jobs else None


def _waits_for_rest(job: JobSpec) -> bool:
    return job.discovery is not None and job.discovery.on_idle_s is not None


def _asks_for_idle(job: JobSpec) -> bool:
    return _waits_for_rest(job) or (job.eligibility is not None and job.eligibility.user_idle_s is not None)


def _differs(before: tuple[Held, ...], now: tuple[Held, ...]) -> bool:
    if [one.why for one in before] != [one.why for one in now]:
        return True
    return any(
        (one.until is None) != (other.until is None)
        or (one.until is not None and other.until is not None and abs(one.until - other.until) > _STEP_MS)
        for one, other in zip(before, now, strict=True)
    )
