"""An engine that starts, or is attached to, after the first paint: the last known rows are on the screen at once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.contracts.api import EngineApi
from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped

log = logging.getLogger(__name__)


class Started(EngineApi, Protocol):
    """What both an engine of this process and an attached one can do."""

    def ask_stop(self, *, drain: bool) -> None:
        """Begin to stop (an attached one: leave)."""
        ...

    def stop_and_wait(self, *, drain: bool) -> None:
        """Stop (an attached one: leave) and return when that is done."""
        ...


class LateEngine:
    """Implements `engine.contracts.api.EngineApi` over an engine that `begin` starts in a thread.

    Commands given before it works wait for it; a start that failed answers them with its error.
    """

    def __init__(self, start: Callable[[], Started], failed: Callable[[Exception], None]) -> None:
        """`start` returns a started engine; `failed` is called, in that thread, with the error if it cannot."""
        self._start = start
        self._failed = failed
        self._ready: concurrent.futures.Future[Started] = concurrent.futures.Future()
        self._wakes: list[Callable[[], None]] = []
        self._leave: dict[Callable[[], None], Callable[[], None]] = {}
        self._begun = threading.Lock()

    def begin(self) -> None:
        """Start the engine, once; returns at once."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._run, name="start", daemon=True).start()

    def _run(self) -> None:
        try:
            engine = self._start()
        except Exception as error:
            self._ready.set_exception(error)
            self._failed(error)
            return
        for wake in tuple(self._wakes):
            self._leave[wake] = engine.subscribe(wake)
        self._ready.set_result(engine)
        for wake in tuple(self._wakes):
            wake()

    @property
    def engine(self) -> Started | None:
        """The engine, once it works."""
        if not self._ready.done() or self._ready.exception() is not None:
            return None
        return self._ready.result()

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        """Run one command as soon as the engine works."""
        try:
            engine = await asyncio.shield(asyncio.wrap_future(self._ready))
        except Exception as error:
            raise EngineStopped(f"the engine did not start: {error}") from error
        return await engine.command(name, args)

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after each change of state."""
        engine = self.engine
        if engine is not None:
            return engine.subscribe(wake)
        self._wakes.append(wake)
        return lambda: self._forget(wake)

    def _forget(self, wake: Callable[[], None]) -> None:
        if wake in self._wakes:
            self._wakes.remove(wake)
        if (leave := self._leave.pop(wake, None)) is not None:
            leave()

    def running(self) -> int:
        """Attempts that run at this moment."""
        engine = self.engine
        return engine.running() if engine is not None else 0

    def problem(self) -> str | None:
        """What keeps the engine from working at this moment."""
        engine = self.engine
        return engine.problem() if engine is not None else None

    def attached(self) -> bool:
        """Whether it lives in another process."""
        engine = self.engine
        return engine is not None and engine.attached()

    async def stop(self, *, drain: bool) -> None:
        """Stop and return when the engine has ended."""
        engine = self.engine
        if engine is not None:
            await engine.stop(drain=drain)

    def ask_stop(self, *, drain: bool) -> None:
        """Begin to stop."""
        engine = self.engine
        if engine is not None:
            engine.ask_stop(drain=drain)

    def finish(self) -> None:
        """Wait for a start that goes on, then stop what it started; for the end of the program."""
        if not self._begun.locked():
            return
        concurrent.futures.wait({self._ready}, timeout=30.0)
        engine = self.engine
        if engine is not None:
            engine.stop_and_wait(drain=False)
