"""Discovery: run each job's source when it is due or asked for, and hand over what it yields in bounded batches.

A discovery that raises is a failed run, never an empty list: nothing is found gone for it, and it is tried again with
backoff. A run that was stopped is cut; it closes nothing either.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from engine.contracts.attempt import AttemptError
from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.health import JobHealth
from engine.contracts.http import Http
from engine.contracts.item import Known
from engine.contracts.spec import DiscoverySpec, JobSpec, ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.exceptions import describe, first_line
from engine.kit.tasks import wait_for_any
from engine.rules.retry import backoff_s
from engine.rules.schedule import is_scheduled, latest_run, next_run
from engine.services.backlog import Backlog
from engine.services.heads import Heads
from engine.services.run_context import RunContext
from engine.services.source_run import STORE_AGAIN_S, SourceRun, insist
from engine.store import items as items_part
from engine.store import jobs as jobs_part
from engine.store import runs as runs_part
from engine.store.events import Event, record
from engine.store.health import health
from engine.store.plan import JobPlan
from engine.store.writer import Writer

log = logging.getLogger(__name__)

Told = tuple[str, str, str]
"""What a person is told: what it is about, a title, more."""

PROBLEMS_SHOWN: Final = 100
LONGEST_SLEEP_S: Final = 60.0
ROOM_LOOK_S: Final = 2.0
RETRY_FIRST_S: Final = 30.0


@dataclass(slots=True)
class _Due:
    at: int | None
    """ms UTC; None: only when asked."""
    failures: int = 0
    task: asyncio.Task[None] | None = None
    run: SourceRun | None = None
    """The run that goes on."""
    left_behind: bool = False
    """The source of an earlier run was given up and has not ended."""
    again: bool = False
    """Something has changed that the run which goes on may have looked at before."""


class Discovery:
    """Runs the discoveries of all jobs, one run a job at a time."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        writer: Writer,
        clock: Clock,
        functions: Callable[[str], Callable[[RunContext], Any]],
        http: Http,
        may_run: Callable[[str], bool],
        chance: Callable[[], float],
        judge: Callable[[sqlite3.Connection, JobPlan, AttemptError | None, int], Told | None],
        tell: Callable[[str, str, str], object],
    ) -> None:
        """`judge`: a run has ended with this problem, or well, in the transaction that stores it; returns what `tell`
        tells a person."""
        self._project = project
        self._zone = ZoneInfo(project.settings.timezone)
        self._writer = writer
        self._backlog = Backlog(writer)
        self._clock = clock
        self._functions = functions
        self._http = http
        self._may_run = may_run
        self._chance = chance
        self._judge = judge
        self._tell = tell
        self._due: dict[str, _Due] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._heads = Heads(self._followed, self._committed, self._keep_heads)

    def start(self, stored: Mapping[str, int | None], heads: Mapping[str, str | None], *, now: bool) -> None:
        """Begin; `stored` is when each job was to run next, `now` runs all of them at once whatever it says; `heads`
        is where HEAD of each repository was."""
        at = self._clock.now()
        for job in self._jobs():
            assert job.discovery is not None
            due = stored.get(job.name)
            if now or (is_scheduled(job.discovery) and (due is None or due < at)):
                due = at
            elif not is_scheduled(job.discovery):
                due = None
            self._due[job.name] = _Due(due)
        self._heads.start(heads)
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="discovery")

    def _jobs(self) -> list[JobSpec]:
        return [job for job in self._project.jobs if job.discovery and job.enabled and not job.broken]

    def run_now(self, job: str) -> bool:
        """Run this job's discovery as soon as possible; False when it has none."""
        due = self._due.get(job)
        if due is None:
            return False
        due.at = self._clock.now()
        self._wake.set()
        return True

    def reload(self, project: ProjectSpec, functions: Callable[[str], Callable[[RunContext], Any]], http: Http) -> None:
        """Take a new configuration; runs that go on finish under the old one."""
        self._project = project
        self._zone = ZoneInfo(project.settings.timezone)
        self._functions = functions
        self._http = http
        kept = {job.name for job in self._jobs()}
        self._due = {name: due for name, due in self._due.items() if name in kept or due.task is not None}
        for job in self._jobs():
            assert job.discovery is not None
            due = self._due.setdefault(job.name, _Due(self._clock.now()))
            soonest = next_run(job.discovery, self._clock.now(), self._zone)
            due.at = soonest if due.at is None or soonest is None else min(due.at, soonest)
        self._wake.set()

    def look(self) -> None:
        """Something changed that may let a discovery start (a job was resumed)."""
        self._wake.set()

    @property
    def running(self) -> list[str]:
        """Jobs whose discovery runs now."""
        return [name for name, due in self._due.items() if due.task is not None]

    def is_due(self, job: str) -> bool:
        """Whether a run of this job is going on or about to start."""
        due = self._due.get(job)
        return due is not None and (
            due.task is not None
            or (
                not due.left_behind
                and not self._backlog.waits(job)
                and due.at is not None
                and due.at <= self._clock.now()
                and self._may_run(job)
            )
        )

    async def stop(self) -> None:
        """Cut what runs and end."""
        await self._heads.stop()
        for due in self._due.values():
            if due.run is not None:
                due.run.context.cancelled = True
        tasks = {due.task for due in self._due.values() if due.task is not None}
        if self._task is not None:
            tasks.add(self._task)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5.0)

    async def _loop(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:
                log.exception("looking for discoveries that are due failed")
                await asyncio.sleep(STORE_AGAIN_S)

    async def _look(self) -> None:
        """Start what is due, and wait until the next one is, or something has changed."""
        while True:
            await self.make_room()
            now = self._clock.now()
            silences = self._give_up_the_silent()
            for job in self._jobs():
                due = self._due[job.name]
                if due.at is not None and due.at > now and job.discovery is not None:
                    due.at = min(due.at, latest_run(job.discovery, now, self._zone))
                if due.task is None and self.is_due(job.name):
                    due.task = asyncio.get_running_loop().create_task(self._run(job, due), name=f"discovery {job.name}")
            times = [due.at for due in self._due.values() if due.task is None and due.at is not None and due.at > now]
            # A machine that slept has to notice; a backlog has to be looked at.
            longest = ROOM_LOOK_S if any(map(self._backlog.waits, self._due)) else LONGEST_SLEEP_S
            self._wake.clear()
            waits = [longest, *silences, *((at - now) / 1000 for at in times)]
            await wait_for_any(self._wake, timeout_s=min(waits))

    def _give_up_the_silent(self) -> list[float]:
        """Give up sources that have yielded nothing for longer than they may; returns how long the others may still."""
        left: list[float] = []
        for due in self._due.values():
            if due.run is not None:
                seconds = due.run.may_be_silent_s()
                if seconds > 0.001:  # a wait of less may not move the clock at all
                    left.append(seconds)
                else:
                    due.run.give_up()
        return left

    async def make_room(self) -> bool:
        """Let discoveries run again whose backlog is half worked off; returns whether there is one."""
        found = False
        for job in self._jobs():
            due = self._due.get(job.name)
            if due is not None and due.task is None and self._backlog.waits(job.name) and self._may_run(job.name):
                try:
                    if await self._backlog.has_room(job):
                        due.at, found = self._clock.now(), True
                except (StateError, EngineStopped):
                    return False  # the writer says why; the next look tries again
        return found

    def _followed(self) -> tuple[Path, ...]:
        """Repositories whose commits start a discovery."""
        follows = any(job.discovery and job.discovery.on_commit for job in self._jobs())
        return self._repositories() if follows else ()

    def _committed(self) -> None:
        for job in self._jobs():
            if job.discovery and job.discovery.on_commit and self.run_now(job.name):
                self._due[job.name].again = self._due[job.name].task is not None

    async def _keep_heads(self, marks: Mapping[str, str | None]) -> None:
        await insist(lambda: self._writer.change(lambda connection, _now: jobs_part.keep_heads(connection, marks)))

    def _repositories(self) -> tuple[Path, ...]:
        return tuple(
            Path(os.path.realpath(self._project.root / folder)) for folder in self._project.settings.repositories
        )

    async def _run(self, job: JobSpec, due: _Due) -> None:
        try:
            await self._run_once(job, due)
        except EngineStopped:
            log.warning("the discovery of %s could not be stored", job.name)
        except Exception:
            # Not the source, whose errors end its run: what is around it. Nothing may keep the next run from starting.
            log.exception("the discovery of %s could not be run", job.name)
            due.failures += 1
            wait = backoff_s(due.failures, first_s=RETRY_FIRST_S, max_s=3600.0, chance=self._chance())
            due.at = self._clock.now() + round(wait * 1000)
        finally:
            due.task = due.run = None
            if due.again:
                due.again, due.at = False, self._clock.now()
            self._wake.set()

    async def _run_once(self, job: JobSpec, due: _Due) -> None:
        assert job.discovery is not None
        plan = self._writer.plan.jobs[job.name]
        state: Literal["done", "failed", "cut"] = "failed"
        error: AttemptError | None = None
        if await insist(lambda: self._backlog.is_full(job)):
            due.at = next_run(job.discovery, self._clock.now(), self._zone)
            return
        run_id = await insist(
            lambda: self._writer.change(lambda connection, now: runs_part.start(connection, plan.id, now))
        )
        functions, use = self._functions, job.discovery.use
        run = due.run = SourceRun(
            job=job,
            plan=plan,
            run_id=run_id,
            context=self._context(job, job.discovery, plan),
            source=lambda context: functions(use)(context),  # not before: that there is none is an error of the run
            writer=self._writer,
            backlog=self._backlog,
            clock=self._clock,
        )
        self._wake.set()
        try:
            complete = await run.result()
            state = "done" if complete else "cut"
            due.failures = 0
        except BaseException as raised:  # a discovery is somebody else's code, and may cancel itself
            if isinstance(raised, asyncio.CancelledError) and (me := asyncio.current_task()) and me.cancelling():
                state = "cut"
            else:
                error = describe(raised)
                due.failures += 1
                log.error("the discovery of %s failed", job.name, exc_info=raised)
        due.left_behind = run.when_ended(lambda: self._ended(due))
        await self._finish(job, plan, run, state, error, due)

    def _ended(self, due: _Due) -> None:
        due.left_behind = False
        self._wake.set()

    def _context(self, job: JobSpec, spec: DiscoverySpec, plan: JobPlan) -> RunContext:
        async def load() -> Sequence[Known]:
            return await self._writer.change(lambda connection, _now: items_part.known(connection, plan.id))

        async def look() -> Sequence[JobHealth]:
            return await self._writer.change(lambda connection, _now: health(connection))

        root = self._project.root
        return RunContext(
            job=job.name,
            params=spec.params,
            root=root,
            repositories=self._repositories(),
            log=logging.getLogger("rivus.discovery"),
            http=self._http,
            load_known=load,
            load_jobs=look,
        )

    async def _finish(
        self,
        job: JobSpec,
        plan: JobPlan,
        run: SourceRun,
        state: Literal["done", "failed", "cut"],
        error: AttemptError | None,
        due: _Due,
    ) -> None:
        assert job.discovery is not None
        context = run.context
        complete = state == "done" and context.complete and not context.problems
        now = self._clock.now()
        # A run that a stop has cut is due at the next start; one that yielded too much has its next turn.
        due.at = None if context.cancelled else next_run(job.discovery, now, self._zone)
        if state == "failed" and due.at is not None:
            wait = backoff_s(due.failures, first_s=RETRY_FIRST_S, max_s=3600.0, chance=self._chance())
            due.at = min(due.at, now + round(wait * 1000))

        def store(connection: Any, now: int) -> Told | None:
            gone = 0
            if complete:
                gone = items_part.find_gone(
                    connection,
                    self._writer.plan,
                    source_id=plan.id,
                    seen=run.seen,
                    gone_after=job.gone_after,
                    is_check=job.is_check,
                    now=now,
                    run_id=run.id,
                    covered=context.covered if job.is_check else None,
                )
            record(
                connection,
                [
                    Event(
                        kind="run.problem",
                        level="warning",
                        actor="discovery",
                        job_id=plan.id,
                        text=f"{path}:{line}: {text}" if path and line else f"{path}: {text}" if path else text,
                    )
                    for text, path, line in context.problems[:PROBLEMS_SHOWN]
                ],
                now,
            )
            runs_part.finish(
                connection,
                run.id,
                plan.id,
                state=state,
                gone=gone,
                problems=len(context.problems),
                complete=complete,
                covered=context.covered,
                error=first_line(error) if error is not None else None,
                now=now,
            )
            jobs_part.schedule(connection, plan.id, due.at)
            return self._judge(connection, plan, error, now) if state != "cut" else None

        if (told := await insist(lambda: self._writer.change(store))) is not None:
            self._tell(*told)
        log.info(
            "%s %s: %d items seen, %d problems",
            "check" if job.is_check else "discovery",
            state,
            len(run.seen),
            len(context.problems),
            extra={"job": job.name},
        )
