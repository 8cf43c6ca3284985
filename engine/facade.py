"""The door to an engine in this process: its own thread and loop, started and stopped from any other thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped
from engine.contracts.spec import ProjectSpec
from engine.kit.clock import Clock, SystemClock
from engine.runtime import Runtime
from engine.services.door import Door
from engine.store import sql
from engine.store.migrate import prepare
from engine.store.state_dir import EngineLock, Mode, StateDir

log = logging.getLogger(__name__)

T = TypeVar("T")


SWITCH_S: Final = 0.001
"""A handler that burns time on the loop keeps the writer and the screen waiting for so long at most, not for 5 ms each
time that they let go of the interpreter."""
GARBAGE: Final = (10_000, 10, 10)
"""When Python looks for garbage in cycles. At its own pace (700 objects more) a full queue, whose rows are no garbage,
makes it look so often that a sixth of the engine's time goes there."""
THREADS: Final = 64
"""For `asyncio.to_thread` of handlers and sources: of Python's own number, four more than cores, a few that wait for a
slow site leave none to the others. The engine itself has threads of its own (`engine/kit/tasks.py`)."""
_LEFT_S: Final = 1.0
"""How long tasks that are left at the end may take; a handler that ignores its cancellation is left behind."""
ENDS_S: Final = 60.0
"""How long a stop may take beyond the grace period: a full disk is tried again, worker processes are buried."""
AT_ONCE_S: Final = 15.0
"""And how long when it was asked for again."""
_LOOK_S: Final = 0.5


def _run(main: Coroutine[Any, Any, None], last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Like `asyncio.run`, which would wait for ever for a task that ignores its cancellation.

    `last` is run when all others have ended, however `main` did.
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="aside"))
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_LEFT_S))
        loop.run_until_complete(asyncio.wait({loop.create_task(last())}, timeout=_LEFT_S))
        loop.run_until_complete(asyncio.wait({loop.create_task(loop.shutdown_asyncgens())}, timeout=_LEFT_S))
        asyncio.set_event_loop(None)
        loop.close()


def _load_rest() -> None:
    """Load what a start does without, before an upgrade of Rivus may change it below an engine that runs."""
    from engine import rest

    sql.read_all()
    log.debug("loaded: %s", ", ".join(rest.__all__))


class Engine:
    """Implements `engine.contracts.api.EngineApi`; owns the state directory from `start` until it has stopped."""

    def __init__(
        self,
        project: ProjectSpec,
        state: StateDir,
        *,
        mode: Mode,
        only: Collection[str] | None = None,
        limit: int | None = None,
        work: bool = True,
        reads_code: bool = True,
        clock: Clock | None = None,
    ) -> None:
        """`only`: the jobs that may run; `limit`: start so many items at most; `work`: False only discovers;
        `reads_code`: False takes no versions, for a command that is not about code."""
        self._work = work
        self._reads_code = reads_code
        self._limit = limit
        self.project = project
        self.state = state
        self._mode: Mode = mode
        self._only = only
        self._clock = clock or SystemClock()
        self._lock: EngineLock | None = None
        self._runtime: Runtime | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._door: Door | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._wakes: list[Callable[[], None]] = []
        self._stop_asked = threading.Event()
        self._ends_by = math.inf
        """When a stop that goes on should have ended, on the monotonic clock."""
        self.stopped = threading.Event()
        """Set when the engine has ended and the state directory is free."""

    def start(self, *, discover: bool = False) -> None:
        """Take the lock, start the thread and return when the engine works.

        OwnedError when another engine runs here, StateError when the state cannot be used. `discover`: run every
        discovery at once, whatever its schedule says.
        """
        self.state.create()
        sys.setswitchinterval(SWITCH_S)
        gc.set_threshold(*GARBAGE)
        self._lock = EngineLock(self.state, mode=self._mode, now=self._clock.now())
        try:
            prepare(self.state.database, doubt=self._lock.was_cut)
            self._lock.was_cut = False
            started: concurrent.futures.Future[None] = concurrent.futures.Future()
            self._thread = threading.Thread(target=self._main, args=(started, discover), name="engine", daemon=True)
            self._thread.start()
            started.result()
        except BaseException:
            if self._thread is not None and self._thread.is_alive():
                concurrent.futures.wait({started})
                if started.exception() is None:
                    self.ask_stop(drain=False)  # interrupted while it began; it works by now
                self._thread.join()
            self._lock.release()
            raise

    def _main(self, started: concurrent.futures.Future[None], discover: bool) -> None:
        runtime = Runtime(
            project=self.project,
            state=self.state,
            clock=self._clock,
            only=self._only,
            limit=self._limit,
            work=self._work,
            on_change=self._wake_all,
            on_death=self._die,
        )
        try:
            _run(self._live(runtime, started, discover), runtime.let_go)
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            else:
                log.critical("the engine ended on an error", exc_info=error)
        finally:
            if self._lock is not None:
                self._lock.release()
            self.stopped.set()
            self._wake_all()

    async def _live(self, runtime: Runtime, started: concurrent.futures.Future[None], discover: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        await runtime.start(discover=discover, idle=self._mode == "command", reads_code=self._reads_code)
        self._runtime = runtime
        if self._mode != "command":
            self._door = Door(
                self.state.socket,
                epoch=runtime.epoch,
                command=self._carry_out,
                wait=self._drained,
                problem=self.problem,
            )
            await self._door.open()
        assert self._lock is not None
        self._lock.tell("running", epoch=runtime.epoch)
        started.set_result(None)
        if self._mode in ("serve", "app"):
            threading.Thread(target=_load_rest, name="rest").start()
        await self._ended.wait()
        if self._door is not None:
            await self._door.close()

    async def _drained(self, job: str | None, wait_s: float) -> None:
        """Return when nothing of a job (None: of any) is left to run; EngineStopped when a stop came first."""
        await self._on_loop().drained(job, wait_s=wait_s)
        if self._stop_asked.is_set():
            raise EngineStopped("the engine stops before it is done with that")

    def _die(self) -> None:
        """Nothing can be stored any more: end without a clean stop."""
        if self._ended is not None:
            self._ended.set()

    # From other threads

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one command; UseError for wrong ones, EngineStopped when the engine has ended."""
        self._on_loop()
        return await asyncio.wrap_future(self._submit(self._carry_out(name, args)))

    def command_and_wait(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """The same for a thread without a loop."""
        self._on_loop()
        return self._submit(self._carry_out(name, args)).result()

    async def _carry_out(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Check and run one command, whoever gave it; on the engine's loop."""
        from engine.services import commands

        commands.check(name, args)
        runtime = self._on_loop()
        if name == "stop":
            drain = bool(args.get("drain", True))
            running = runtime.attempts.running
            self.ask_stop(drain=drain)
            wait = f"waiting at most {self.project.settings.grace_s:g} s" if drain and running else "at once"
            return CommandOutcome(ok=True, message=f"the engine stops; {running} running, {wait}")
        return await runtime.command(name, args)

    def wait_drained(self, *, wait_s: float = 0.0) -> None:
        """Return when nothing is left to run, or the engine stops."""
        future = self._submit(self._on_loop().drained(wait_s=wait_s))
        while not self.stopped.is_set() and not self._stop_asked.is_set():
            done, _ = concurrent.futures.wait({future}, timeout=0.2)
            if done:
                future.result()
                return
        future.cancel()

    def running(self) -> int:
        """Attempts that run at this moment."""
        return self._runtime.attempts.running if self._runtime is not None and not self.stopped.is_set() else 0

    def totals(self) -> tuple[int, int]:
        """Attempts that ended since the start, and what those that were stored cost (micro-dollars)."""
        assert self._runtime is not None
        return self._runtime.attempts.executed, self._runtime.writer.spent_usd_micros

    def problem(self) -> str | None:
        """Why the state file cannot be written at this moment."""
        return self._runtime.writer.problem if self._runtime is not None else None

    def attached(self) -> bool:
        """It lives in this process."""
        return False

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` from the engine's thread after each commit."""
        self._wakes.append(wake)
        return lambda: self._wakes.remove(wake) if wake in self._wakes else None

    async def stop(self, *, drain: bool) -> None:
        """Stop and return when the engine has ended, or cannot be; not to `drain` cuts short a drain that goes on."""
        if not drain and self.stop_was_asked:
            self.ask_stop(drain=False)
        await asyncio.get_running_loop().run_in_executor(None, lambda: self.stop_and_wait(drain=drain))

    @property
    def stop_was_asked(self) -> bool:
        """Whether somebody has asked it to stop; an engine that ended without was ended by an error."""
        return self._stop_asked.is_set()

    def ask_stop(self, *, drain: bool) -> None:
        """Begin to stop; returns at once. Asked again, it stops at once."""
        if self.stopped.is_set() or self._loop is None:
            return
        again = self._stop_asked.is_set()
        takes_s = AT_ONCE_S if again else self._grace_s(drain) + ENDS_S
        self._ends_by = min(self._ends_by, time.monotonic() + takes_s)
        self._stop_asked.set()
        with contextlib.suppress(RuntimeError):  # it has ended in this moment, and its loop is closed
            self._loop.call_soon_threadsafe(self._hurry if again else partial(self._begin_stop, drain))

    def ask_reload(self, say: Callable[[str], None]) -> None:
        """Begin to reload; returns at once. `say` gets a sentence when it is done."""
        if self.stopped.is_set() or self._runtime is None:
            return
        future = self._submit(self._runtime.command("reload", {}))
        future.add_done_callback(lambda done: say(done.result().message) if not done.exception() else None)

    def _begin_stop(self, drain: bool) -> None:
        self._stopping = asyncio.get_running_loop().create_task(self._stop(self._grace_s(drain)), name="stop")

    def _grace_s(self, drain: bool) -> float:
        return self.project.settings.grace_s if drain else 0.0

    def _hurry(self) -> None:
        if self._runtime is not None:
            self._runtime.hurry()

    def stop_and_wait(self, *, drain: bool) -> None:
        """Stop and return when the engine has ended, or cannot be; a stop that goes on already takes its time."""
        if not self._stop_asked.is_set():
            self.ask_stop(drain=drain)
        self.wait_stopped()

    def wait_stopped(self) -> bool:
        """Return when the engine has ended; False when it was to end and does not, as where a handler that never waits
        keeps its loop from turning: then only the end of this process ends it, and loses nothing that is stored."""
        looked_at = time.monotonic()
        # A signal that lands just before a wait is seen when the wait ends, so waits are short.
        while not self.stopped.wait(_LOOK_S):
            now = time.monotonic()
            self._ends_by += max(0.0, now - looked_at - 2 * _LOOK_S)  # this process itself stood still
            looked_at = now
            if now >= self._ends_by:
                log.critical("the engine does not end, and is left as it is: something keeps its loop from turning")
                return False
        return True

    async def _stop(self, grace_s: float) -> None:
        assert self._lock is not None
        self._lock.tell("draining")
        try:
            await self._on_loop().stop(grace_s=grace_s)
        except Exception:
            log.exception("the engine did not stop cleanly")
        finally:
            if self._ended is not None:
                self._ended.set()

    def _on_loop(self) -> Runtime:
        if self._runtime is None or self.stopped.is_set():
            raise EngineStopped("the engine is not running")
        return self._runtime

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _wake_all(self) -> None:
        if self._door is not None:
            self._door.wake()
        for wake in tuple(self._wakes):
            try:
                wake()
            except Exception:
                log.exception("a screen could not be woken")
