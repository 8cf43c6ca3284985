"""Who may start now beyond pace and slots: eligibility, a job's own word, and its limit; one part for the runtime."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.seam import Quotas
from engine.contracts.spec import ProjectSpec
from engine.kit.clock import Clock
from engine.services.eligibility import Eligibility
from engine.services.triage import Read, Triage
from engine.services.validation import Validation
from engine.store import facts, guards
from engine.store.writer import Writer

Hook = Callable[[str], Callable[..., Any]]


class Steering:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        writer: Writer,
        read: Read,
        clock: Clock,
        state_dir: Path,
        hook: Hook,
        quotas: Quotas | None,
        may_run: Callable[[str], bool],
        run_discovery: Callable[[str], object],
        used_up: Callable[[], list[str]],
        ended: Callable[[], int],
        look_at_jobs: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """`used_up`: jobs that have started all that their limit allows; `ended`: how many attempts have ended so far;
        `look_at_jobs`: jobs were paused or may go on."""
        self._writer = writer
        self._used_up = used_up
        self._ended = ended
        self._may_run = may_run
        self._look_at_jobs = look_at_jobs
        self._limits_seen: dict[str, int] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self.eligibility = Eligibility(
            project=project,
            writer=writer,
            clock=clock,
            state_dir=state_dir,
            hook=hook,
            quotas=quotas,
            changed=writer.look,
            rested=run_discovery,
        )
        self.validation = Validation(
            project=project,
            writer=writer,
            clock=clock,
            state_dir=state_dir,
            hook=hook,
            may_run=may_run,
            decided=self._decided,
        )

        self.triage = Triage(writer=writer, read=read, clock=clock)

    async def start(self) -> None:
        """Look once, so that nothing starts that may not, and go on looking."""
        await self.eligibility.look()
        await self.triage.start()
        self.eligibility.start()
        self.validation.start()
        self._do_beside(self._renew_facts())

    async def stop(self) -> None:
        """End."""
        await self.triage.stop()
        await self.eligibility.stop()
        await self.validation.stop()

    async def reload(self, project: ProjectSpec, hook: Hook) -> None:
        """Take a new configuration."""
        self.validation.reload(project, hook)
        await self.triage.reload()
        await self.eligibility.reload(project, hook)
        self._do_beside(self._renew_facts())

    def holds(self, job: str) -> bool:
        """Whether nothing of this job may start now, though the job itself is active."""
        return self.eligibility.holds(job) or self.validation.holds(job)

    @property
    def is_asking(self) -> bool:
        """Whether it is still to be found out if a job may start, or what rules decide about new items."""
        return self.validation.is_asking or self.triage.is_busy

    def committed(self) -> None:
        """A group was committed: a job may have come to its limit, items may wait for the rules of triage."""
        self.triage.look()
        ended = self._ended()
        for job in self._used_up():
            # Only what has ended since can have been the last of it.
            if self._may_run(job) and self._limits_seen.get(job) != ended:
                self._limits_seen[job] = ended
                self._do_beside(self._pause_at_limit(job))

    async def _pause_at_limit(self, job: str) -> None:
        with contextlib.suppress(StateError, EngineStopped):
            if await self._writer.change(lambda connection, now: self._at_limit(connection, job, now)):
                await self._look_at_jobs()

    def _at_limit(self, connection: sqlite3.Connection, job: str, now: int) -> bool:
        plan = self._writer.plan
        return job in plan.jobs and guards.pause_at_limit(connection, plan, plan.jobs[job], now)

    async def _renew_facts(self) -> None:
        """Decide anew, a batch at a time, what an older configuration has decided about items."""
        with contextlib.suppress(StateError, EngineStopped):  # what is left is renewed at the next start
            while await self._writer.change(lambda connection, now: facts.renew(connection, self._writer.plan, now)):
                pass

    def _decided(self) -> None:
        self._do_beside(self._look())

    async def _look(self) -> None:
        with contextlib.suppress(StateError, EngineStopped):
            await self._look_at_jobs()
        self._writer.look()

    def _do_beside(self, chore: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; a task that nothing refers to could vanish."""
        self._chores.add(task := asyncio.ensure_future(chore))
        task.add_done_callback(self._chores.discard)
