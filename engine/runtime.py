"""The engine at work: its parts, put together and started, on one event loop.

Order at start: state file made ready, epoch counted, jobs synchronised, rows of dead epochs given back to the queue
(this engine is alone, so at once), then writer, timers, attempts and discovery. Order at stop: discovery is cut,
attempts end or are released, the writer stores what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from engine.config.changes import changes
from engine.config.resolve import Resolver
from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.spec import ProjectSpec
from engine.kit.clock import Clock
from engine.kit.tasks import wait_for_any
from engine.services import commands
from engine.services.allowance import Allowance, Limits
from engine.services.discovery import Discovery
from engine.services.guards import Guards
from engine.services.pruner import Pruner
from engine.services.reload import Reload
from engine.services.timers import Timers
from engine.store import claims, items, jobs, runs
from engine.store import limits as store_limits
from engine.store import writer as store
from engine.store.claims import Claim
from engine.store.db import Database
from engine.store.events import Event, record
from engine.store.plan import Plan
from engine.store.state_dir import StateDir
from engine.store.writer import Writer
from engine.work.attempts import Attempts
from engine.work.processes import WorkerProcesses

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first transaction of an engine gives."""

    epoch: int
    plan: Plan
    job_states: Mapping[int, str]
    next_runs: Mapping[str, int | None]
    next_later: int | None
    buckets: Mapping[str, float]


class Runtime:
    """Lives on the engine's loop; every method must be called there."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        state: StateDir,
        clock: Clock,
        only: Collection[str] | None = None,
        limit: int | None = None,
        work: bool = True,
        chance: random.Random | None = None,
        on_change: Callable[[], None] = lambda: None,
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        """`only`: the jobs that may run; the others are looked at but neither discovered nor claimed. `limit`: start
        so many items at most. `work`: False only discovers. `on_death` is called when nothing can be stored any more.
        """
        self._work = work
        self._limit = limit
        self.project = project
        self.epoch = 0
        self._state = state
        self._clock = clock
        self._only = frozenset(only) if only is not None else None
        self._chance = chance or random.Random()
        self._on_change = on_change
        self._on_death = on_death
        self._draining = False
        self._job_states: dict[int, str] = {}
        self._quiet = asyncio.Event()
        self._stopping = False
        self._look_at: int | None = None
        self._chores: set[asyncio.Task[None]] = set()

    async def start(self, *, discover: bool = False, idle: bool = False) -> None:
        """Start every part. `discover`: run each discovery at once; `idle`: run nothing, only take commands."""
        self._draining = idle
        begun = await self._begin()
        resolver = Resolver(self._folder)
        self.epoch = begun.epoch
        self._job_states = dict(begun.job_states)
        self.processes = WorkerProcesses(self.project.settings.workers, folder=self._folder)
        self.limits = Limits(begun.buckets, items=self._limit)
        self.limits.configure(self.project, begun.plan)
        self.writer = Writer(self._database, self._clock, self, epoch=begun.epoch)
        self.writer.plan = begun.plan
        self.attempts = Attempts(
            clock=self._clock,
            chance=self._chance,
            root=self.project.root,
            artifacts=self._state.artifacts,
            handlers=resolver.handler,
            processes=self.processes,
            hand_in=self.writer.hand_in,
        )
        self.timers = Timers(
            writer=self.writer,
            clock=self._clock,
            epoch=begun.epoch,
            alive=self.attempts.alive,
            woken=self._look_at_jobs,
        )
        self.guards = Guards(
            project=self.project,
            writer=self.writer,
            folder=self._state.path,
            tell=partial(self._tell_problem, "disk"),
        )
        self.discovery = Discovery(
            project=self.project,
            writer=self.writer,
            clock=self._clock,
            functions=resolver.discovery,
            may_run=self._may_run,
            chance=self._chance.random,
        )
        self.reload = Reload(
            project=self.project,
            clock=self._clock,
            apply=self._take_configuration,
            tell=partial(self._tell_problem, "configuration"),
        )
        self.pruner = Pruner(self.writer)
        self.writer.start()
        self.timers.start(begun.next_later)
        if not idle:
            self.discovery.start(begun.next_runs, now=discover)
            self.reload.start()
            self.pruner.start()
            self.guards.start()
            self.writer.look()

    async def _begin(self) -> _Begun:
        """Open the state file and take it over; StateError when it is damaged or cannot be written."""
        file = self._state.database
        try:
            self._database = await Database.open(file, durability=self.project.settings.durability)
            try:
                return await self._database.run(_begin, self.project, self._clock.now())
            except BaseException:
                await self._database.close()
                raise
        except sqlite3.DatabaseError as error:
            raise StateError(
                f"{file}: the state file cannot be used ({error}); restore a backup, or move it away"
            ) from error

    async def stop(self, *, grace_s: float) -> None:
        """Stop: let attempts end for `grace_s`, release the rest, store everything."""
        self._stopping = True
        self._quiet.set()
        self._draining = True
        await self.reload.stop()
        await self.pruner.stop()
        await self.guards.stop()
        await self.discovery.stop()
        with contextlib.suppress(StateError, EngineStopped):
            # A group that was on its way when the stop came may have claimed: let it start what it claimed.
            await self.writer.flush()
        self.attempts.ask()
        await self.attempts.drain(grace_s)
        await self.processes.close()
        await self.timers.stop()
        with contextlib.suppress(StateError, EngineStopped):  # what cannot be stored is reclaimed at the next start
            await self.writer.change(_record_stop)
        await self.writer.close()
        await self._database.close()

    def hurry(self) -> None:
        """Stop was asked again: what still runs is released now."""
        self.attempts.hurry()

    @property
    def _folder(self) -> Path | None:
        """Where handlers beside jobs.yaml come from."""
        return self.project.source.parent.absolute() if self.project.source else None

    async def _take_configuration(self, project: ProjectSpec) -> list[str]:
        """Apply a new configuration in one transaction; what runs goes on under the old one."""
        lines = changes(self.project, project)
        resolver = await asyncio.to_thread(Resolver, self._folder)
        states = await self.writer.change(partial(_reconfigure, writer=self.writer, project=project, lines=lines))
        before = self.processes
        self.project = project
        self._job_states = states
        self.processes = WorkerProcesses(project.settings.workers, folder=self._folder)
        self.limits.configure(project, self.writer.plan)
        self.guards.project = project
        self.attempts.reload(resolver.handler, self.processes)
        self.discovery.reload(project, resolver.discovery)
        self._do_beside(before.retire())
        self.writer.look()
        return lines

    def _do_beside(self, chore: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; a task that nothing refers to could vanish."""
        self._chores.add(task := asyncio.ensure_future(chore))
        task.add_done_callback(self._chores.discard)

    async def _look_at_jobs(self) -> None:
        """Which jobs may run has changed."""
        rows = await self.writer.change(lambda connection, _now: jobs.rows(connection))
        self._job_states = {row.id: row.state for row in rows}
        self.discovery.look()

    async def _jobs_paused(self) -> None:
        """A guard has paused jobs: take them out, and expect the end of their pause."""
        await self._look_at_jobs()
        self.timers.look()

    async def _tell_problem(self, source: Literal["configuration", "disk"], problem: str | None) -> None:
        await self.writer.change(lambda connection, now: jobs.tell_problem(connection, source, problem, now))

    # What the writer asks

    def allowance(self) -> Allowance:
        """What may be claimed now."""
        return self.limits.open(self._free_slots(), self.attempts.taken, self._clock.now())

    def guard(self, connection: sqlite3.Connection, now: int) -> set[int]:
        """Pause what has reached its daily limit; on the writer's thread, inside its transaction."""
        return self.guards.check_spend(connection, self.writer.plan, now)

    def adopt(self, allowance: store.Allowance, queued: set[int]) -> None:
        """Take over what a group used, and look again when pace lets the next one start."""
        assert isinstance(allowance, Allowance)
        self.limits.adopt(allowance)
        at = self.limits.next_at(queued, self._clock.now())
        if at is not None and (self._look_at is None or at < self._look_at):
            self._look_at = at
            delay = max(0.0, (at - self._clock.now()) / 1000)
            asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        self._look_at = None
        self.writer.look(set())

    def _free_slots(self) -> dict[int, int]:
        if self._draining or not self._work or self.guards.disk_problem is not None:
            return {}
        free: dict[int, int] = {}
        for number, stage in self.writer.plan.stages.items():
            if not stage.spec.enabled or not self._may_run(stage.job):
                continue
            n = stage.spec.concurrency - self.attempts.taken(number)
            if n > 0:
                free[number] = n
        return free

    def start_attempts(self, claimed: list[Claim]) -> None:
        """Run what was claimed."""
        self.attempts.start(claimed)

    def revoke(self, refused: list[Claim]) -> None:
        """Endings that came too late: their evidence is stored, there is nothing left to stop."""
        for claim in refused:
            log.warning("refused the late result of %s at %s", claim.item.key, claim.stage.spec.name)

    def died(self) -> None:
        """The writer is gone: end, so that the next start takes over from what is stored."""
        self._on_death()

    def committed(self, *, next_later: int | None, paused: Collection[int]) -> None:
        """A group was committed."""
        if next_later is not None:
            self.timers.expect(next_later)
        if paused:
            self._job_states |= dict.fromkeys(paused, "paused")
            self._do_beside(self._jobs_paused())
        self._on_change()
        self._quiet.set()

    # Commands

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one checked command."""
        if name == "reload":
            applied, message = await self.reload.now()
            return CommandOutcome(ok=applied, message=message)
        if name == "run":
            job = commands.find_job(self.writer.plan, str(args["job"]))
            if not self.discovery.run_now(job.spec.name):
                why = job.spec.broken or "it has no discovery"
                return CommandOutcome(ok=False, message=f"{job.spec.name} cannot be run: {why}")
            return CommandOutcome(ok=True, message=f"{job.spec.name} runs now", changed=(job.spec.name,))
        outcome = await self.writer.change(commands.transition(self.writer.plan, name, args))
        await self._after(name, outcome)
        return outcome

    async def _after(self, name: str, outcome: CommandOutcome) -> None:
        """What a command means for what runs now."""
        if name in ("pause", "resume", "undo"):
            await self._look_at_jobs()
        if name in ("drop", "cancel", "undo") and outcome.ok:
            alive = self.attempts.alive()
            lost = await self.writer.change(lambda connection, _now: claims.lost(connection, alive))
            self.attempts.revoke(lost)
        if name in ("snooze", "undo"):
            self.timers.look()
        self.writer.look()

    # Whether there is anything left to do

    def _may_run(self, job: str) -> bool:
        plan = self.writer.plan.jobs[job]
        return (
            (self._only is None or job in self._only)
            and self._job_states.get(plan.id) == "active"
            and plan.spec.enabled
        )

    def is_quiet(self) -> bool:
        """Whether nothing runs, all that ran is stored and no discovery is going on; rows may still be ready."""
        if self.attempts.running or self.writer.unstored:
            return False
        return not any(self.discovery.is_due(job.name) for job in self.project.jobs)

    async def drained(self, *, wait_s: float = 0.0) -> None:
        """Return when nothing is ready, running or discovered, nor comes back within `wait_s`; or at a stop."""
        while not self._stopping:
            self._quiet.clear()
            if self.is_quiet():
                soon = self._clock.now() + round(wait_s * 1000)
                may = [
                    number
                    for number, stage in self.writer.plan.stages.items()
                    if self._work and self._may_run(stage.job) and (stage.before or not self.limits.is_used_up)
                ]
                # A read beside the writer's groups: asking must not look like a change.
                if not await self._database.run(claims.left, may, soon) and self.is_quiet():
                    return
            # Everything that can change the answer is a commit; a discovery that ends commits its end.
            await wait_for_any(self._quiet, timeout_s=1.0)


def _begin(connection: sqlite3.Connection, project: ProjectSpec, now: int) -> _Begun:
    """The first transaction: this start's epoch, the jobs as configured, and nothing left running by the dead."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        epoch = jobs.begin_epoch(connection)
        for source in ("configuration", "disk"):
            jobs.tell_problem(connection, source, None, now)
        plan, changed = jobs.sync(connection, project.jobs, now)
        reclaimed = claims.reclaim(connection, plan, epoch, now)
        cut = runs.cut_dead(connection, now)
        for job in plan.jobs.values():
            if job.id in changed:
                items.reconcile(connection, plan, job, now)
        next_later = claims.wake(connection, plan, now)
        rows = jobs.rows(connection)
        store_limits.sync_resources(connection, project.resources)
        stored = store_limits.buckets(connection)
        text = f"engine started; {reclaimed} interrupted stages back in the queue" if reclaimed else "engine started"
        record(connection, [Event(kind="engine.started", text=text, data={"epoch": epoch, "cut": cut})], now)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return _Begun(
        epoch=epoch,
        plan=plan,
        job_states={row.id: row.state for row in rows},
        next_runs={row.name: row.next_run_at for row in rows},
        next_later=next_later,
        buckets=stored,
    )


def _reconfigure(
    connection: sqlite3.Connection, now: int, *, writer: Writer, project: ProjectSpec, lines: list[str]
) -> dict[int, str]:
    """Make jobs, stages and items what the new configuration says; the writer claims by it from here on."""
    plan, changed = jobs.sync(connection, project.jobs, now)
    for job in plan.jobs.values():
        if job.id in changed:
            items.reconcile(connection, plan, job, now)
    store_limits.sync_resources(connection, project.resources)
    text = f"{len(lines)} changes" if len(lines) != 1 else lines[0]
    record(connection, [Event(kind="config.reloaded", text=text, data={"changes": lines})], now)
    writer.plan = plan
    return {row.id: row.state for row in jobs.rows(connection)}


def _record_stop(connection: sqlite3.Connection, now: int) -> None:
    record(connection, [Event(kind="engine.stopped", text="engine stopped")], now)
