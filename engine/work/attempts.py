"""Attempts that run at this moment: started from claims, watched by one sweep, handed in when they end.

Attempts that wait for nothing share a task (`engine.work.line`). Deadlines are kept in a table that one sweep looks at,
not by a timer each. What ignores its cancellation is abandoned: its end is handed in as a timeout, its slot stays taken
until the task really ends, and what it returns then is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from engine.contracts.attempt import AttemptError
from engine.contracts.errors import InDoubt, ModelBusy, ModelNeeded, TooCostly
from engine.contracts.http import Http
from engine.contracts.item import Candidate
from engine.contracts.outcome import Done
from engine.kit.chaos import point
from engine.kit.clock import Clock
from engine.kit.exceptions import describe
from engine.kit.tasks import beside, wait_for_any
from engine.rules.budget import is_cost
from engine.rules.retry import ALONE_S, ONCE_ONLY
from engine.store.claims import Claim
from engine.store.live import Told
from engine.store.stages import Finished, Left
from engine.work.artifacts import artifact_flaw
from engine.work.context import AttemptContext
from engine.work.judge import BadResult, failed, judge, unanswered
from engine.work.line import Ended, Line
from engine.work.process import WorkerDied
from engine.work.processes import WorkerProcesses
from engine.work.run import (
    Asked,
    AttemptDoor,
    CodeEdited,
    Handler,
    Raised,
    Run,
    call_in_process,
    call_in_thread,
    open_context,
)
from engine.work.still_true import Hook, no_longer
from engine.work.watchdog import Watchdog

if TYPE_CHECKING:
    from engine.work.canary import Canary

log = logging.getLogger(__name__)

SWEEP_S: Final = 0.5
ABANDONED_MAX: Final = 3
"""A handler that was abandoned so often runs where it can be killed."""
TAKEN_OVER_S: Final = 5.0
"""When what was claimed under code that has been edited meanwhile is tried again: a reload is on its way."""
ABANDON_S: Final = 2.0
"""How long a cancelled handler may take to end before it is abandoned."""


class HandIn(Protocol):
    """Where attempts hand in how they ended."""

    def __call__(self, ending: Finished | Left, /) -> None: ...


def _billed(run: Run, ending: Finished | Left) -> Finished | Left:
    """With what the handler said it has spent, however it ended."""
    if not (paid := run.bill()):
        return ending
    return replace(ending, cost_usd_micros=ending.cost_usd_micros + paid)


class Attempts:
    """Runs handlers; knows nothing of the database."""

    def __init__(
        self,
        *,
        clock: Clock,
        chance: random.Random,
        root: Path,
        artifacts: Path,
        handlers: Callable[[str], Handler],
        hooks: Callable[[str], Hook],
        processes: WorkerProcesses,
        hand_in: HandIn,
        asks: Asked,
        http: Http,
        door: Callable[[Claim], AttemptDoor],
        accompany: Callable[[Claim], None],
        freed: Callable[[], None],
        moved: Callable[[Claim, str], None],
    ) -> None:
        """`hooks`: dotted name → function that answers one question; `asks` does what handlers ask of the engine while
        they run; `door` opens the door to the models for one; `accompany`: a claim that ran alone has done so for long
        enough; `freed`: a slot is free of which no ending tells; `moved`: why the handler of one runs in a process from
        now on."""
        self._clock = clock
        self._chance = chance
        self._root = root
        self._artifacts = artifacts
        self._handlers = handlers
        self._hooks = hooks
        self._processes = processes
        self._hand_in = hand_in
        self._asks = asks
        self._http = http
        self._door = door
        self._accompany = accompany
        self._freed = freed
        self._alone: Run | None = None
        self._tell_moved = moved
        self._moved: set[str] = set()
        self._abandoned: Counter[str] = Counter()
        self._watchdog = Watchdog(
            self._whose, lambda run, seconds: self._move(run, f"kept the engine from working for {seconds:.1f} s")
        )
        self._runs: dict[tuple[int, int], Run] = {}
        self._ended: list[Run] = []
        self._taken: Counter[int] = Counter()
        self._sweep: asyncio.TimerHandle | None = None
        self._hurry = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.executed = 0
        """Attempts that ended since the start."""

    @property
    def running(self) -> int:
        """Attempts that run now."""
        return len(self._runs)

    @property
    def is_alone(self) -> bool:
        """Whether an attempt runs beside which nothing may start."""
        return self._alone is not None

    @property
    def canary(self) -> Canary:
        """What runs handlers as they are now in scratch, beside the attempts."""
        from engine.work.canary import Canary

        return Canary(self._handlers, self._processes, self._root, self._http, self._clock)

    def taken(self, stage_id: int) -> int:
        """Slots of a stage that are taken, abandoned handlers included."""
        return self._taken[stage_id]

    def alive(self) -> list[tuple[int, int, int]]:
        """(item, stage, fence) of what runs."""
        return [(item, stage, run.claim.fence) for (item, stage), run in self._runs.items()]

    def start(self, claims: Collection[Claim]) -> None:
        """Run these claims."""
        loop = asyncio.get_running_loop()
        now = self._clock.monotonic()
        waiting: deque[Run] = deque()
        for claim in claims:
            # The time of a plain function begins when a worker process is free for it.
            stage = claim.stage
            deadline = math.inf if self._place(claim) == "process" else now + stage.spec.timeout_s
            run = Run(claim, self._asks, self._door, self._clock.now, now, deadline)
            row = (claim.item.id, stage.id)
            if (before := self._runs.get(row)) is not None:
                # The row was taken away from an attempt that still runs, and is claimed anew.
                self._revoke(before)
            self._runs[row] = run
            self._taken[stage.id] += 1
            if claim.alone:
                self._alone = run
            waiting.append(run)
        if waiting:
            Line(self._attempt, waiting)
            self._empty.clear()
            self._watchdog.beat()
            if self._sweep is None:
                self._sweep = loop.call_later(SWEEP_S, self._look)

    def reload(
        self,
        handlers: Callable[[str], Handler],
        hooks: Callable[[str], Hook],
        processes: WorkerProcesses,
        http: Http,
    ) -> None:
        """New attempts run new code; what runs goes on with the old."""
        self._hooks = hooks
        self._http = http
        self._moved.clear()
        self._handlers = handlers
        self._processes = processes

    def revoke(self, rows: Collection[tuple[int, int]]) -> None:
        """Cancel what runs of these (item, stage): the rows were taken away, nothing they return will be stored."""
        for run in [run for row, run in self._runs.items() if row in rows]:
            self._revoke(run)

    def ask(self) -> None:
        """Let handlers see, by `ctx.cancelled`, that they should end within the grace period."""
        for run in self._runs.values():
            if run.context is not None:
                run.context.cancelled = True
        for processes in self._pools():
            processes.send_cancel()

    async def drain(self, grace_s: float) -> None:
        """Let attempts end for at most `grace_s`, then release what is left."""
        await wait_for_any(self._empty, self._hurry, timeout_s=grace_s)
        for run in tuple(self._runs.values()):
            self._cancel(run, "stop")
        await wait_for_any(self._empty, timeout_s=ABANDON_S)
        for run in tuple(self._runs.values()):
            self._release(run)

    def hurry(self) -> None:
        """End the grace period of a drain now."""
        self._hurry.set()

    def _pools(self) -> set[WorkerProcesses]:
        """Where attempts run now: a reload gives new ones another pool, what runs ends in its own."""
        return {self._processes, *(run.processes for run in self._runs.values() if run.processes is not None)}

    # One attempt

    async def _attempt(self, run: Run, line: Line) -> None:
        claim = run.claim
        try:
            ending: Finished | Left | None
            if run.reason is not None:
                ending = self._cancelled(run)  # before its turn came
            else:
                # Taken before anything is waited for: a reload brings others, for what is claimed after it.
                place, processes = self._place(claim), self._processes
                handler = None if place == "process" else self._handlers(claim.stage.spec.handler)
                if claim.stage.still_true is not None and (untrue := await self._no_longer(claim, line)) is not None:
                    ending = untrue
                elif handler is None:
                    line.part()
                    ending = await self._in_process(run, processes)
                elif place == "thread":
                    line.part()
                    context = self._open(run)
                    ending = self._judged(run, await call_in_thread(handler, context), context.emitted)
                else:
                    context = self._open(run)
                    begun = line.begin(handler(context))
                    value = begun.value if isinstance(begun, Ended) else await begun
                    ending = self._judged(run, value, context.emitted)
        except asyncio.CancelledError:
            ending = self._cancelled(run)
        except GeneratorExit as error:
            if run.handed_in:
                raise  # it was left behind, and the loop has ended
            ending = self._failed(run, describe(error))
        except Raised as error:
            ending = self._failed(run, error.problem)
        except CodeEdited as error:
            due_at = self._clock.now() + round(TAKEN_OVER_S * 1000)
            ending = Left(claim=claim, transition="postpone", why=str(error), due_at=due_at, ms=self._ms(run))
        except (ModelBusy, ModelNeeded, InDoubt) as error:
            ending = unanswered(claim, error, now=self._clock.now(), ms=self._ms(run))
        except WorkerDied as error:
            problem = describe(error)
            hold = claim.stage.spec.on_interrupt == "hold"
            ending = self._held(run, problem.message, problem) if hold else self._failed(run, problem)
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a handler must not end the engine
            if not isinstance(error, Exception):
                log.warning("%s raised %s", claim.stage.spec.handler, type(error).__name__)
            ending = self._failed(run, describe(error), final=isinstance(error, (BadResult, TooCostly)))
        if not run.handed_in and run.reason != "revoked" and ending is not None:
            run.handed_in = True
            self._end(run)
            point("attempt.ended")
            self._hand_in(_billed(run, ending))
        else:
            self._end(run)
            self._freed()
            cost = run.bill() + (ending.cost_usd_micros if ending is not None else 0)
            if cost or run.has_reserved:
                # It came too late; the money is spent all the same.
                self._hand_in(Left(claim=claim, transition="late", why=None, cost_usd_micros=cost, ms=self._ms(run)))

    async def _no_longer(self, claim: Claim, line: Line) -> Left | None:
        line.part()
        return await no_longer(
            claim, self._hooks, root=self._root, state_dir=self._artifacts.parent, now=self._clock.now()
        )

    def _open(self, run: Run) -> AttemptContext:
        return open_context(run, root=self._root, artifacts=self._artifacts, http=self._http)

    async def _in_process(self, run: Run, processes: WorkerProcesses) -> Finished | Left:
        run.processes = processes
        value, emitted = await call_in_process(
            run,
            processes,
            root=self._root,
            artifacts=self._artifacts,
            # The deadline is the handler's; waiting for a free process is not its time.
            started=lambda: self._restart_clock(run),
        )
        return self._judged(run, value, emitted)

    def _judged(self, run: Run, value: Any, emitted: Sequence[tuple[str, Candidate]]) -> Finished | Left:
        try:
            ending = judge(run.claim, value, emitted, now=self._clock.now(), ms=self._ms(run))
            if isinstance(value, Done) and value.artifacts:
                folder = self._artifacts / str(run.claim.item.id)
                if flaw := artifact_flaw(folder, value.artifacts):
                    raise BadResult(flaw)
        except BadResult:
            if isinstance(value, Done) and is_cost(value.cost_usd_micros):
                run.pay(value.cost_usd_micros)
            raise
        return ending

    def _restart_clock(self, run: Run) -> None:
        run.began = self._clock.monotonic()
        run.deadline = run.began + run.claim.stage.spec.timeout_s

    def _ms(self, run: Run) -> int:
        return round((self._clock.monotonic() - run.began) * 1000)

    def _failed(self, run: Run, problem: AttemptError, *, final: bool = False) -> Left:
        log.warning("attempt failed: %s: %s", problem.error_type, problem.message.split("\n", 1)[0], extra=run.ids())
        return failed(
            run.claim,
            problem,
            now=self._clock.now(),
            chance=self._chance.random(),
            ms=self._ms(run),
            final=final,
        )

    def _cancelled(self, run: Run) -> Left | None:
        if run.reason == "timeout":
            return self._timed_out(run)
        if run.reason == "stop":
            return self._released(run)
        if run.reason == "revoked":
            return None
        return self._failed(
            run, AttemptError(error_type="CancelledError", message="the handler cancelled itself", traceback="")
        )

    def _timed_out(self, run: Run) -> Left:
        limit = run.claim.stage.spec.timeout_s
        problem = AttemptError(error_type="TimeoutError", message=f"took longer than {limit:g} s", traceback="")
        if run.claim.stage.spec.on_interrupt == "hold":
            return self._held(run, problem.message, problem)
        return self._failed(run, problem)

    def _released(self, run: Run) -> Left:
        if run.claim.stage.spec.on_interrupt == "hold":
            return self._held(run, "the engine stopped")
        return Left(claim=run.claim, transition="release", why=None, due_at=run.claim.started_at, ms=self._ms(run))

    def _held(self, run: Run, what: str, problem: AttemptError | None = None) -> Left:
        """Cut off in the middle, and it may run once only: a person decides."""
        why = f"{what} while it ran, {ONCE_ONLY}"
        return Left(claim=run.claim, transition="hand_over", why=why, problem=problem, ms=self._ms(run))

    async def news(self) -> list[Told]:
        """What attempts have told since the last time, those that ended meanwhile included."""
        runs = [run for run in (*self._ended, *self._runs.values()) if run.is_news]
        self._ended.clear()
        # Cleaning what they print takes longer than the loop may be kept.
        return await beside(lambda: [run.tell_news() for run in runs]) if runs else []

    def _end(self, run: Run) -> None:
        run.close()
        if self._alone is run:
            self._alone = None
        if run.is_news:
            self._ended.append(run)
        claim = run.claim
        stage = claim.stage.id
        row = (claim.item.id, stage)
        self._taken[stage] -= 1
        self.executed += 1
        if self._runs.get(row) is run:
            del self._runs[row]
        if not self._runs:
            self._empty.set()

    # Handlers that block

    def _place(self, claim: Claim) -> Literal["loop", "process", "thread"]:
        spec = claim.stage.spec
        return "process" if self._moved and spec.handler in self._moved else spec.place

    def _whose(self, task: object) -> Run | None:
        return next((run for run in self._runs.values() if run.task is task and task is not None), None)

    def _move(self, run: Run, why: str) -> None:
        """Run the handler of an attempt in a worker process from now on: there it can harm nobody, and be killed."""
        handler = run.claim.stage.spec.handler
        if handler not in self._moved:
            self._moved.add(handler)
            self._tell_moved(run.claim, why)

    def close(self) -> None:
        """Nothing runs any more."""
        self._watchdog.close()

    # Deadlines

    def _look(self) -> None:
        self._sweep = None
        self._watchdog.beat()
        now = self._clock.monotonic()
        if (alone := self._alone) is not None and now >= alone.began + ALONE_S:
            self._alone = None
            self._accompany(alone.claim)
        for run in tuple(self._runs.values()):
            if now < run.deadline:
                continue
            if run.reason is None:
                run.deadline = now + ABANDON_S
                self._cancel(run, "timeout")
            elif run.reason != "stop" and not run.handed_in:
                self._abandon(run)
        if self._runs:
            self._sweep = asyncio.get_running_loop().call_later(SWEEP_S, self._look)
        else:
            self._watchdog.rest()

    def _revoke(self, run: Run) -> None:
        run.deadline = self._clock.monotonic() + ABANDON_S
        self._cancel(run, "revoked")

    def _cancel(self, run: Run, reason: Literal["timeout", "stop", "revoked"]) -> None:
        if run.reason is None:
            run.reason = reason
        if run.context is not None:
            run.context.cancelled = True
        if run.task is not None:
            run.task.cancel()

    def _abandon(self, run: Run) -> None:
        log.error(
            "%s ignores its cancellation at %s; abandoned, its slot stays taken until it ends",
            run.claim.stage.spec.handler,
            run.claim.item.key,
        )
        run.handed_in = True
        self._forget(run)
        if self._place(run.claim) == "loop":
            self._abandoned[run.claim.stage.spec.handler] += 1
            if self._abandoned[run.claim.stage.spec.handler] == ABANDONED_MAX:
                self._move(run, f"ignored its cancellation {ABANDONED_MAX} times")
        if run.reason == "timeout":
            self._hand_in(_billed(run, self._timed_out(run)))

    def _release(self, run: Run) -> None:
        if not run.handed_in:
            run.handed_in = True
            self._forget(run)
            self._hand_in(_billed(run, self._released(run)))

    def _forget(self, run: Run) -> None:
        """No longer counted as running, though its task (and its slot) may live on."""
        run.end()
        if self._alone is run:
            self._alone = None
        self._runs.pop((run.claim.item.id, run.claim.stage.id), None)
        if not self._runs:
            self._empty.set()
