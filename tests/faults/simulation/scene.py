"""Short scenes for the sweep: the same few steps each time, one statement that fails, and the end they must have."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Done, Later, Skip
from engine.contracts.spec import DiscoverySpec, JobSpec, ProjectSpec, Settings, StageSpec
from engine.runtime import Runtime
from engine.store.migrate import prepare
from engine.store.state_dir import StateDir
from tests.faults.simulation.history import stranded
from tests.faults.simulation.loop import VirtualClock, VirtualLoop
from tests.faults.simulation.patience import unwatched
from tests.faults.simulation.store import FaultyConnection, InlineDatabase, Killed, disk_error

Fault = Literal["io", "full", "busy", "unknown commit", "kill", "cancel"]
FAULTS: Final[tuple[Fault, ...]] = ("io", "full", "busy", "unknown commit", "kill", "cancel")
_modules = itertools.count()
_BOUND_S: Final = 900.0
"""Virtual seconds within which a scene must have come to its end, leases and backoff included."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens, and what must be there at the end: item key → state."""

    name: str
    stages: tuple[str, ...]
    work: Callable[[Any], Any]
    end: dict[str, str]
    commands: Sequence[tuple[str, dict[str, Any]]] = ()
    found: tuple[Candidate, ...] = (Candidate(key="a"), Candidate(key="b"))
    gate: str | None = None
    limit: int | None = None


def _raises_once(ctx: Any) -> Any:
    if ctx.attempt == 1 and ctx.stage == "one":
        raise ConnectionResetError("the first time")
    return {"n": 1}


def _asks(ctx: Any) -> Any:
    return {"n": 1} if ctx.answer or ctx.stage != "one" else Ask(question="which?", choices=("x", "y"))


def _later(ctx: Any) -> Any:
    if ctx.stage == "one" and ctx.item.key not in _seen:
        _seen.add(ctx.item.key)
        return Later(after=3, why="not yet")
    return {"n": 1}


_seen: set[str] = set()


def _emits(ctx: Any) -> Any:
    if ctx.stage == "one" and not ctx.item.key.startswith("child"):
        ctx.emit(Candidate(key=f"child-{ctx.item.key}"))
    return {"n": 1}


def _all_done(*keys: str) -> dict[str, str]:
    return dict.fromkeys(keys, "done")


_ONE = ("one",)
_TWO = ("one", "two")
SCENES: Final = (
    Scene("a chain", ("one", "two", "three"), lambda _ctx: {"n": 1}, _all_done("a", "b")),
    Scene("tried again", _TWO, _raises_once, _all_done("a", "b")),
    Scene("fails", _ONE, lambda _ctx: 1 / 0, dict.fromkeys("ab", "failed")),
    Scene("skips", _TWO, lambda _ctx: Skip(why="no"), dict.fromkeys("ab", "skipped")),
    Scene("later", _TWO, _later, _all_done("a", "b")),
    Scene("asks", _TWO, _asks, _all_done("a", "b"), [("answer", {"answer": "x"})]),
    Scene("a gate", _TWO, lambda _ctx: {"n": 1}, _all_done("a", "b"), [("accept", {})], gate="accept"),
    Scene("emits", _TWO, _emits, _all_done("a", "b", "child-a", "child-b")),
    Scene("costs", _TWO, lambda _ctx: Done(output={}, cost_usd_micros=1_000), _all_done("a", "b"), limit=10**9),
    Scene("dropped", _TWO, lambda _ctx: {"n": 1}, dict.fromkeys("ab", "dropped"), [("drop", {})], gate="accept"),
    Scene("snoozed", _TWO, lambda _ctx: {"n": 1}, _all_done("a", "b"), [("snooze", {}), ("accept", {})], gate="accept"),
    Scene(
        "closed", _TWO, lambda _ctx: {"n": 1}, {"a": "done", "b": "done"},
        found=(Candidate(key="a", closed="done"), Candidate(key="b", priority=0)),
    ),
)  # fmt: skip


@dataclass(slots=True)
class Case:
    """One playing of a scene, with a fault at the n-th statement of its engines."""

    scene: Scene
    fault: Fault | None
    at: int
    folder: Path
    statements: int = 0
    fired: bool = False
    begun: list[str] = field(default_factory=list)
    loop: VirtualLoop | None = None
    database: InlineDatabase | None = None
    callers: list[asyncio.Future[Any]] = field(default_factory=list)

    def play(self) -> list[str]:
        """Play it; returns what is wrong at the end."""
        _seen.clear()
        state = StateDir(self.folder)
        state.create()
        prepare(state.database)
        clock = VirtualClock(1_767_225_600_000)
        name = f"scene_{next(_modules)}"
        module = sys.modules[name] = ModuleType(name)
        vars(module).update(work=self._work, find=self._find)
        try:
            with unwatched():
                for _ in range(4):
                    if self._life(clock, state, name):
                        return self._wrong(state)
            return [f"{self.scene.name}: it did not come to its end in 4 engines"]
        finally:
            del sys.modules[name]

    async def _work(self, ctx: Any) -> Any:
        self.begun.append(f"{ctx.item.key} {ctx.stage}")
        await asyncio.sleep(0.01)
        return self.scene.work(ctx)

    async def _find(self, ctx: Any) -> AsyncIterator[Candidate]:
        for candidate in self.scene.found:
            yield candidate
        ctx.scope(["all"])

    def _life(self, clock: VirtualClock, state: StateDir, module: str) -> bool:
        """One engine; False when it was killed."""
        loop = self.loop = VirtualLoop(random.Random(self.at), at=clock.monotonic())
        clock.run_on(loop)
        asyncio.set_event_loop(loop)
        main = loop.create_task(self._engine(clock, state, module))
        main.add_done_callback(lambda _task: loop.stop())
        try:
            loop.run_forever()
            if loop.halted:
                return False
            try:
                main.result()
            except (StateError, EngineStopped):
                return False  # it said that it cannot start; the next one does
            return True
        finally:
            loop.bury()
            asyncio.set_event_loop(None)
            loop.close()
            if self.database is not None:
                self.database.die()

    async def _engine(self, clock: VirtualClock, state: StateDir, module: str) -> None:
        spec = self.scene
        stages = tuple(
            StageSpec(
                name=one, handler=f"{module}.work", is_async=True, after=spec.stages[n - 1 : n] if n else (),
                gate=spec.gate if n == 0 else None, backoff_s=1.0, attempts=2,
            )
            for n, one in enumerate(spec.stages)
        )  # fmt: skip
        find = DiscoverySpec(use=f"{module}.find", every_s=3_600.0)
        job = JobSpec(name="j", title="j", discovery=find, stages=stages, daily_cost_usd_micros=spec.limit)
        project = ProjectSpec(root=state.path, source=None, settings=Settings(free_disk_bytes=0), jobs=(job,))
        runtime = Runtime(
            project=project, state=state, clock=clock, chance=random.Random(1),
            open_database=InlineDatabase.opener(clock.now, lambda: 0.001, self._opened),
        )  # fmt: skip
        await runtime.start(discover=True)
        until = asyncio.get_running_loop().time() + _BOUND_S
        told = set()
        while asyncio.get_running_loop().time() < until and self._states() != spec.end:
            await asyncio.sleep(1.0)
            for name, args in spec.commands:
                if name not in told and set(self._states().values()) & {"waiting", "snoozed"}:
                    if await self._say(runtime, name, args):
                        told.add(name)
                    await asyncio.sleep(70.0 if name == "snooze" else 0.0)
            if "failed" in self._states().values() and "failed" not in spec.end.values():
                break
        await runtime.stop(grace_s=0.0)

    async def _say(self, runtime: Runtime, name: str, args: dict[str, Any]) -> bool:
        keys = [candidate.key for candidate in self.scene.found]
        more = {"until": runtime._clock.now() + 60_000} if name == "snooze" else {}
        caller = asyncio.ensure_future(runtime.command(name, {"job": "j", "keys": keys, **args, **more}))
        self.callers.append(caller)
        try:
            return (await caller).ok
        except (StateError, asyncio.CancelledError):
            return False  # a person says it again

    def _states(self) -> dict[str, str]:
        assert self.database is not None
        return dict(self.database.connection.cursor().execute("SELECT key, state FROM items").fetchall())

    def _opened(self, database: InlineDatabase) -> None:
        self.database = database
        database.connection.before = self._before

    def _before(self, connection: sqlite3.Connection, sql: str) -> None:
        self.statements += 1
        if self.fired or self.fault is None or self.statements < self.at:
            return
        if self.fault == "unknown commit" and sql != "COMMIT":
            return
        self.fired = True
        assert isinstance(connection, FaultyConnection)
        match self.fault:
            case "kill":
                assert self.loop is not None
                self.loop.halt()
                assert self.database is not None
                self.database.die()
                raise Killed
            case "cancel":
                for caller in self.callers:
                    caller.cancel()
            case "full":
                raise sqlite3.OperationalError("database or disk is full")
            case "busy":
                raise sqlite3.OperationalError("database is locked")
            case "unknown commit":
                connection.plainly("COMMIT")
                raise disk_error()
            case "io":
                if connection.in_transaction and self.at % 2:
                    connection.plainly("ROLLBACK")
                raise disk_error()

    def _wrong(self, state: StateDir) -> list[str]:
        connection = sqlite3.connect(state.database)
        try:
            states = dict(connection.execute("SELECT key, state FROM items").fetchall())
            found = stranded(connection)
            if states != self.scene.end:
                found.append(f"{states} in place of {self.scene.end}")
            running = connection.execute("SELECT count(*) FROM item_stages WHERE state = 'running'").fetchone()[0]
            if running:
                found.append(f"{running} rows are left running after a clean stop")
            if self.fault != "kill" and len(self.begun) > 3 * len(self.scene.stages) * len(states):
                found.append(f"{len(self.begun)} attempts began")
        finally:
            connection.close()
        where = f"{self.scene.name}, {self.fault} at statement {self.at}"
        return [f"{where}: {one}" for one in found]
