"""A job's own look at whether it should work at all: asked before it works, and again while it does.

What the function returns pauses the job, with a time to ask again; that it raises or is late is a reason too. A person
may resume the job all the same: then it is not asked before that time.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.config.resolve import Unresolved
from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.spec import JobSpec, ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.kit.hooks import NoAnswer, ask
from engine.kit.safe_text import safe_line
from engine.kit.tasks import end_task, wait_for_any
from engine.rules.budget import day_bounds
from engine.store import guards as store
from engine.store import jobs, spend
from engine.store.events import Event, record
from engine.store.writer import Writer

log = logging.getLogger(__name__)

GUARD: Final = "validate"
LOOK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Context:
    """Implements `engine.contracts.seam.JobContext`."""

    job: str
    params: Mapping[str, Any]
    root: Path
    state_dir: Path
    now: int
    counts: Mapping[str, int]
    spent_today_usd_micros: int
    log: logging.Logger


class Validation:
    """Lives on the engine's loop."""

    def __init__(
        self,
        *,
        project: ProjectSpec,
        writer: Writer,
        clock: Clock,
        state_dir: Path,
        hook: Callable[[str], Callable[..., Any]],
        may_run: Callable[[str], bool],
        decided: Callable[[], None],
    ) -> None:
        """`may_run`: whether a job is active; `decided`: a job may start now, or was paused."""
        self._project = project
        self._writer = writer
        self._clock = clock
        self._state_dir = state_dir
        self._hook = hook
        self._may_run = may_run
        self._decided = decided
        self._good_until: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="validation")

    async def stop(self) -> None:
        """End."""
        await end_task(self._task)

    def reload(self, project: ProjectSpec, hook: Callable[[str], Callable[..., Any]]) -> None:
        """Take a new configuration: every job is asked anew."""
        self._project, self._hook = project, hook
        self._good_until.clear()
        self._wake.set()

    def look(self) -> None:
        """Jobs may have become active."""
        self._wake.set()

    def holds(self, job: str) -> bool:
        """Whether nothing of this job may start, because its word is not there yet."""
        spec = self._project.job(job)
        return spec is not None and spec.validate is not None and self._good_until.get(job, 0) <= self._clock.now()

    @property
    def is_asking(self) -> bool:
        """Whether a job is about to be asked, or is asked now."""
        return any(self._may_run(job.name) and self.holds(job.name) for job in self._asked())

    def _asked(self) -> list[JobSpec]:
        return [job for job in self._project.jobs if job.validate is not None and job.enabled and not job.broken]

    async def _loop(self) -> None:
        while True:
            try:
                for job in self._asked():
                    if self._may_run(job.name) and self.holds(job.name):
                        await self._ask(job)
            except (StateError, EngineStopped):
                await asyncio.sleep(1.0)  # the writer says why
            except Exception:
                log.exception("asking a job whether it should work failed")
            self._wake.clear()
            await wait_for_any(self._wake, timeout_s=LOOK_S if self._asked() else None)

    async def _ask(self, job: JobSpec) -> None:
        assert job.validate is not None
        plan = self._writer.plan.jobs[job.name]
        until = self._clock.now() + round(job.validate.every_s * 1000)
        start, _ = day_bounds(self._clock.now(), ZoneInfo(self._project.settings.timezone))

        def known(connection: sqlite3.Connection, now: int) -> tuple[int | None, dict[str, int], int]:
            counts = store.counts(connection, plan.id)
            return (
                store.aside_until(connection, plan.id, GUARD, now),
                counts,
                spend.since(connection, start).get(plan.id, 0),
            )

        aside, counts, spent = await self._writer.change(known)
        if aside is not None:
            self._good_until[job.name] = aside
            self._decided()
            return
        context = _Context(
            job=job.name,
            params=job.validate.params,
            root=self._project.root,
            state_dir=self._state_dir,
            now=self._clock.now(),
            counts=counts,
            spent_today_usd_micros=spent,
            log=logging.getLogger("rivus.validate"),
        )
        why = await self._why(job.validate.use, context)
        if why is None:
            self._good_until[job.name] = until
        else:
            await self._writer.change(lambda connection, now: _pause(connection, plan.id, why, until, now))
        self._decided()

    async def _why(self, use: str, context: _Context) -> str | None:
        try:
            answer = await ask(self._hook(use), context)
        except (NoAnswer, Unresolved) as error:
            return safe_line(f"its own look at whether to work ({use}) failed: {error}", 300)
        if answer is None or answer == "" or answer is True:
            return None
        return safe_line(str(answer), 300) or "its own look at whether to work says no"


def _pause(connection: sqlite3.Connection, job_id: int, why: str, until: int, now: int) -> None:
    if jobs.pause(connection, job_id, by="guard", guard=GUARD, why=why, until=until, now=now):
        event = Event(kind="guard.tripped", level="warning", job_id=job_id, text=why, data={"until": until})
        record(connection, [event], now)
