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
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.config.changes import changes
from engine.config.code_cache import read_stages_again
from engine.config.resolve import Resolver
from engine.config.sources import Files, Prints, are_as_read
from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.llm import Backend
from engine.contracts.spec import ProjectSpec
from engine.doctor import runs as verdicts_of_runs
from engine.doctor.doctor import Doctor
from engine.kit.clock import Clock
from engine.kit.http import Http
from engine.kit.tasks import beside
from engine.llm import models
from engine.llm.models import Models
from engine.rules import adjust
from engine.services import asked
from engine.services.allowance import Allowance, Limits
from engine.services.code_changes import CodeChanges
from engine.services.discovery import Discovery
from engine.services.guards import Guards
from engine.services.live import Live
from engine.services.orders import Orders
from engine.services.pruner import Pruner
from engine.services.quiet import Quiet
from engine.services.reload import Reload
from engine.services.shares import ModelShares
from engine.services.steering import Steering
from engine.services.timers import Timers
from engine.services.turns import Turns
from engine.store import adjustments, jobs, suspects, takeover
from engine.store import dispatch as store
from engine.store.claims import Claim
from engine.store.db import Database, OpenDatabase, is_of_the_file
from engine.store.jobs import JobRow
from engine.store.migrate import unusable
from engine.store.plan import StagePlan
from engine.store.stages import Finished, Left
from engine.store.state_dir import StateDir
from engine.store.writer import Writer
from engine.work.attempts import Attempts
from engine.work.processes import WorkerProcesses

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        backends: Mapping[str, Backend] | None = None,
        on_change: Callable[[], None] = lambda: None,
        on_death: Callable[[], None] = lambda: None,
        open_database: OpenDatabase = Database.open,
    ) -> None:
        """`only`: the jobs that may run; the others are looked at but neither discovered nor claimed. `limit`: start
        so many items at most. `work`: False only discovers. `backends` stand in for configured ones. `on_death` is
        called when nothing can be stored any more.
        """
        self._work = work
        self._limit = limit
        self.project = project
        self.epoch = 0
        self._state = state
        self._clock = clock
        self._only = only
        self._chance = chance or random.Random()
        self._backends = backends
        self._on_change = on_change
        self._on_death = on_death
        self._open_database = open_database
        self._opened = contextlib.AsyncExitStack()
        self._draining = False
        self._chores: set[asyncio.Task[None]] = set()
        self._files: Files = {}
        """What the code of this configuration was read from; empty where nothing is claimed."""

    async def start(self, *, discover: bool = False, idle: bool = False, reads_code: bool = True) -> None:
        """Start every part. `discover`: run each discovery at once; `idle`: run nothing, only take commands;
        `reads_code`: take the versions of the stages, which whatever claims needs."""
        self._draining = self._idle = idle
        since = self._clock.now()
        base = self.project
        prints: Prints | None = None
        if reads_code:
            prints, self._files = await beside(read_stages_again, self.project)
        begun = await self._begin(prints)
        resolver = Resolver(self._folder)
        self.epoch = begun.epoch
        self.processes = self._new_processes(self.project)
        self._http = _new_http(self.project)
        limits = Limits(begun.buckets, items=self._limit)
        limits.configure(self.project, begun.plan)
        self.writer = Writer(self._database, self._clock, self, epoch=begun.epoch)
        self.writer.plan = begun.plan
        shares = ModelShares(limits, self._clock, lambda stage: self.attempts.taken(stage))
        self.models = Models(
            clock=self._clock,
            chance=self._chance,
            ledger=self,
            shares=shares,
            resolve=resolver.tool,
            folder=self._folder,
            epoch=begun.epoch,
            guard=self.guard,
            paused=self._paused,
            freed=lambda: self.writer.look(),
        )
        self.attempts = Attempts(
            clock=self._clock,
            chance=self._chance,
            root=self.project.root,
            artifacts=self._state.artifacts,
            handlers=resolver.handler,
            hooks=resolver.hook,
            processes=self.processes,
            hand_in=self._hand_in,
            asks=self._asked,
            http=self._http,
            door=self.models.door_of,
            accompany=self._accompany,
            freed=lambda: self.writer.look(set()),
            moved=lambda claim, why: self.live.moved(claim, why),
        )
        self.turns = Turns(
            limits=limits,
            clock=self._clock,
            plan=lambda: self.writer.plan,
            taken=self.attempts.taken,
            running=lambda: self.attempts.running,
            alone=lambda: self.attempts.is_alone,
            may_start=self._may_start,
            held=lambda job: self.steering.holds(job),
            look=lambda: self.writer.look(set()),
            lacks=self._lacks_model,
            only=self._only,
        )
        self.turns.take_states(begun.jobs)
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
            http=self._http,
            may_run=self.turns.may_run,
            chance=self._chance.random,
            judge=verdicts_of_runs.judge,
            tell=lambda about, title, more: self.doctor.notices.tell(about, title, more),
        )
        self.steering = Steering(
            project=self.project,
            writer=self.writer,
            read=self.read,
            clock=self._clock,
            state_dir=self._state.path,
            hook=resolver.hook,
            quotas=self.models,
            may_run=self.turns.may_run,
            run_discovery=self.discovery.run_now,
            used_up=self.turns.limits.used_up,
            ended=lambda: self.attempts.executed,
            look_at_jobs=self._look_at_jobs,
        )
        self.reload = Reload(
            project=base,
            clock=self._clock,
            apply=self._take_configuration,
            tell=partial(self._tell_problem, "configuration"),
            code=lambda: self._files,
        )
        self.doctor = Doctor(
            project=self.project,
            writer=self.writer,
            clock=self._clock,
            slow=self.turns.limits.slow,
            probe=self.turns.probe,
            changed=self._jobs_paused,
            llm=self.models.door(purpose="doctor"),
        )
        self.code_changes = CodeChanges(
            writer=self.writer,
            read=self.read,
            now=self._clock.now,
            llm=self.models.door(purpose="stale"),
            model=lambda: self.project.settings.stale_model,
            prices=self.models.gateway.prices,
            run=lambda claim: self.attempts.canary.run(claim),
            is_edited=lambda: not are_as_read(self._files),
            tell=self.doctor.notices.tell,
            since=since,
            ended=lambda: self.quiet.look(),
        )
        self.quiet = Quiet(
            clock=self._clock,
            writer=self.writer,
            read=self.read,
            turns=self.turns,
            discovery=self.discovery,
            is_busy=lambda: self.steering.is_asking or self.doctor.is_busy or self.code_changes.is_busy,
            work=self._work,
        )
        limits.hold(begun.slowed)
        self.orders = Orders(
            writer=self.writer,
            reload=self.reload,
            readjust=self._readjust,
            run_discovery=lambda name: self.discovery.run_now(name),
            models=(models.COMMANDS, self.models.command),
            judge=self.code_changes.ask,
            look_at_jobs=self._look_at_jobs,
            look_at_failures=self.doctor.look,
            look_at_times=self.timers.look,
            alive=self.attempts.alive,
            revoke=self.attempts.revoke,
        )
        self.live = Live(self.writer, self.attempts.news)
        self.pruner = Pruner(self.writer, self._state.artifacts)
        self.writer.start()
        await self.models.configure(self.project, backends=self._backends)
        self.timers.start(begun.next_later)
        if not idle:
            await self.steering.start()
            self.discovery.start(begun.next_runs, begun.heads, now=discover)
            self.reload.start()
            self.pruner.start()
            self.live.start()
            self.guards.start()
            self.doctor.start()
            self.code_changes.start()
            await self.orders.bulks.start()
            self.writer.look()

    async def _begin(self, prints: takeover.Prints | None) -> takeover.Begun:
        """Open the state file and take it over; StateError when it is damaged or cannot be written."""
        file = self._state.database
        try:
            self._database = await self._open_database(file, durability=self.project.settings.durability)
            self._opened.push_async_callback(self._database.close)
            try:
                await self._database.run(adjustments.note_configured, adjust.limits(self.project))
                self.project = adjust.adjusted(self.project, await self._database.run(adjustments.read))
                return await self._database.run(takeover.begin, self.project, self._clock.now(), prints)
            except BaseException:
                await self.let_go()
                raise
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise unusable(file, error) from error

    async def stop(self, *, grace_s: float) -> None:
        """Stop: let attempts end for `grace_s`, release the rest, store everything."""
        self.quiet.stop()
        self._draining = True
        await self.orders.bulks.stop()
        await self.reload.stop()
        await self.pruner.stop()
        await self.guards.stop()
        await self.steering.stop()
        await self.code_changes.stop()
        await self.doctor.stop()
        await self.discovery.stop()
        with contextlib.suppress(StateError, EngineStopped):
            # A group that was on its way when the stop came may have claimed: let it start what it claimed.
            await self.writer.flush()
        self.attempts.ask()
        await self.attempts.drain(grace_s)
        await self.processes.close()
        if self._chores:
            await asyncio.wait(self._chores, timeout=10.0)  # processes of an earlier configuration that are being ended
        await self.live.stop()
        self.attempts.close()
        await self._http.close()
        await self.models.stop()
        await self.timers.stop()
        with contextlib.suppress(StateError, EngineStopped):  # what cannot be stored is reclaimed at the next start
            await self.writer.change(takeover.record_stop)
        await self.writer.close()
        await self.let_go()

    async def let_go(self) -> None:
        """Close the state file, also after a start that failed or a stop that broke; what runs can store nothing."""
        await self._opened.aclose()

    def hurry(self) -> None:
        """Stop was asked again: what still runs is released now."""
        self.attempts.hurry()

    @property
    def _folder(self) -> Path | None:
        """Where handlers beside jobs.yaml come from."""
        return self.project.source.parent.absolute() if self.project.source else None

    def _new_processes(self, project: ProjectSpec) -> WorkerProcesses:
        settings = project.settings
        http = {"allow": settings.http_allow, "proxy": settings.http_proxy}
        return WorkerProcesses(
            settings.workers, folder=self._folder, memory=settings.worker_memory, http=http, code=self._files
        )

    async def _take_configuration(self, project: ProjectSpec) -> list[str]:
        """Apply a new configuration in one transaction; what runs goes on under the old one."""
        base, project = project, adjust.adjusted(project, await self.read(adjustments.read))
        lines = changes(self.project, project)
        resolver = await beside(Resolver, self._folder)
        prints, files = await beside(read_stages_again, project)

        def reconfigure(connection: sqlite3.Connection, now: int) -> list[JobRow]:
            adjustments.note_configured(connection, adjust.limits(base))
            self.writer.plan, rows = takeover.reconfigure(connection, now, project=project, lines=lines, prints=prints)
            return rows

        with self.turns.stopped():  # or what is claimed by the new plan would be run by the old code
            self.turns.take_states(await self.writer.change(reconfigure))
            self._files = files  # not before: code that could not be taken over is looked at again
            was, now = self.project.settings, project.settings
            if (was.http_allow, was.http_proxy) != (now.http_allow, now.http_proxy):
                self._http = _new_http(project)  # not each time: its connections, and its thread, live as long as it
            self.project = project
            self._do_beside(self.processes.retire())
            self.processes = self._new_processes(project)
            self.turns.limits.configure(project, self.writer.plan)
            self.attempts.reload(resolver.handler, resolver.hook, self.processes, self._http)
        self.guards.project = project
        self.doctor.reload(project)
        self.discovery.reload(project, resolver.discovery, self._http)
        await self.steering.reload(project, resolver.hook)
        await self.models.configure(project, resolver.tool, self._backends)
        self.code_changes.look()
        self.turns.expect(self.writer.plan.stages)
        self.writer.look()
        return lines

    async def _readjust(self) -> None:
        """A person has set limits: apply them; where nothing runs, the next start does."""
        if not self._idle:
            await self.reload.again()

    def _do_beside(self, chore: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; a task that nothing refers to could vanish."""
        self._chores.add(task := asyncio.ensure_future(chore))
        task.add_done_callback(self._chores.discard)

    async def _look_at_jobs(self) -> None:
        """Which jobs may run has changed."""
        self.turns.suspects = True
        self.turns.take_states(await self.writer.change(lambda connection, _now: jobs.rows(connection)))
        self.discovery.look()
        self.steering.validation.look()
        self.code_changes.look()

    async def _jobs_paused(self) -> None:
        """A guard has paused jobs: expect the end of their pause, and take them out."""
        self.timers.look()  # first: the state file may refuse the rest, and who else would ask for that end?
        await self._look_at_jobs()

    async def _tell_problem(self, source: Literal["configuration", "disk"], problem: str | None) -> None:
        await self.writer.change(lambda connection, now: jobs.tell_problem(connection, source, problem, now))

    # What the writer asks

    def allowance(self) -> Allowance:
        """What may be claimed now."""
        return self.turns.open()

    def guard(self, connection: sqlite3.Connection, now: int) -> set[int]:
        """Pause what has reached its daily limit; on the writer's thread, inside its transaction."""
        return self.guards.check_spend(connection, self.writer.plan, now)

    def adopt(self, allowance: store.Allowance, queued: set[int]) -> None:
        """Take over what a group used, and look again when pace lets the next one start."""
        assert isinstance(allowance, Allowance)
        self.turns.adopt(allowance, queued)
        self.models.look()

    def _may_start(self) -> bool:
        return self._work and not self._draining and self.guards.disk_problem is None

    def _lacks_model(self, stage: StagePlan) -> bool:
        return stage.spec.needs_model and self.models.hold(stage.spec.model) is not None

    def _hand_in(self, ending: Finished | Left) -> None:
        self.doctor.saw(ending)
        self.writer.hand_in(ending)

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
            self._paused(paused)
        self.doctor.committed()
        self.steering.committed()
        self._on_change()
        self.quiet.look()

    def _accompany(self, claim: Claim) -> None:
        """A suspect has run alone for long enough: let others start."""

        async def store() -> None:
            with contextlib.suppress(StateError, EngineStopped):
                await self.writer.change(lambda connection, _now: suspects.accompany(connection, claim))
                self.writer.look()

        self._do_beside(store())

    async def _asked(self, claim: Claim, what: str, value: Any) -> Any:
        """Do what a handler asks for while it runs."""
        return await asked.answer(claim, what, value, writer=self.writer, read=self.read, epoch=self.epoch)

    def _paused(self, paused: Collection[int]) -> None:
        """A guard has paused these jobs."""
        self.turns.job_states |= dict.fromkeys(paused, "paused")
        self._do_beside(self._jobs_paused())

    # What the models ask

    async def change(self, function: Callable[[sqlite3.Connection, int], T]) -> T:
        """Run one transition of the ledger."""
        return await self.writer.change(function)

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run one read beside the writer's groups; StateError when the state file cannot be read."""
        try:
            return await self._database.run(function)
        except Exception as error:
            if is_of_the_file(error):
                raise StateError(f"the state file cannot be read ({error})") from error
            raise

    # Commands

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one checked command."""
        return await self.orders.run(name, args)

    async def drained(self, job: str | None = None, *, wait_s: float = 0.0) -> None:
        """Return when nothing of this job (None: of any) is left to run or comes back within `wait_s`; or at a stop."""
        await self.quiet.drained(job, wait_s=wait_s)


def _new_http(project: ProjectSpec) -> Http:
    """The HTTP client of all handlers and discoveries in this process."""
    return Http(allow=project.settings.http_allow, proxy=project.settings.http_proxy)
