"""One run of a source: what it yields is stored in batches, and a source that has gone silent is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from engine.contracts.errors import StateError
from engine.contracts.item import Candidate
from engine.contracts.spec import JobSpec
from engine.kit.clock import Clock
from engine.rules.candidates import flaw
from engine.services.backlog import Backlog
from engine.services.run_context import RunContext
from engine.store import findings
from engine.store import items as items_part
from engine.store import runs as runs_part
from engine.store.plan import JobPlan
from engine.store.writer import Writer

T = TypeVar("T")

BATCH: Final = 1_000
BATCH_AGE_S: Final = 0.25
"""A batch that is not full is handed over after this long, so that a slow source shows what it finds."""
BREATH: Final = 50
"""A source that waits for nothing lets others run after so many candidates."""
CANDIDATES_MAX: Final = 1_000_000
"""A run that yields more is cut: a source without end must not fill the disk."""
GRACE_S: Final = 3.0
"""How long a source that was told to end may take before it is left behind."""
STORE_AGAIN_S: Final = 0.5


async def insist(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the writer; while the state file cannot be written, wait and ask again."""
    while True:
        try:
            return await ask()
        except StateError:
            await asyncio.sleep(STORE_AGAIN_S)


class SourceSilent(TimeoutError):
    """A source was given up because it has yielded nothing for too long."""


class SourceRun:
    """Takes what a source yields; one batch is stored while the source yields the next."""

    def __init__(
        self,
        *,
        job: JobSpec,
        plan: JobPlan,
        run_id: int,
        context: RunContext,
        source: Callable[[RunContext], AsyncIterator[Any]],
        writer: Writer,
        backlog: Backlog,
        clock: Clock,
    ) -> None:
        self.id = run_id
        self.context = context
        self.seen: set[int] = set()
        """Items that it has yielded."""
        self._job = job
        self._plan = plan
        self._source = source
        self._writer = writer
        self._backlog = backlog
        self._clock = clock
        self._asked_at: float | None = None
        """Since when the source owes its next candidate; None while it does not."""
        self._given_up = asyncio.get_running_loop().create_future()
        self._target = writer.plan.jobs.get(job.findings_to or job.name, plan)
        self._task = asyncio.get_running_loop().create_task(self._told(), name=f"source of {job.name}")

    def may_be_silent_s(self) -> float:
        """How long the source may still yield nothing."""
        assert self._job.discovery is not None
        silent = 0.0 if self._asked_at is None else self._clock.monotonic() - self._asked_at
        return self._job.discovery.timeout_s - silent

    def give_up(self) -> None:
        """It has been silent for too long."""
        if not self._given_up.done():
            self._given_up.set_result(None)

    async def result(self) -> bool:
        """Return False when it was cut for yielding too much; raises what the source raises, or SourceSilent.

        Cancelled, it lets the source end first.
        """
        try:
            await asyncio.wait({self._task, self._given_up}, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                complete, error = self._task.result()
                if error is not None:
                    raise error
                return complete
        finally:
            if not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=GRACE_S)
        assert self._job.discovery is not None
        silence = f"it has yielded nothing for {self._job.discovery.timeout_s:g} s (its `timeout`) and was given up"
        raise SourceSilent(silence if self._task.done() else f"{silence}; it does not end, and only then runs again")

    def when_ended(self, do: Callable[[], object]) -> bool:
        """Call `do` once its code has ended; returns False, and does not, when it has already."""
        if self._task.done():
            return False
        self._task.add_done_callback(lambda _: do())
        return True

    async def _told(self) -> tuple[bool, BaseException | None]:
        """What it came to; a source is somebody else's code, and an exit that it raises must not end the engine."""
        try:
            return await self._take(), None
        except BaseException as error:
            return False, error

    async def _take(self) -> bool:
        batch: list[Candidate] = []
        handed_over = self._clock.monotonic()
        count = 0
        limit = self._backlog.limit(self._job)
        size = BATCH if limit is None else min(BATCH, limit)
        storing: asyncio.Future[items_part.Merged] | None = None

        async def stored() -> None:
            nonlocal storing
            if storing is not None:
                before, storing = storing, None
                self.seen.update((await before).seen)

        async def hand_over() -> None:
            nonlocal batch, handed_over, storing
            await stored()
            taken, batch = batch, []
            handed_over = self._clock.monotonic()
            storing = asyncio.ensure_future(insist(lambda: self._writer.change(self._store(taken))))

        try:
            self._asked_at = self._clock.monotonic()
            async for candidate in self._source(self.context):
                self._asked_at = None
                if self._given_up.done():
                    return False
                if found := flaw(candidate):
                    self.context.problem(f"yielded {found}")
                else:
                    count += 1
                    if count > CANDIDATES_MAX:
                        self.context.problem(f"more than {CANDIDATES_MAX:,} candidates; the run was cut")
                        break
                    batch.append(candidate)
                    if len(batch) >= size or self._clock.monotonic() - handed_over > BATCH_AGE_S:
                        await hand_over()
                        if limit is not None:
                            await stored()
                            if await self._is_full(count):
                                return False
                    if not count % BREATH:
                        await asyncio.sleep(0)
                self._asked_at = self._clock.monotonic()
            self._asked_at = None
            if batch:
                await hand_over()
        except asyncio.CancelledError:
            if self._given_up.done():
                await hand_over()  # a batch that is not full waits for the next candidate, and there was none
                await stored()
            elif storing is not None:
                storing.cancel()  # the writer stores it all the same; nobody waits for it
            raise
        except BaseException:
            self._asked_at = None
            await stored()
            raise
        await stored()
        return count <= CANDIDATES_MAX

    async def _is_full(self, found: int) -> bool:
        return await insist(lambda: self._backlog.is_full(self._job, found))

    def _store(self, batch: Sequence[Candidate]) -> Callable[[Any, int], items_part.Merged]:
        """The change that stores this batch."""
        writer = self._writer
        origin: items_part.Origin = "check" if self._job.is_check else "scan"

        def store(connection: Any, now: int) -> items_part.Merged:
            taken = batch
            # The stages that there are now, not those at the start of the run; one that is gone finishes as it began.
            name = self._job.findings_to or self._job.name
            target = writer.plan.jobs.get(name, self._target)
            if origin == "check":
                check = writer.plan.job_of(self._plan.id).spec
                findings.take_over(connection, target, taken)
                taken = findings.within_limits(
                    connection, check, target, taken, source_id=self._plan.id, run_id=self.id
                )
            merged = items_part.upsert(
                connection,
                writer.plan,
                target,
                taken,
                source_id=self._plan.id,
                origin=origin,
                run_id=self.id,
                now=now,
            )
            if origin == "check":
                findings.seen(connection, merged.seen, self.id)
            runs_part.progress(connection, self.id, found=len(taken), new=merged.new, changed=merged.changed)
            return merged

        return store
