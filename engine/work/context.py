"""What a handler gets: the same object on the engine's loop, in a thread and in a worker process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final

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


class AttemptContext:
    """Implements `engine.contracts.context.Context`."""

    __slots__ = (
        "_artifacts",
        "_checkpoint",
        "_folder",
        "_llm",
        "_log",
        "_make_checkpoint",
        "_make_log",
        "_paid",
        "_peers",
        "_progress",
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
        log: Callable[[], Log],
        progress: Callable[[int, int | None, str], None],
        checkpoint: Callable[[], Checkpoint],
        http: Http,
        answer: str | None = None,
        llm: Callable[[], LLM] = NoModel,
        paid: Callable[[int], None] = lambda _usd_micros: None,
        folder: str = "",
        peers: Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]] = _nobody,
    ) -> None:
        """`log` and `checkpoint` make theirs when it is first asked for; artifacts go to `folder` below `artifacts`."""
        self.job = job
        self.stage = stage
        self.item = item
        self.upstream = upstream
        self.attempt = attempt
        self.params = params
        self.root = root
        self.answer = answer
        self.http = http
        self._llm = llm
        self._peers = peers
        self.cancelled = False
        self.emitted: list[tuple[str, Candidate]] = []
        self._artifacts = artifacts
        self._folder = folder
        self._log: Log | None = None
        self._make_log = log
        self._progress = progress
        self._paid = paid
        self._checkpoint: Checkpoint | None = None
        self._make_checkpoint = checkpoint

    @property
    def log(self) -> Log:
        """Carries the ids of this attempt."""
        if self._log is None:
            self._log = self._make_log()
        return self._log

    @property
    def llm(self) -> LLM:
        """The door to the models."""
        return self._llm()

    @property
    def checkpoint(self) -> Checkpoint:
        """What survives a crash of this attempt."""
        if self._checkpoint is None:
            self._checkpoint = self._make_checkpoint()
        return self._checkpoint

    async def peers(self, stage: str) -> Sequence[Peer]:
        """Other open items of this job that passed a stage."""
        return [Peer(**told) for told in await self._peers(stage)]

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
        self._progress(done, total, text)

    def paid(self, usd_micros: int) -> None:
        """Say what was spent; ValueError for what is no amount of micro-dollars."""
        if not is_cost(usd_micros):
            raise ValueError("no amount of micro-dollars: a whole number, not negative")
        self._paid(usd_micros)

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        """Hand over an item that is stored together with the outcome."""
        if len(self.emitted) >= EMITTED_MAX:
            raise TooManyEmitted(f"one attempt may emit at most {EMITTED_MAX:,} items")
        self.emitted.append((job or self.job, candidate))
