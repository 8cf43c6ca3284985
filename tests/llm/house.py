"""The door with everything real but the providers: a state file, the gateway, scripted backends, time on demand."""

from __future__ import annotations

import asyncio
import random
import selectors
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from engine.contracts.llm import Backend, BackendOptions, Price
from engine.contracts.models import BackendSpec, ModelSpec
from engine.contracts.spec import JobSpec, ProjectSpec, ResourceSpec, Settings
from engine.kit.secrets import Secrets
from engine.llm.backend_scripted import Script, ScriptedBackend
from engine.llm.door import Door
from engine.llm.gateway import Gateway
from engine.llm.ledger import Purse
from engine.services.allowance import Limits
from engine.services.shares import ModelShares
from engine.store import conversations, model_calls, spend
from engine.store.model_calls import Asker
from tests.factories import Ground, job

T = TypeVar("T")

PRICE = Price(in_per_million=1_000_000, out_per_million=2_000_000)
"""One micro-dollar for each token of the question, two for each of the answer."""
FREE = Price(in_per_million=0, out_per_million=0)


def backend(name: str = "one", **more: Any) -> BackendSpec:
    """A scripted backend; free where no price is given."""
    return BackendSpec(name=name, use="scripted", price=more.pop("price", FREE), **more)


def model(name: str = "fast", *lanes: str, **more: Any) -> ModelSpec:
    """An alias; `one/m` where no lane is given."""
    split = tuple((lane.partition("/")[0], lane.partition("/")[2]) for lane in lanes or ("one/m",))
    return ModelSpec(
        name=name, lanes=split, cache_s=more.pop("cache_s", 0.0), max_tokens=more.pop("max_tokens", 100), **more
    )


class House:
    """A gateway on a real state file; transactions are run on the spot."""

    def __init__(
        self,
        folder: Path,
        *,
        backends: Sequence[BackendSpec] = (),
        models: Sequence[ModelSpec] = (),
        jobs: Sequence[JobSpec] = (),
        resources: Sequence[ResourceSpec] = (),
        settings: Settings | None = None,
        clock: Any = None,
        epoch: int = 1,
        ground: Ground | None = None,
    ) -> None:
        self.ground = ground or Ground(folder, *(jobs or (job(),)), epoch=epoch)
        self.clock = clock or self.ground.clock
        self.project = ProjectSpec(
            root=folder,
            source=None,
            settings=settings or Settings(),
            resources=tuple(resources),
            backends=tuple(backends) or (backend(),),
            models=tuple(models) or (model(),),
            jobs=tuple(plan.spec for plan in self.ground.plan.jobs.values()),
        )
        self.backends: dict[str, ScriptedBackend] = {}
        limits = Limits({})
        limits.configure(self.project, self.ground.plan)
        self.gateway = Gateway(
            clock=self.clock,
            ledger=self,
            shares=ModelShares(limits, self.clock, lambda _stage: 0),
            resolve=lambda dotted: (_ for _ in ()).throw(LookupError(dotted)),
            secrets=Secrets(None),
            epoch=epoch,
            guard=self._guard,
        )
        self.paused: set[int] = set()
        self.before_change: Callable[[], None] = lambda: None

    def _guard(self, connection: sqlite3.Connection, now: int) -> set[int]:
        paused = spend.guard(connection, self.ground.plan, self.project, now)
        self.paused |= paused
        return paused

    async def open(self, scripts: Mapping[str, Script | Sequence[Any]] | None = None) -> House:
        """Start, with a script (or answers in turn) for each backend."""
        for spec in self.project.backends:
            script = (scripts or {}).get(spec.name, ())
            options = BackendOptions(name=spec.name, params={} if callable(script) else {"answers": list(script)})
            self.backends[spec.name] = ScriptedBackend(options, script if callable(script) else None)
        given: dict[str, Backend] = dict(self.backends)
        await self.gateway.configure(self.project, given)
        return self

    async def change(self, function: Callable[[sqlite3.Connection, int], T]) -> T:
        """One transaction."""
        self.before_change()
        await asyncio.sleep(0)
        return self.ground.do(lambda connection: function(connection, self.clock.now()))

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """One read."""
        return function(self.ground.db)

    def door(self, job_name: str | None = None, *, key: str = "k", urgency: int | None = None, **more: Any) -> Door:
        """A door on no job's account, or on that of a job's item."""
        asker = Asker()
        if job_name is not None:
            asker = Asker(job=job_name, job_id=self.ground.job(job_name).id, stage="work", key=key)
        limit = more.pop("limit_usd_micros", None)
        return Door(self.gateway, random.Random(1), asker=asker, urgency=urgency, purse=Purse(limit), **more)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the state file says."""
        return self.ground.db.execute(sql, values).fetchall()

    def spent(self) -> int:
        """Everything that was booked, in micro-dollars, by the rollup."""
        return int(self.rows("SELECT coalesce(sum(usd_micros), 0) FROM model_use")[0][0])

    def again(self, folder: Path, **more: Any) -> House:
        """The next engine on the same state file, after this one has died."""
        epoch = self.gateway.epoch + 1
        house = House(
            folder,
            backends=self.project.backends,
            models=self.project.models,
            settings=self.project.settings,
            clock=self.clock,
            epoch=epoch,
            ground=self.ground,
            **more,
        )
        self.ground.do(model_calls.lose, epoch, self.clock.now())
        self.ground.do(conversations.doubt, self.clock.now())
        return house


# Virtual time: a loop that jumps to its next timer instead of sleeping


class _Jumping(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    def __init__(self) -> None:
        super().__init__()
        self.time = 1_000.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0:
            self.time += timeout
        elif not ready and timeout is None:
            ready = super().select(0.05)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only while everybody waits."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """At once: time must not pass while a thread works."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class LoopClock:
    """The clock of a virtual loop."""

    START = 1_767_225_600_000

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        return self.START + round((self._loop.time() - 1_000.0) * 1000)

    def monotonic(self) -> float:
        return self._loop.time()


def run_virtually(main: Callable[[LoopClock], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in virtual time."""
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(LoopClock(loop)))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


async def outcome(work: Awaitable[Any]) -> Any:
    """What comes of it: its value or its exception."""
    try:
        return await work
    except Exception as error:
        return error
