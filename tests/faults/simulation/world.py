"""A world for one seed: jobs, handlers that do anything, a person, reloads, and a machine that fails.

One world lives through many engines: each is killed or stopped, and the next one takes over. At the end the faults
stop, and what is left has to come to its end.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Done, Fail, Later, Skip
from engine.contracts.spec import DiscoverySpec, JobSpec, ProjectSpec, Rate, ResourceSpec, Settings, StageSpec
from engine.kit import chaos
from engine.runtime import Runtime
from engine.services import commands
from engine.store.migrate import prepare
from engine.store.state_dir import StateDir
from tests.faults.simulation.history import History, stranded
from tests.faults.simulation.loop import VirtualClock, VirtualLoop
from tests.faults.simulation.patience import patient
from tests.faults.simulation.store import FaultyConnection, InlineDatabase, Killed, disk_error

LIMIT: Final = 400_000
COST: Final = 20_000
PAID_AT_ONCE: Final = 3
CALM_S: Final = 40 * 3_600.0
"""Within this time, once the faults have ended, everything must have come to its end (backoff, snoozes, a new day)."""
HOPS_S: Final = (0.003, 0.03, 0.1)
"""How long a hop to the database takes at most; the longer, the more comes together in one commit."""
CROWDS: Final = ((25, 4), (60, 10), (150, 16), (150, 16))
"""How many items a source finds at most, and how many run at once at a stage: in most worlds queues are long, and a
life of an engine has many attempts."""
VARIED: Final = 1_000
"""From this seed on, worlds take turns with crowds and hops, without a draw; all before it have the first of both, so
the seeds that found a bug tell their history as they did."""
POINTS: Final = ("writer.commits", "writer.committed", "attempt.ended", "start.commits", "start.committed")
_modules = itertools.count()


@dataclass(slots=True)
class Outcome:
    """What one seed came to."""

    seed: int
    executions: int
    """Attempts until the faults ended."""
    digest: str
    problems: list[str]
    virtual_s: float
    faults: Counter[str] = field(default_factory=Counter)
    told: list[tuple[Any, ...]] = field(default_factory=list)


def stage(name: str, *after: str, **more: Any) -> StageSpec:
    told = {"timeout_s": 4.0, "backoff_s": 2.0, "backoff_max_s": 60.0, **more}
    return StageSpec(name=name, handler="work", is_async=True, after=after, **told)


def jobs(variant: int, limit: int | None = LIMIT, at_once: int = 4) -> tuple[JobSpec, ...]:
    """The configuration in one of its forms; `at_once` items run at a stage."""
    crowd = {"concurrency": at_once}
    b = stage("b", "a", enabled=variant != 2, concurrency=1 if variant == 3 else at_once)
    chain = [stage("a", **crowd), b, stage("c", "a" if variant == 5 else "b", **crowd)]
    if variant == 1:
        chain.append(stage("d", "c", **crowd))
    shape = (
        stage("scan", resources=("host",), **crowd),
        stage("left", "scan", resources=("host",), **crowd),
        stage("right", "scan", gate="accept", **crowd),
        stage("join", "left", "right", attempts=2, **crowd),
    )
    find = DiscoverySpec(use="find", every_s=15.0, timeout_s=10.0)
    found = [
        JobSpec(name="chain", title="chain", discovery=find, stages=tuple(chain), gone_after=2),
        JobSpec(name="shape", title="shape", discovery=find, stages=shape),
        JobSpec(
            name="paid",
            title="paid",
            discovery=replace(find, every_s=30.0),
            stages=(stage("buy", concurrency=PAID_AT_ONCE, pace=Rate(count=20, per_s=1.0, burst=5)),),
            daily_cost_usd_micros=limit,
        ),
    ]
    return tuple(found[:1] + found[2:] if variant == 4 else found)


class World:
    """One seed's world."""

    def __init__(self, folder: Path, seed: int, *, executions: int, tell: int | None = None) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.wanted = executions
        self.state = StateDir(folder)
        self.clock = VirtualClock(1_767_225_600_000 + self.chance.randrange(86_400_000))
        self.history = History(LIMIT, COST * PAID_AT_ONCE, tell=tell)
        self.faults: Counter[str] = Counter()
        self.begun: Counter[tuple[str, str]] = Counter()
        self.calm = False
        self.variant = 0
        self.keys: dict[str, list[str]] = {"chain": [], "shape": [], "paid": []}
        self.numbers = itertools.count()
        self.active = {name for name in POINTS if self.chance.random() < 0.5}
        kind, hop = divmod(max(0, seed - VARIED) % (len(CROWDS) * len(HOPS_S)), len(HOPS_S))
        self.hop_s = HOPS_S[hop]
        self.found, self.at_once = CROWDS[kind]
        self.module = f"simulated_{next(_modules)}"
        self.loop: VirtualLoop | None = None
        self.database: InlineDatabase | None = None
        self._until_fault = self._next_fault()
        self._failing = 0

    def project(self) -> ProjectSpec:
        def named(spec: JobSpec) -> JobSpec:
            assert spec.discovery is not None
            every = 86_400.0 if self.calm else spec.discovery.every_s
            return replace(
                spec,
                discovery=replace(spec.discovery, use=f"{self.module}.find", every_s=every),
                stages=tuple(replace(one, handler=f"{self.module}.work") for one in spec.stages),
            )

        return ProjectSpec(
            root=self.state.path,
            source=None,
            settings=Settings(free_disk_bytes=0),
            resources=(ResourceSpec(name="host", capacity=3),),
            jobs=tuple(named(one) for one in jobs(self.variant, None if self.calm else LIMIT, self.at_once)),
        )

    # The machine

    def _next_fault(self) -> int:
        return int(self.chance.expovariate(1 / 1_500)) + 20

    def happens(self, share: float) -> bool:
        return not self.calm and self.chance.random() < share

    def delay(self) -> float:
        """How long a hop to the database takes, seconds."""
        if self.happens(0.0005):
            self.faults["slow disk"] += 1
            return self.chance.uniform(1.0, 20.0)
        return self.chance.uniform(0.0001, self.hop_s)

    def before(self, connection: sqlite3.Connection, sql: str) -> None:
        """A statement is about to run: perhaps the disk fails, or the process ends."""
        if self.calm:
            return
        if sql.startswith("BEGIN") and self._failing:
            self._failing -= 1
            raise sqlite3.OperationalError("database is locked")
        self._until_fault -= 1
        if self._until_fault > 0:
            return
        self._until_fault = self._next_fault()
        assert isinstance(connection, FaultyConnection)
        kind = self.chance.choice(("io", "io and rollback", "locked", "kill", "unknown commit"))
        self.faults[kind] += 1
        if kind == "kill":
            self.kill()
        elif kind == "locked":
            self._failing = self.chance.randrange(1, 5)
            raise sqlite3.OperationalError("database is locked")
        elif kind == "unknown commit" and sql == "COMMIT":
            connection.plainly("COMMIT")
            raise disk_error()
        elif kind == "io and rollback" and connection.in_transaction:
            connection.plainly("ROLLBACK")
        raise disk_error()

    def upon(self, name: str) -> None:
        """A point of the engine is passed."""
        if name in self.active and self.happens(0.0008):
            self.faults[name] += 1
            self.kill()

    def kill(self) -> None:
        """kill -9: nothing of this engine runs from here on, and nothing that is not committed is kept."""
        assert self.loop is not None
        self.loop.halt()
        if self.database is not None:
            self.database.die()
        raise Killed

    # The work

    async def find(self, ctx: Any) -> AsyncIterator[Candidate]:
        if self.calm:
            return
        known = self.keys[ctx.job]
        if self.happens(0.05):
            raise RuntimeError("the source is down")
        if self.seed >= VARIED and self.happens(0.03):
            self.faults["source hangs"] += 1
            await self.stubborn() if self.happens(0.5) else await asyncio.Event().wait()
        # What is above the day's limit waits until the faults have ended, and would be half of all attempts.
        found = CROWDS[0][0] if ctx.job == "paid" else self.found
        known += [f"{ctx.job}-{next(self.numbers)}" for _ in range(self.chance.randrange(found))]
        for key in known[-200:]:
            if self.happens(0.002):
                continue  # missed: after two complete runs it is gone
            revision = str(self.chance.randrange(3)) if self.happens(0.02) else None
            closed: Any = "done" if self.happens(0.003) else None
            yield Candidate(key=key, revision=revision, closed=closed, priority=self.chance.choice((None, 0, 2)))
            if self.happens(0.01):
                await asyncio.sleep(self.chance.uniform(0, 2))
        if self.chance.random() < 0.7:
            ctx.scope(["all"])

    async def work(self, ctx: Any) -> Any:
        self.begun[ctx.stage, ctx.item.key] += 1
        await asyncio.sleep(self.chance.expovariate(1 / 0.05))
        roll = 1.0 if self.calm else self.chance.random()
        cost = COST if ctx.stage == "buy" else 0
        if roll < 0.05:
            raise ValueError("it does not work")
        if roll < 0.07:
            raise RuntimeError("HTTP 429 Too Many Requests; Retry-After: 3")
        if roll < 0.10:
            return Later(after=self.chance.uniform(0, 30), why="not yet")
        if roll < 0.12:
            return Skip(why="does not apply")
        if roll < 0.125:
            return Fail(why="it is bad")
        if roll < 0.13:
            return Ask(question="which?", choices=("x", "y"))
        if roll < 0.14:
            await asyncio.sleep(60)
        if roll < 0.145:
            return await self.stubborn()
        if roll < 0.15:
            raise SystemExit(3)
        if roll < 0.152:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        if roll < 0.17 and ctx.job != "chain":
            key = f"child-{ctx.item.key}-{self.chance.randrange(3)}"
            self.keys["chain"].append(key)
            ctx.emit(Candidate(key=key), job="chain")
        return Done(output={"by": ctx.item.key, "upstream": sorted(ctx.upstream)}, cost_usd_micros=cost)

    async def stubborn(self) -> dict[str, str]:
        """Ignore the cancellation and return late."""
        until = asyncio.get_running_loop().time() + self.chance.uniform(5, 90)
        while (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                continue
        return {"late": "yes"}

    # Who else is there

    def acts(self, runtime: Runtime) -> list[Callable[[], Awaitable[None]]]:
        return [lambda: self.person(runtime), lambda: self.reloads(runtime), self.clocks]

    async def person(self, runtime: Runtime) -> None:
        """Commands, some of which are given up before they are answered."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 1.5))
            name = self.chance.choice(
                (
                    "drop",
                    "cancel",
                    "snooze",
                    "accept",
                    "accept",
                    "answer",
                    "prioritise",
                    "retry",
                    "undo",
                    "pause",
                    "run",
                )
            )
            job = self.chance.choice([one.name for one in jobs(self.variant)])
            args: dict[str, Any] = {"job": job}
            if name == "undo":
                args = {}
            elif name not in ("pause", "run"):
                args["keys"] = self.some_keys(job)
            if name == "snooze":
                args["until"] = self.clock.now() + self.chance.randrange(60_000)
            if name == "answer":
                args["answer"] = "x"
            if name == "prioritise":
                args["priority"] = self.chance.choice((None, 0, 1, 2, 3))
            if name == "pause" and job == "paid":
                continue
            task = asyncio.ensure_future(self.say(runtime, name, args))
            if self.happens(0.2):
                await asyncio.sleep(self.chance.uniform(0, 0.004))
                task.cancel()
            if name == "pause":
                await asyncio.sleep(self.chance.uniform(0, 2))
                await self.say(runtime, "resume", {"job": job})

    def some_keys(self, job: str) -> list[str]:
        known = self.keys[job]
        return self.chance.sample(known, min(len(known), self.chance.randrange(1, 6)))

    async def say(self, runtime: Runtime, name: str, args: dict[str, Any]) -> None:
        commands.check(name, args)
        try:
            await runtime.command(name, args)
        except (StateError, EngineStopped):
            self.faults["command refused"] += 1
        except Exception as error:
            # A job that a reload has taken away meanwhile is no fault.
            if "there is no job" not in str(error):
                raise

    async def reloads(self, runtime: Runtime) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 12))
            before, self.variant = self.variant, self.chance.randrange(6)
            try:
                await runtime._take_configuration(self.project())
                self.faults["reload"] += 1
            except (StateError, EngineStopped):
                self.variant = before

    async def clocks(self) -> None:
        """The wall clock is set, and the machine sleeps."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 25))
            if self.chance.random() < 0.5:
                self.faults["clock set"] += 1
                self.clock.set(self.chance.choice((-3_600_000, 3_600_000, -1_000, 1_000, 30_000, 93_600_000)))
            else:
                self.faults["stall"] += 1
                assert self.loop is not None
                self.loop.stall(self.chance.choice((0.2, 5.0, 70.0, 600.0)))

    # Lives

    def run(self) -> Outcome:
        """Live until enough was executed, then let everything come to its end."""
        module = sys.modules[self.module] = ModuleType(self.module)
        work, find = self.work, self.find

        async def _work(ctx: Any) -> Any:
            return await work(ctx)

        async def _find(ctx: Any) -> AsyncIterator[Candidate]:
            async for candidate in find(ctx):
                yield candidate

        vars(module).update(work=_work, find=_find)
        self.state.create()
        prepare(self.state.database)
        try:
            with chaos.stumbling(self.upon):
                while self.history.claims < self.wanted and not self.history.problems:
                    self.live()
                executions = self.history.claims
                if not self.history.problems:
                    self.calm = True
                    self.history.uncap()
                    with patient():
                        self.live()
                    self.look_at_the_end()
        finally:
            del sys.modules[self.module]
        return Outcome(
            seed=self.seed,
            executions=executions,
            digest=self.history.digest,
            problems=self.history.problems[:5],
            virtual_s=self.clock.monotonic(),
            faults=self.faults,
            told=self.history.told,
        )

    def live(self) -> None:
        """One engine, from its start to its end."""
        before = self.clock.monotonic()
        loop = self.loop = VirtualLoop(self.chance, at=before)
        self.clock.run_on(loop)
        self.database = None
        asyncio.set_event_loop(loop)
        main = loop.create_task(self.engine())
        main.add_done_callback(lambda _task: loop.stop())
        try:
            loop.run_forever()
            if not loop.halted:
                self.end(main)
        finally:
            loop.bury()
            asyncio.set_event_loop(None)
            loop.close()
            self.read_witness()

    def end(self, main: asyncio.Task[None]) -> None:
        """How an engine ended that was not killed."""
        try:
            main.result()
        except (StateError, EngineStopped):
            self.faults["did not start"] += 1
            if self.calm:
                raise
        if self.database is not None:
            self.database.die()

    async def engine(self) -> None:
        runtime = Runtime(
            project=self.project(),
            state=self.state,
            clock=self.clock,
            chance=self.chance,
            open_database=InlineDatabase.opener(self.clock.now, self.delay, self.opened),
        )
        await runtime.start(discover=self.calm)
        if self.calm:
            await self.come_to_an_end(runtime)
        else:
            acts = [asyncio.ensure_future(act()) for act in self.acts(runtime)]
            await asyncio.sleep(self.chance.expovariate(1 / 20))
            if self.happens(0.7):
                self.faults["killed"] += 1
                self.kill()
            for act in acts:
                act.cancel()
            await asyncio.wait(acts)
            for act in acts:
                if not act.cancelled() and (error := act.exception()):
                    raise error
        await runtime.stop(grace_s=self.chance.choice((0.0, 3.0)))

    def opened(self, database: InlineDatabase) -> None:
        self.database = database
        database.connection.before = self.before

    async def come_to_an_end(self, runtime: Runtime) -> None:
        """No faults any more: a person opens what waits, and time passes."""
        loop = asyncio.get_running_loop()
        until = loop.time() + CALM_S
        self.variant = 0
        await runtime._take_configuration(self.project())
        for name in ("chain", "shape"):
            await self.say(runtime, "resume", {"job": name})
        while loop.time() < until:
            await runtime.drained(wait_s=1.0)
            database = self.database
            assert database is not None
            waiting = database.connection.execute(
                "SELECT j.name, i.key FROM items AS i JOIN jobs AS j ON j.id = i.job_id "
                "WHERE i.state = 'waiting' ORDER BY i.id"
            ).fetchall()
            for name in ("chain", "shape", "paid"):
                if keys := [key for job, key in waiting if job == name]:
                    await self.say(runtime, "accept", {"job": name, "keys": keys})
                    await self.say(runtime, "answer", {"job": name, "keys": keys, "answer": "x"})
            (busy,) = database.connection.execute(
                "SELECT count(*) FROM item_stages AS s JOIN items AS i ON i.id = s.item_id "
                "JOIN stages AS t ON t.id = s.stage_id AND NOT t.removed "
                "WHERE s.state IN ('ready', 'running', 'later') AND i.state NOT IN ('dropped', 'gone')"
            ).fetchone()
            if not waiting and not busy:
                return
            # Most of the hours until a pause ends are slept by the machine: nothing of interest is ready in them.
            assert self.loop is not None
            self.loop.stall(560.0)
            await asyncio.sleep(40.0)

    def read_witness(self) -> None:
        connection = sqlite3.connect(self.state.database, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'witness'").fetchone()[0]:
                if not self.history._capped:
                    self.history.cap({n for (n,) in connection.execute("SELECT id FROM jobs WHERE name = 'paid'")})
                connection.execute("BEGIN")
                self.history.take(connection)
                connection.execute("COMMIT")
        finally:
            connection.close()

    def look_at_the_end(self) -> None:
        connection = sqlite3.connect(self.state.database)
        try:
            self.history.problems += stranded(connection)
            claims = Counter(
                {
                    (name, key): fence
                    for name, key, fence in connection.execute(
                        "SELECT s.name, i.key, r.fence FROM item_stages AS r JOIN items AS i ON i.id = r.item_id "
                        "JOIN stages AS s ON s.id = r.stage_id"
                    )
                }
            )
        finally:
            connection.close()
        for row, times in self.begun.items():
            if times > claims[row]:
                self.history.problems.append(f"{row} began {times} times with {claims[row]} claims")
