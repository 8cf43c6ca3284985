"""Money and quotas of one request: reserved before it is sent, settled when it has ended, whatever happens between."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from engine.contracts.errors import ModelBusy, StateError, TooCostly
from engine.contracts.llm import BackendFailure
from engine.contracts.spec import ProjectSpec
from engine.contracts.values import dataclass
from engine.kit.clock import Clock
from engine.llm import health
from engine.llm.call import Answer
from engine.llm.chores import Chores
from engine.llm.lanes import Lane, Lanes
from engine.llm.ledger import Ledger, Sending
from engine.rules.budget import day_bounds
from engine.store import model_calls
from engine.store.budgets import Budget, Refusal
from engine.store.limits import store_buckets
from engine.store.model_calls import Asker, NewCall, Settlement

T = TypeVar("T")

_AGAIN_S: Final = (0.1, 0.5, 2.0, 5.0)
"""When the end of a call is stored again that the state file did not take."""


class QuotaUsedUp(Exception):
    """The store refused: another request has taken the last of a quota."""

    def __init__(self, name: str, until: int) -> None:
        self.name = name
        self.until = until
        super().__init__(name)


@dataclass(slots=True)
class Booking:
    """Reserves and settles in the state file."""

    clock: Clock
    ledger: Ledger
    lanes: Lanes
    chores: Chores
    guard: Callable[[sqlite3.Connection, int], set[int]]
    paused: Callable[[set[int]], None]
    project: ProjectSpec | None = None
    is_stopping: bool = False
    _refused: dict[str | None, tuple[int, str]] = field(default_factory=dict)
    """Job → until when its money is spent, and why."""

    async def reserve(self, sending: Sending, lane: Lane, call: NewCall, stored: list[tuple[str, float, int]]) -> int:
        budget = self._budget(sending.asker)

        def transition(connection: sqlite3.Connection, now: int) -> int | Refusal:
            store_buckets(connection, stored)
            got = model_calls.reserve(connection, call, budget, now)
            if isinstance(got, int) and sending.checkpoint is not None:
                sending.checkpoint.reserved(connection, got, now)
            return got

        got = await self._shielded(transition, lambda number: self._unsend(sending, lane, number, call))
        if isinstance(got, int):
            self.lanes.counted(sending.alias, lane, budget.day_until)
            return got
        if got.what == "quota":
            name = next((name for name in call.quotas if got.why.startswith(f"quota of {name}:")), call.quotas[0])
            raise QuotaUsedUp(name, got.until or budget.day_until)
        if got.what == "budget":
            self._refused[sending.asker.job] = (got.until or 0, got.why)
            raise ModelBusy(got.why, until=got.until)
        raise TooCostly(got.why)

    async def _shielded(
        self, transition: Callable[[sqlite3.Connection, int], T], undo: Callable[[T], Awaitable[None]]
    ) -> T:
        """Run a transition to its end even when the caller is cancelled meanwhile; then it is taken back."""
        task = asyncio.ensure_future(self.ledger.change(transition))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:

            async def take_back() -> None:
                await undo(await task)

            self.chores.do(take_back())
            raise

    async def _unsend(self, sending: Sending, lane: Lane, number: int | Refusal, call: NewCall) -> None:
        if isinstance(number, int):
            await self.settle(
                sending, lane, number, call, Settlement(state="unsent", error="cancelled before it was sent")
            )

    def _budget(self, asker: Asker) -> Budget:
        assert self.project is not None
        start, end = day_bounds(self.clock.now(), ZoneInfo(self.project.settings.timezone))
        job = self.project.job(asker.job) if asker.job is not None else None
        return Budget(
            job_usd_micros=job.daily_cost_usd_micros if job is not None else None,
            all_usd_micros=self.project.settings.daily_cost_usd_micros,
            day_from=start,
            day_until=end,
        )

    def last_refusal(self, asker: Asker) -> tuple[int | None, str]:
        """Until when the money of this asker is spent, as it was last found, and why; (None, ''): it is not."""
        until, why = self._refused.get(asker.job, (0, ""))
        return (until, why) if until > self.clock.now() else (None, "")

    async def settle(
        self,
        sending: Sending,
        lane: Lane,
        number: int,
        call: NewCall,
        end: Settlement,
        *,
        answer: Answer | None = None,
        error: BackendFailure | None = None,
    ) -> None:
        """Book what it did cost, with what a conversation stores, and what its end says about the lane."""
        # Who left before the answer has learnt nothing of the lane.
        ended = answer is not None or error is not None
        mark = health.judge(self.lanes, lane, error, self.clock.now()) if ended else None
        checkpoint, name = sending.checkpoint, "/".join(lane)

        def transition(connection: sqlite3.Connection, now: int) -> set[int]:
            landed = model_calls.settle(connection, number, call, end, now)
            if landed and checkpoint is not None:
                if answer is not None:
                    checkpoint.answered(connection, name, answer, now)
                else:
                    lost = error is None and end.state != "unsent"
                    checkpoint.unanswered(connection, end.error or "", lost, now)
            if mark is not None:
                health.store(connection, name, mark, now)
            return self.guard(connection, now) if end.usd_micros else set()

        # Whether or not the caller stays to see it: what is not settled would count as reserved for ever.
        storing = asyncio.ensure_future(self._stored(transition))
        self.chores.do(storing)
        await asyncio.shield(storing)

    async def _stored(self, transition: Callable[[sqlite3.Connection, int], set[int]]) -> None:
        """Store the end of a call; while the state file cannot be written, again and again."""
        for wait_s in itertools.chain(_AGAIN_S, itertools.repeat(_AGAIN_S[-1])):
            try:
                paused = await self.ledger.change(transition)
            except StateError:
                if self.is_stopping:
                    raise  # it stays reserved, and counts as lost at the next start
                await asyncio.sleep(wait_s)
                continue
            if paused:
                self.paused(paused)
            return

    async def learn(self, lane: Lane, error: BackendFailure) -> None:
        """A backend could not even get ready: nothing was reserved."""
        mark = health.judge(self.lanes, lane, error, self.clock.now())
        await self.ledger.change(lambda connection, now: health.store(connection, "/".join(lane), mark, now))
