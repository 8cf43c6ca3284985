"""What a handler gets: the same object on the engine's loop, in a thread and in a worker process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Protocol

from engine.contracts.context import Checkpoint, Item, Peer
from engine.contracts.http import Http
from engine.contracts.item import Candidate
from engine.contracts.llm import LLM
from engine.contracts.values import dataclass
from engine.kit.no_model import NoModel
from engine.rules.budget import is_cost

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]
EMITTED_MAX: Final = 10_000


class TooManyEmitted(Exception):
    """A handler emits without end."""


@dataclass(frozen=True, slots=True)
class ContextItem:
    """The item as it was at the claim."""

    key: str
    title: str
    data: Mapping[str, Any]
    path: str | None
    line: int | None
    headings: tuple[str, ...]
    signals: Mapping[str, Any] = field(default_factory=dict)
    priority: int | None = None


async def _nobody(_stage: str) -> Sequence[Mapping[str, Any]]:
    """A trial is not compared with what is stored."""
    return ()


class Home(Protocol):
    """Whoever runs an attempt: what a handler asks of its context, or tells it, goes there."""

    def logger(self) -> Log: ...

    def checkpoint(self) -> Checkpoint: ...

    def llm(self) -> LLM: ...

    def tell(self, done: int, total: int | None, text: str, /) -> None: ...

    def pay(self, usd_micros: int, /) -> None: ...

    def reserve(self, usd_micros: int, /) -> Awaitable[None]: ...

    def peers(self, stage: str, /) -> Awaitable[Sequence[Mapping[str, Any]]]: ...


async def _nothing(_usd_micros: int) -> None:
    """A trial has no money to keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Implements Home by a function for each of it; what is left out is what a trial does: nothing."""

    logger: Callable[[], Log]
    checkpoint: Callable[[], Checkpoint]
    llm: Callable[[], LLM] = NoModel
    tell: Callable[[int, int | None, str], None] = lambda _done, _total, _text: None
    pay: Callable[[int], None] = lambda _usd_micros: None
    reserve: Callable[[int], Awaitable[None]] = _nothing
    peers: Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]] = _nobody


class AttemptContext:
    """Implements `engine.contracts.context.Context`."""

    __slots__ = (
        "_artifacts",
        "_checkpoint",
        "_folder",
        "_home",
        "_log",
        "answer",
        "attempt",
        "cancelled",
        "emitted",
        "http",
        "item",
        "job",
        "params",
        "root",
        "stage",
        "upstream",
    )

    def __init__(
        self,
        *,
        job: str,
        stage: str,
        item: Item,
        upstream: Mapping[str, Mapping[str, Any]],
        attempt: int,
        params: Mapping[str, Any],
        root: Path,
        artifacts: Path,
        http: Http,
        home: Home,
        answer: str | None = None,
        folder: str = "",
    ) -> None:
        """Logger and checkpoint are made when they are first asked for; artifacts go to `folder` below `artifacts`."""
        self.job = job
        self.stage = stage
        self.item = item
        self.upstream = upstream
        self.attempt = attempt
        self.params = params
        self.root = root
        self.answer = answer
        self.http = http
        self._home = home
        self.cancelled = False
        self.emitted: list[tuple[str, Candidate]] = []
        self._artifacts = artifacts
        self._folder = folder
        self._log: Log | None = None
        self._checkpoint: Checkpoint | None = None

    @property
    def log(self) -> Log:
        """Carries the ids of this attempt."""
        if self._log is None:
            self._log = self._home.logger()
        return self._log

    @property
    def llm(self) -> LLM:
        """The door to the models."""
        return self._home.llm()

    @property
    def checkpoint(self) -> Checkpoint:
        """What survives a crash of this attempt."""
        if self._checkpoint is None:
            self._checkpoint = self._home.checkpoint()
        return self._checkpoint

    async def peers(self, stage: str) -> Sequence[Peer]:
        """Other open items of this job that passed a stage."""
        return [Peer(**told) for told in await self._home.peers(stage)]

    @property
    def signals(self) -> Mapping[str, Any]:
        """Facts about the item, as they were at the claim."""
        return self.item.signals

    @property
    def artifact_dir(self) -> Path:
        """This item's own folder; made when it is first asked for."""
        path = self._artifacts / self._folder
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far this attempt is."""
        self._home.tell(done, total, text)

    async def reserve(self, usd_micros: int) -> None:
        """Say what is about to be spent at most; ValueError for what is no amount of micro-dollars."""
        if not is_cost(usd_micros):
            raise ValueError("no amount of micro-dollars: a whole number, not negative")
        await self._home.reserve(usd_micros)

    def paid(self, usd_micros: int) -> None:
        """Say what was spent; ValueError for what is no amount of micro-dollars."""
        if not is_cost(usd_micros):
            raise ValueError("no amount of micro-dollars: a whole number, not negative")
        self._home.pay(usd_micros)

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        """Hand over an item that is stored together with the outcome."""
        if len(self.emitted) >= EMITTED_MAX:
            raise TooManyEmitted(f"one attempt may emit at most {EMITTED_MAX:,} items")
        self.emitted.append((job or self.job, candidate))
