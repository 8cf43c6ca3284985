"""What tests of the engine are made of: specs, candidates, a state file with its plan, and a whole runtime."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, TypeVar

from engine.contracts.attempt import AttemptError
from engine.contracts.commands import CommandOutcome
from engine.contracts.item import Candidate
from engine.contracts.llm import Backend
from engine.contracts.models import BackendSpec, ModelSpec
from engine.contracts.spec import DiscoverySpec, JobSpec, ProjectSpec, ResourceSpec, Settings, StageSpec
from engine.kit.clock import ManualClock
from engine.runtime import Runtime
from engine.services import commands
from engine.store import claims, facts, items, jobs, stages
from engine.store.checksum import hash_output
from engine.store.claims import Claim, Lease
from engine.store.migrate import connect, prepare
from engine.store.plan import JobPlan, Plan
from engine.store.reader import Reader
from engine.store.stages import Endings, Finished, Left
from engine.store.state_dir import StateDir

P = ParamSpec("P")
T = TypeVar("T")

LEASE_MS = 60_000


def stage(name: str = "work", *, after: Sequence[str] = (), handler: str = "none.none", **more: Any) -> StageSpec:
    """A stage with an `async def` handler."""
    return StageSpec(name=name, handler=handler, is_async=more.pop("is_async", True), after=tuple(after), **more)


def chain(*names: str, **more: Any) -> tuple[StageSpec, ...]:
    """Stages one after the other."""
    return tuple(
        stage(name, after=names[position - 1 : position] if position else (), **more)
        for position, name in enumerate(names)
    )


def job(name: str = "docs", *of: StageSpec, **more: Any) -> JobSpec:
    """A job; one stage `work` where none is given."""
    return JobSpec(name=name, title=more.pop("title", name), stages=of or (stage(),), **more)


def candidate(key: str, **more: Any) -> Candidate:
    """A candidate of that key."""
    return Candidate(key=key, **more)


def finished(claim: Claim, output: Mapping[str, Any] | None = None, **more: Any) -> Finished:
    """The good end of an attempt."""
    text = json.dumps(dict(output or {}))
    told: dict[str, Any] = {"artifacts": None, "cost_usd_micros": 0, "emit": (), "ms": 1, **more}
    return Finished(claim=claim, output=text, output_hash=hash_output(text), value=dict(output or {}), **told)


def left(claim: Claim, transition: Any, why: str = "because", **more: Any) -> Left:
    """Another end of an attempt; a failure brings its evidence."""
    if transition in ("fail", "retry_later"):
        more.setdefault("problem", AttemptError(error_type="ValueError", message=why, traceback=""))
    return Left(claim=claim, transition=transition, why=why, ms=1, **more)


OPEN: list[sqlite3.Connection] = []
"""Connections of grounds; every test closes at its end what it has left open (tests/conftest.py)."""


class Ground:
    """A real state file with jobs in it, a clock that stands still, and one connection that changes it."""

    def __init__(self, folder: Path, *of: JobSpec, epoch: int = 1) -> None:
        self.state = StateDir(folder)
        self.state.create()
        prepare(self.state.database)
        self.db = connect(self.state.database)
        OPEN.append(self.db)
        # As the engine has it, but for the disk: nobody cuts the power in a test.
        self.db.execute("PRAGMA journal_mode = WAL").fetchall()
        self.db.execute("PRAGMA synchronous = OFF")
        self.clock = ManualClock()
        self.epoch = epoch
        self.counts_are_kept = True
        """Set to False by a test that writes states by hand."""
        self.plan = Plan()
        self.sync(*(of or (job(),)))

    @property
    def now(self) -> int:
        return self.clock.now()

    def close(self) -> None:
        self.counts_are_kept = False  # nobody can look any more
        self.db.close()

    def do(self, change: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **named: P.kwargs) -> T:
        """Run one change in one transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            answer = change(self.db, *args, **named)
            facts.follow(self.db, self.plan, self.now)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return answer

    def sync(self, *of: JobSpec) -> None:
        """Take a configuration, as a start of the engine does."""
        self.plan, changed = self.do(jobs.sync, of, self.now)
        for plan in self.plan.jobs.values():
            if plan.id in changed:
                self.do(items.reconcile, self.plan, plan, self.now)

    def job(self, name: str | None = None) -> JobPlan:
        return self.plan.jobs[name] if name else next(iter(self.plan.jobs.values()))

    def stage_id(self, name: str, job: str | None = None) -> int:
        return next(number for number in self.job(job).stages if self.plan.stages[number].spec.name == name)

    def add(
        self, *of: Candidate | str, job: str | None = None, source: str | None = None, origin: Any = "scan"
    ) -> items.Merged:
        """Hand candidates over, as a discovery of `source` does."""
        target = self.job(job)
        return self.do(
            items.upsert,
            self.plan,
            target,
            [candidate(one) if isinstance(one, str) else one for one in of],
            source_id=self.job(source).id if source else target.id,
            origin=origin,
            run_id=None,
            now=self.now,
        )

    def complete_run(self, *seen: str, gone_after: int = 3, is_check: bool = False, job: str | None = None) -> int:
        """End a complete run that saw these keys; returns how many items it let go."""
        ids = {self.item(key, job)["id"] for key in seen}
        source = self.job(job).id
        return self.do(
            items.find_gone,
            self.plan,
            source_id=source,
            seen=ids,
            gone_after=gone_after,
            is_check=is_check,
            now=self.now,
        )

    @property
    def lease(self) -> Lease:
        return Lease(self.epoch, self.now + LEASE_MS)

    def claim(self, stage: str = "work", n: int = 100, job: str | None = None) -> list[Claim]:
        return self.do(claims.claim, self.plan, self.stage_id(stage, job), n, self.lease, self.now)

    def claim_one(self, stage: str = "work", job: str | None = None) -> Claim:
        (claimed,) = self.claim(stage, 1, job)
        return claimed

    def end(self, *endings: Finished | Left, free: Mapping[str, int] | None = None) -> Endings:
        slots = {self.stage_id(name): n for name, n in (free or {}).items()}
        return self.do(stages.end_attempts, self.plan, endings, slots, self.lease, self.now)

    def finish(self, stage: str = "work", output: Mapping[str, Any] | None = None, job: str | None = None) -> Endings:
        """Claim everything that is ready at a stage, and let it end well."""
        return self.end(*(finished(claim, output) for claim in self.claim(stage, job=job)))

    def leave(self, transition: Any, stage: str = "work", why: str = "because", **more: Any) -> Endings:
        return self.end(*(left(claim, transition, why, **more) for claim in self.claim(stage)))

    def wake(self) -> int | None:
        return self.do(claims.wake, self.plan, self.now)

    def command(self, name: str, *keys: str, job: str | None = None, **args: Any) -> CommandOutcome:
        """Run a person's command as the engine does."""
        if name != "undo":
            args["job"] = self.job(job).spec.name
        if name not in ("undo", "pause", "resume", "bless", "reset", "add"):
            args["keys"] = list(keys)
        commands.check(name, args)
        return self.do(commands.transition(self.plan, name, args), self.now)

    # What is there

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        cursor = self.db.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def item(self, key: str, job: str | None = None) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM items WHERE job_id = ? AND key = ?", self.job(job).id, key)
        return row

    def at(self, key: str, stage: str = "work", job: str | None = None) -> dict[str, Any]:
        (row,) = self.rows(
            "SELECT * FROM item_stages WHERE item_id = ? AND stage_id = ?",
            self.item(key, job)["id"],
            self.stage_id(stage, job),
        )
        return row

    def states(self, key: str, job: str | None = None) -> dict[str, str]:
        """The item's own state under its key, and the state of each of its stages."""
        plan = self.job(job)
        named = {self.plan.stages[number].spec.name: number for number in plan.stages}
        return {key: self.item(key, job)["state"]} | {name: self.at(key, name, job)["state"] for name in named}

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM events WHERE ?1 IS NULL OR kind = ?1 ORDER BY id", kind)

    def counts(self) -> Counts:
        return counts_kept(self.db)

    def recount(self) -> Counts:
        return counts_there(self.db)


Counts = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]
"""Rows of stages and of items by state."""


def counts_kept(connection: sqlite3.Connection) -> Counts:
    """The counts as the state file keeps them."""
    return (
        connection.execute("SELECT stage_id, state, n FROM stage_counts WHERE n > 0 ORDER BY 1, 2").fetchall(),
        connection.execute(
            "SELECT job_id, source_id, state, n FROM item_counts WHERE n > 0 ORDER BY 1, 2, 3"
        ).fetchall(),
    )


def counts_there(connection: sqlite3.Connection) -> Counts:
    """The counts as the rows give them."""
    return (
        connection.execute("SELECT stage_id, state, count(*) FROM item_stages GROUP BY 1, 2 ORDER BY 1, 2").fetchall(),
        connection.execute(
            "SELECT job_id, source_id, state, count(*) FROM items GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ).fetchall(),
    )


_modules = itertools.count()


class Rig:
    """A real runtime on the test's own loop, with functions of the test as handlers and discoveries.

    A stage whose handler is `"NAME"` runs `functions["NAME"]`. Use it as an async context manager.
    """

    def __init__(
        self,
        folder: Path,
        *of: JobSpec,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        clock: ManualClock | None = None,
        discover: bool = False,
        settings: Settings | None = None,
        resources: tuple[ResourceSpec, ...] = (),
        source: tuple[Path, str] | None = None,
        models: Sequence[ModelSpec] = (),
        backends: Mapping[str, tuple[BackendSpec, Backend]] | None = None,
    ) -> None:
        """`backends`: those that answer to `models`.

        `source`: a jobs.yaml beside which a module lies whose functions are taken, and that module's name."""
        self.clock = clock or ManualClock()
        self.state = StateDir(folder / "state")
        self._discover = discover
        file, self._module = source or (None, f"rig_functions_{next(_modules)}")
        module = sys.modules[self._module] = ModuleType(self._module)
        vars(module).update(functions or {})
        settings = settings or Settings()
        if functions and settings.idle.use in functions:
            settings = replace(settings, idle=replace(settings.idle, use=f"{self._module}.{settings.idle.use}"))
        self._project = ProjectSpec(
            root=folder,
            source=file,
            settings=settings,
            resources=resources,
            backends=tuple(spec for spec, _ in (backends or {}).values()),
            models=tuple(models),
            jobs=tuple(self._named(one) for one in of),
        )
        self._backends = {name: backend for name, (_, backend) in (backends or {}).items()}
        self.woken = asyncio.Event()

    def _named(self, spec: JobSpec) -> JobSpec:
        discovery = spec.discovery
        if discovery is not None:
            discovery = replace(discovery, use=f"{self._module}.{discovery.use}")
        return replace(
            spec,
            discovery=discovery,
            still_true=f"{self._module}.{spec.still_true}" if spec.still_true else None,
            validate=replace(spec.validate, use=f"{self._module}.{spec.validate.use}") if spec.validate else None,
            stages=tuple(replace(one, handler=f"{self._module}.{one.handler}") for one in spec.stages),
        )

    async def __aenter__(self) -> Rig:
        self.state.create()
        prepare(self.state.database)
        self.runtime = Runtime(
            project=self._project,
            state=self.state,
            clock=self.clock,
            chance=random.Random(1),
            backends=self._backends,
            on_change=self.woken.set,
        )
        try:
            await self.runtime.start(discover=self._discover)
        except BaseException:
            await self.runtime.let_go()
            raise
        self.reader = Reader(self.state, project="test")
        return self

    async def __aexit__(self, *error: object) -> None:
        self.reader.close()
        await self.runtime.stop(grace_s=0.0)
        del sys.modules[self._module]
        with closing(connect(self.state.database, read_only=True)) as connection:
            assert counts_kept(connection) == counts_there(connection), "a change of states was not counted"

    async def change(self, change: Callable[..., T], *args: Any, **named: Any) -> T:
        """Run a change through the writer: `change(connection, *args, **named)`."""
        return await self.runtime.writer.change(lambda connection, _now: change(connection, *args, **named))

    async def add(self, *keys: Candidate | str, job: str | None = None) -> None:
        """Hand candidates over."""
        writer = self.runtime.writer
        target = writer.plan.jobs[job] if job else next(iter(writer.plan.jobs.values()))
        found = [candidate(one) if isinstance(one, str) else one for one in keys]
        await writer.change(
            lambda connection, now: items.upsert(
                connection, writer.plan, target, found, source_id=target.id, origin="scan", run_id=None, now=now
            )
        )

    async def until(self, true: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Wait for commits until `true()`; a test whose wish never comes true fails after `seconds`."""
        async with asyncio.timeout(seconds):
            while not true():
                self.woken.clear()
                waiter = asyncio.ensure_future(self.woken.wait())
                await asyncio.wait({waiter}, timeout=0.05)
                waiter.cancel()

    async def drained(self, *, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            await self.runtime.drained()

    async def command(self, name: str, **args: Any) -> CommandOutcome:
        commands.check(name, args)
        return await self.runtime.command(name, args)

    def states(self, key: str, job: str = "docs") -> dict[str, str]:
        """The item's own state under its key, and the state of each of its stages."""
        detail = self.reader.item(job, key)
        assert detail is not None
        return {key: detail.item.state} | {one.stage: one.state for one in detail.stages}

    def kinds(self) -> list[str]:
        """Kinds of all events, oldest first."""
        return [event.kind for event in self.reader.events_after(0, 10_000)]


def discovery(use: str, *, every_s: float | None = None, **params: Any) -> DiscoverySpec:
    """A source of items."""
    return DiscoverySpec(use=use, every_s=every_s, params=params)


def yields(*found: Candidate | str | Callable[[Any], object]) -> Callable[[Any], AsyncIterator[Any]]:
    """A discovery function that covers everything and yields these; what is callable is called with the context."""

    async def discover(ctx: Any) -> AsyncIterator[Any]:
        ctx.scope(["all"])
        for one in found:
            if callable(one):
                answer = one(ctx)
                if isinstance(answer, Awaitable):
                    await answer
            else:
                yield candidate(one) if isinstance(one, str) else one

    return discover
