"""The one writer: all changes of the state file go through this task, in groups.

Overview. Callers hand in endings of attempts (`hand_in`, which does not wait) and named changes (`change`, which does).
The writer takes whatever has gathered while the last group was committed (no timer), runs it as one transaction on the
connection's thread, claims replacements for the slots that are free in the same transaction, commits, and only then
answers. Group commit gives the speed; being one task gives the safety: cancelling a caller never cancels a transaction.

Failure. A change that raises is rolled back to its own savepoint and its caller gets the error; the others are
committed. When the state file cannot be written at all, endings are kept and tried again, changes are refused with the
reason, nothing is claimed, and `problem` says so until a commit works again. A commit that is told as failed may have
been done: the connection is opened anew, and what the file says is what happened.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeVar

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.values import dataclass
from engine.kit.chaos import point
from engine.kit.clock import Clock
from engine.kit.exceptions import describe
from engine.kit.safe_text import safe_line
from engine.store import commits, facts, guards, pauses, queues, recurrence, suspects
from engine.store.claims import Claim, Lease, claim, has_ready, queued
from engine.store.db import Database, is_of_the_file
from engine.store.dispatch import Allowance, Dispatch
from engine.store.limits import store_buckets
from engine.store.plan import Plan
from engine.store.stages import Endings, Finished, Left, end_attempts

log = logging.getLogger(__name__)

T = TypeVar("T")

LEASE_MS: Final = 60_000
_RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""How long to wait between tries while the state file cannot be written."""

Change = Callable[[sqlite3.Connection, int], Any]
"""Gets the connection, inside the transaction, and the time (ms UTC)."""


class _ClaimBroke(Exception):
    """Claiming broke on something that is not the file; nothing of its group is to blame, and nothing was stored."""


@dataclass(slots=True)
class _Group:
    endings: list[Finished | Left]
    changes: list[tuple[Change, asyncio.Future[Any]]]
    allowance: Allowance
    hints: set[int]
    is_suspected: bool
    """Its one ending may be what breaks groups: nothing is claimed along with it."""


@dataclass(slots=True)
class _Answer:
    endings: Endings
    claims: list[Claim]
    answers: list[tuple[Any, BaseException | None]]
    hints: set[int]
    """Stages in whose queue something may be left."""
    held: set[int]
    """Jobs that a guard has paused in this very group."""


class Writer:
    """Owns the write connection while the engine runs."""

    def __init__(self, database: Database, clock: Clock, dispatch: Dispatch, *, epoch: int) -> None:
        self.plan = Plan()
        self.problem: str | None = None
        """Why nothing can be written at this moment."""
        self.spent_usd_micros = 0
        """What the stored results of this engine cost."""
        self._database = database
        self._clock = clock
        self._dispatch = dispatch
        self._epoch = epoch
        self._endings: list[Finished | Left] = []
        self._changes: list[tuple[Change, asyncio.Future[Any]]] = []
        self._hints: set[int] = set()
        self._wake = asyncio.Event()
        self._suspects = 0
        self._claims = True
        """Whether the next group claims; not the one after a claim that broke."""
        self._in_flight = 0
        self._number = 0
        """Of the last group of this engine."""
        self._doubt: tuple[int, _Answer] | None = None
        """Number and answer of a group whose commit has begun and is not known to have ended."""
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="writer")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The loop is over; on an error nobody must go on waiting for it."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.critical("the writer ended on an error", exc_info=error)
        self._closing = True
        for _, future in self._changes:
            if not future.done():
                future.set_exception(EngineStopped("the engine cannot store anything any more; start it again"))
        self._changes = []
        self._dispatch.died()

    def lease(self) -> Lease:
        """A lease from now on."""
        return Lease(self._epoch, self._clock.now() + LEASE_MS)

    def hand_in(self, ending: Finished | Left) -> None:
        """Give the end of an attempt; it is stored with the next group."""
        self._endings.append(ending)
        self._wake.set()

    async def change(self, function: Callable[[sqlite3.Connection, int], T]) -> T:
        """Run one named transition in the next group; returns its answer after the commit, or raises its error."""
        if self._closing:
            raise EngineStopped("the engine is stopping")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._changes.append((function, future))
        self._wake.set()
        return await asyncio.shield(future)

    @property
    def unstored(self) -> int:
        """Endings that were handed in and are not committed yet."""
        return len(self._endings) + self._in_flight

    def look(self, stages: set[int] | None = None) -> None:
        """Something may be ready at these stages (all, when None): claim with the next group."""
        self._hints |= set(self.plan.stages) if stages is None else stages
        self._wake.set()

    async def flush(self) -> None:
        """Wait until everything that was handed in so far is stored."""
        await self.change(lambda _connection, _now: None)

    async def close(self) -> None:
        """Store what is left and end; the database stays open."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task})
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error

    async def _loop(self) -> None:
        failures = 0
        while True:
            if not self._closing:  # nobody signals any more: the last signal may be used up
                await self._wake.wait()
            self._wake.clear()
            group = self._gather()
            if not (group.endings or group.changes) and not any(map(group.allowance.limit, group.hints)):
                self._hints |= group.hints
                self._dispatch.adopt(group.allowance, group.hints)  # unused
                if self._closing:
                    return
                continue
            self._in_flight = len(group.endings)
            try:
                answer = await self._database.run(self._apply, group, self._clock.now(), self.lease())
            except Exception as error:
                found = await self._read_back(group, error)
                if found is None:
                    self._in_flight = 0
                    self._hints |= group.hints
                    if isinstance(error, _ClaimBroke):
                        self._store_first(group, error)
                        continue
                    if not is_of_the_file(error) and group.endings:
                        self._isolate(group, error)
                        continue
                    self._failed(group, error)
                    if self._closing and failures >= len(_RETRY_S):
                        log.error("gave up storing %d results at shutdown", len(group.endings))
                        return
                    await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                    failures += 1
                    self._wake.set()
                    continue
                answer = found
            failures = 0
            self._in_flight = 0
            self._claims = True
            if self.problem is not None:
                log.warning("the state file can be written again")
                self.problem = None
                self.look()
            self._answered(group, answer)

    def _gather(self) -> _Group:
        """Take everything that waits; while an ending is suspected of breaking its group, one at a time."""
        take = 1 if self._suspects else len(self._endings)
        is_suspected, self._suspects = bool(self._suspects), max(0, self._suspects - take)
        group = _Group(self._endings[:take], self._changes, self._dispatch.allowance(), self._hints, is_suspected)
        self._endings, self._changes, self._hints = self._endings[take:], [], set()
        if self._endings:
            self._wake.set()
        return group

    async def _read_back(self, group: _Group, error: Exception) -> _Answer | None:
        """What a group came to whose commit was told as failed: its answer if it is stored, None if it is not.

        An error of the disk leaves a connection with pages that may not be those of the file, so a new one is asked, as
        often as it takes; meanwhile nothing else is written.
        """
        doubt, self._doubt = self._doubt, None
        if doubt is None and not commits.is_of_the_disk(error):
            return None
        for failures in itertools.count():
            try:
                await self._database.reopen()
                if doubt is None:
                    return None
                number, answer = doubt
                done = await self._database.run(commits.is_done, self._epoch, number)
            except (OSError, sqlite3.Error) as again:
                if doubt is None or (self._closing and failures >= len(_RETRY_S)):
                    return None  # the next group opens it first
                self._refuse(error, group.changes + self._changes, " (of this, it may be that it is stored)")
                self._changes = []
                log.error("the state file cannot be opened again: %s", again)
                await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
            else:
                if done:
                    log.warning("a commit was told as failed (%s) and is stored all the same", error)
                return answer if done else None
        raise AssertionError

    def _store_first(self, group: _Group, error: _ClaimBroke) -> None:
        """Claiming broke: store what there is without it; the group after that tries to claim again."""
        log.error("nothing could be claimed", exc_info=error.__cause__)
        self._endings[:0] = group.endings
        self._changes[:0] = group.changes
        self._claims = False
        self._wake.set()

    def _isolate(self, group: _Group, error: Exception) -> None:
        """A group broke on something that is not the disk: find the ending that does it, and store that it failed.

        If not even that can be stored, the row stays `running` until its lease ends and is then reclaimed like that of
        any interrupted attempt.
        """
        if len(group.endings) == 1 and not group.changes:
            ending = group.endings[0]
            claim = ending.claim
            log.error("the result of %s at %s cannot be stored", claim.item.key, claim.stage.spec.name, exc_info=error)
            if isinstance(ending, Finished):
                why = safe_line(f"its result cannot be stored: {error}", 300)
                failed = Left(
                    claim=claim,
                    transition="fail",
                    why=why,
                    problem=describe(error),
                    ms=ending.ms,
                    cost_usd_micros=ending.cost_usd_micros,
                )
                self._endings.insert(0, failed)
        else:
            self._endings[:0] = group.endings
            self._changes[:0] = group.changes
            self._suspects = len(group.endings)
            if len(group.endings) == 1:
                # The change is as suspect as the ending: keep them apart.
                for _, future in group.changes:
                    if not future.done():
                        future.set_exception(error)
                self._changes = self._changes[len(group.changes) :]
        self._wake.set()

    def _failed(self, group: _Group, error: Exception) -> None:
        # Nothing was committed: keep the endings in front of what came meanwhile, and tell the callers of changes.
        self._endings[:0] = group.endings
        self._refuse(error, group.changes)
        self._dispatch.committed(next_later=None, paused=())

    def _refuse(self, error: Exception, changes: list[tuple[Change, asyncio.Future[Any]]], more: str = "") -> None:
        if self.problem is None:
            log.error("the state file cannot be written: %s", error, exc_info=error)
        self.problem = f"the state file cannot be written ({error}); nothing is started until it can"
        for _, future in changes:
            if not future.done():
                future.set_exception(StateError(self.problem + more))

    def _answered(self, group: _Group, answer: _Answer) -> None:
        self._hints |= answer.hints
        self.spent_usd_micros += answer.endings.cost_usd_micros
        for (_, future), (value, error) in zip(group.changes, answer.answers, strict=True):
            if future.done():
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        self._dispatch.adopt(group.allowance, answer.hints)
        if answer.claims:
            self._dispatch.start_attempts(answer.claims)
        if answer.endings.refused:
            self._dispatch.revoke(answer.endings.refused)
        self._dispatch.committed(next_later=answer.endings.next_later, paused=answer.held)

    def _apply(self, connection: sqlite3.Connection, group: _Group, now: int, lease: Lease) -> _Answer:
        """One transaction, on the connection's thread."""
        plan = self.plan
        connection.execute("BEGIN IMMEDIATE")
        try:
            # A stage takes its items along directly only while nothing queues there, so that nobody is overtaken.
            costly = any(ending.cost_usd_micros for ending in group.endings)
            direct = (
                {}
                if costly or group.changes or group.is_suspected or not self._claims
                else group.allowance.direct(group.hints)
            )
            endings = end_attempts(connection, self.plan, group.endings, direct, lease, now)
            for stage_id, n in Counter([claimed.stage.id for claimed in endings.claims]).items():
                group.allowance.take(stage_id, n)
            held = self._dispatch.guard(connection, now) if costly else set()
            answers = [self._one(connection, change, now) for change, _ in group.changes]
            if group.changes:
                group.allowance.close(pauses.closed(connection))
            hints = group.hints | (set(self.plan.stages) if group.changes else endings.queued)
            if facts.follow(connection, self.plan, now):
                if (back := recurrence.next_time(connection)) is not None:
                    endings.next_later = min(endings.next_later or back, back)
                hints = hints | set(self.plan.stages)
            answer = _Answer(endings, list(endings.claims), answers, hints, held)
            if self._claims:
                self._claim_or_say(connection, group, answer, lease, now)
            self._number += 1
            commits.note(connection, self._epoch, self._number)
            self._doubt = (self._number, answer)
            point("writer.commits")
            connection.execute("COMMIT")
            point("writer.committed")
            self._doubt = None
            return answer
        except BaseException:
            # A change may have brought a new plan, whose rows are gone with the transaction.
            self.plan = plan
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _claim_or_say(
        self, connection: sqlite3.Connection, group: _Group, answer: _Answer, lease: Lease, now: int
    ) -> None:
        try:
            self._claim(connection, group, answer, lease, now)
        except Exception as error:
            if is_of_the_file(error):
                raise
            raise _ClaimBroke from error

    def _claim(
        self,
        connection: sqlite3.Connection,
        group: _Group,
        answer: _Answer,
        lease: Lease,
        now: int,
    ) -> None:
        has_suspects = group.allowance.suspects != "none"
        if not (has_suspects and self._claim_suspect(connection, group, answer, lease, now)):
            self._claim_in_turns(connection, group, answer, lease, now)
        store_buckets(connection, group.allowance.given())
        if counted := group.allowance.counted():
            guards.count_started(connection, counted)

    def _claim_in_turns(
        self, connection: sqlite3.Connection, group: _Group, answer: _Answer, lease: Lease, now: int
    ) -> None:
        if len(answer.hints) > 1:
            # Most stages that are looked at have nothing; an empty claim costs five times this look.
            answer.hints = queued(connection, answer.hints)
        shared = group.allowance.shared(answer.hints)
        weights = queues.weights(connection, shared, now) if len(shared) > 1 else {}
        for stage_id, n in group.allowance.turns(tuple(answer.hints), weights):
            stage = self.plan.stages.get(stage_id)
            if stage is None or stage_id not in answer.hints or stage.job_id in answer.held:
                answer.hints -= {stage_id} if stage is None else set()
                continue
            claims = claim(connection, self.plan, stage_id, n, lease, now)
            group.allowance.take(stage_id, len(claims))
            answer.claims += claims
            if len(claims) < n or not has_ready(connection, stage_id):
                answer.hints.discard(stage_id)

    def _claim_suspect(
        self, connection: sqlite3.Connection, group: _Group, answer: _Answer, lease: Lease, now: int
    ) -> bool:
        """Claim a row that waits for a run of its own; returns whether it runs alone: then nothing else may start."""
        if not suspects.any_left(connection):
            group.allowance.suspects = "none"
            return False
        startable = [
            number
            for number, stage in self.plan.stages.items()
            if stage.job_id not in answer.held and group.allowance.limit(number)
        ]
        alone = group.allowance.suspects == "alone"
        claimed = suspects.claim(connection, self.plan, startable, lease, now, alone=alone)
        for one in claimed:
            group.allowance.take(one.stage.id, 1)
        answer.claims += claimed
        return alone and bool(claimed)

    @staticmethod
    def _one(connection: sqlite3.Connection, change: Change, now: int) -> tuple[Any, BaseException | None]:
        connection.execute("SAVEPOINT change")
        try:
            value = change(connection, now)
        except sqlite3.OperationalError:
            # The disk is full or gone: not this change's fault, and the whole group is in doubt.
            raise
        except Exception as error:
            connection.execute("ROLLBACK TO change")
            connection.execute("RELEASE change")
            return None, error
        connection.execute("RELEASE change")
        return value, None
