"""The test kit of plugin authors: what handlers and discoveries get, on a real folder, recorded, without an engine.

`load` imports a file of yours, `discover` runs a discovery to its end, `run` runs a handler once; both hold a function
to what the engine would hold it to. Who needs more makes a `TrialContext` or a `TrialDiscovery` and looks at it after.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from engine.contracts.context import Peer
from engine.contracts.health import JobHealth
from engine.contracts.item import Candidate, Known
from engine.contracts.llm import LLM
from engine.contracts.outcome import Done, Outcome
from engine.contracts.values import dataclass
from engine.kit.http import Http
from engine.kit.no_model import NoModel


@dataclass(kw_only=True)
class TrialDiscovery:
    """A `DiscoveryContext` on a real folder."""

    root: Path
    job: str = "test"
    params: Mapping[str, Any] = field(default_factory=dict)
    repositories: tuple[Path, ...] = ()
    """Empty: the root."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("rivus.trial"))
    http: Http = field(default_factory=Http)
    """The real client; it asks only public hosts, and those of `Http(allow=…)`."""
    cancelled: bool = False
    items: Sequence[Known] = ()
    of_jobs: Sequence[JobHealth] = ()
    problems: list[tuple[str, str | None, int | None]] = field(default_factory=list)
    """(message, path, line) in the order they came."""
    scopes: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    """(paths, complete) in the order they came."""
    minted: int = 0

    def __post_init__(self) -> None:
        self.repositories = self.repositories or (self.root,)

    async def known(self) -> Sequence[Known]:
        return self.items

    async def jobs(self) -> Sequence[JobHealth]:
        return self.of_jobs

    def mint(self) -> str:
        self.minted += 1
        return f"k{self.minted:04d}"

    def problem(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        self.problems.append((message, path, line))

    def scope(self, paths: Sequence[str], *, complete: bool = True) -> None:
        self.scopes.append((tuple(paths), complete))

    @property
    def complete(self) -> bool:
        """Whether exactly one scope was given, it is complete, and no problem was recorded."""
        return len(self.scopes) == 1 and self.scopes[0][1] and not self.problems


@dataclass(frozen=True, kw_only=True)
class TrialItem:
    """An `Item`."""

    key: str
    title: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None
    line: int | None = None
    headings: tuple[str, ...] = ()
    signals: Mapping[str, Any] = field(default_factory=dict)
    priority: int | None = None

    @classmethod
    def of(cls, candidate: Candidate) -> TrialItem:
        """The item that the engine would make of a candidate."""
        return cls(
            key=candidate.key,
            title=candidate.title or candidate.key,
            data=candidate.data,
            path=candidate.path,
            line=candidate.line,
            headings=candidate.headings,
        )


@dataclass
class TrialCheckpoint:
    """A `Checkpoint` in memory."""

    value: Any = None
    saved: list[Any] = field(default_factory=list)

    def load(self) -> Any:
        return self.value

    async def save(self, value: Any) -> None:
        self.save_and_wait(value)

    def save_and_wait(self, value: Any) -> None:
        self.value = json.loads(json.dumps(value))
        self.saved.append(self.value)


@dataclass(kw_only=True)
class TrialContext:
    """A `Context` on a real folder."""

    root: Path
    item: TrialItem
    job: str = "test"
    stage: str = "stage"
    upstream: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attempt: int = 1
    answer: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    artifact_dir: Path = Path()
    """Default: `root`."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("rivus.trial"))
    llm: LLM = field(default_factory=NoModel)
    http: Any = None
    """For what asks one: an `engine.kit.http.Http`."""
    checkpoint: TrialCheckpoint = field(default_factory=TrialCheckpoint)
    cancelled: bool = False
    steps: list[tuple[int, int | None, str]] = field(default_factory=list)
    """(done, total, text) of each progress."""
    spent: int = 0
    """Micro-dollars that `paid` was told of."""
    reserved: list[int] = field(default_factory=list)
    """Micro-dollars that `reserve` was told of, in the order they came."""
    others: Mapping[str, Sequence[Peer]] = field(default_factory=dict)
    """Peers by stage."""
    emitted: list[tuple[Candidate, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.artifact_dir == Path():
            self.artifact_dir = self.root

    async def peers(self, stage: str) -> Sequence[Peer]:
        return self.others.get(stage, ())

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        self.steps.append((done, total, text))

    async def reserve(self, usd_micros: int) -> None:
        self.reserved.append(usd_micros)

    def paid(self, usd_micros: int) -> None:
        self.spent += usd_micros

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        self.emitted.append((candidate, job))


def load(file: Path | str) -> ModuleType:
    """Import a Python file by its path, anew each time."""
    path = Path(file)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def discover(function: Callable[..., Any], root: Path, **params: Any) -> list[Candidate]:
    """Run a discovery on a folder to its end; returns what it found.

    AssertionError when it named a problem, said no complete scope, or gave one key twice: the engine would take the run
    as partial, or only one of the two.
    """
    ctx = TrialDiscovery(root=root, params=params)

    async def collect() -> list[Candidate]:
        return [candidate async for candidate in function(ctx)]

    found = asyncio.run(collect())
    assert not ctx.problems, f"it named problems: {ctx.problems}"
    assert ctx.complete, "it said no complete scope: what is not found any more would never be gone"
    keys = [candidate.key for candidate in found]
    assert len(keys) == len(set(keys)), "it gave one key twice"
    return found


def run(handler: Callable[..., Any], ctx: TrialContext) -> Outcome:
    """Run a handler once, as the engine does: a plain dict means done.

    TypeError for what is no outcome, or an output that is no JSON.
    """
    answer = handler(ctx)
    if inspect.isawaitable(answer):

        async def wait() -> Any:
            return await answer

        answer = asyncio.run(wait())
    outcome = Done(output=dict(answer or {})) if answer is None or isinstance(answer, Mapping) else answer
    if not isinstance(outcome, get_args(Outcome)):
        raise TypeError(f"a handler returns an outcome or a dict, not {type(outcome).__name__}")
    if isinstance(outcome, Done):
        json.dumps(dict(outcome.output), allow_nan=False)
    told: Outcome = outcome
    return told
