"""Backpressure: a discovery adds no more while the job that receives what it finds has too much to do already."""

from __future__ import annotations

import sqlite3

from engine.contracts.spec import JobSpec
from engine.store import guards, holds
from engine.store.events import Event, record
from engine.store.plan import JobPlan
from engine.store.writer import Writer


class Backlog:
    """Which discoveries wait for room, and whether there is some."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: set[str] = set()

    def waits(self, job: str) -> bool:
        """Whether the discovery of this job waits for room."""
        return job in self._waiting

    def limit(self, job: JobSpec) -> int | None:
        """How many pending items the job may have that receives what this one's discovery finds."""
        return self._target(job).spec.backlog

    async def is_full(self, job: JobSpec, found: int | None = None) -> bool:
        """Whether there is no room; then that is said, and the discovery waits.

        `found`: how many candidates a run has given so far that has to stop now; None: it has not begun.
        """
        source, target, limit = self._writer.plan.jobs[job.name], self._target(job), self.limit(job)
        if limit is None:
            return False

        def look(connection: sqlite3.Connection, now: int) -> bool:
            n = guards.pending(connection, target.id)
            if n < limit:
                return False
            why = f"{n:,} items of {target.spec.name} are pending, its backlog is {limit:,}; nothing is added"
            if holds.tell(connection, source.id, "backlog", {why: None}):
                text = why if found is None else f"after {found:,} candidates: {why}"
                record(connection, [Event(kind="run.backlog", actor="discovery", job_id=source.id, text=text)], now)
            return True

        if await self._writer.change(look):
            self._waiting.add(job.name)
            return True
        return False

    async def has_room(self, job: JobSpec) -> bool:
        """Whether a discovery that waits may go on: half of what there may be is worked off."""
        source, target, limit = self._writer.plan.jobs[job.name], self._target(job), self.limit(job)

        def look(connection: sqlite3.Connection, _now: int) -> bool:
            if limit is not None and guards.pending(connection, target.id) * 2 > limit:
                return False
            holds.tell(connection, source.id, "backlog", {})
            return True

        if await self._writer.change(look):
            self._waiting.discard(job.name)
            return True
        return False

    def _target(self, job: JobSpec) -> JobPlan:
        return self._writer.plan.jobs[job.findings_to or job.name]
