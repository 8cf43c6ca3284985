"""What handlers and discoveries get: two small Protocols, the whole of what a plugin author learns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from engine.contracts.health import JobHealth
from engine.contracts.http import Http
from engine.contracts.item import Candidate, Known
from engine.contracts.llm import LLM
from engine.contracts.values import dataclass


class Item(Protocol):
    """The item an attempt works on, as it was at the claim."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def signals(self) -> Mapping[str, Any]:
        """Facts that discoveries and stages gave so far."""
        ...

    @property
    def path(self) -> str | None: ...
    @property
    def line(self) -> int | None: ...
    @property
    def headings(self) -> tuple[str, ...]: ...
    @property
    def priority(self) -> int | None:
        """0 to 3; None: nobody has given one."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Another open item of the same job, with what a stage gave for it."""

    key: str
    title: str
    data: Mapping[str, Any]
    path: str | None
    line: int | None
    priority: int | None
    state: str
    """pending, waiting or failed."""
    output: Mapping[str, Any]


class Checkpoint(Protocol):
    """A small value of one item at one stage that survives a crash; it is gone when the stage is done."""

    def load(self) -> Any:
        """What an earlier attempt saved (JSON values); None: nothing."""
        ...

    async def save(self, value: Any) -> None:
        """Store a value, at most 64 KiB of JSON; returns when it is on the disk.

        Raises when the value is no JSON or too large, and when this attempt no longer holds its item.
        """
        ...

    def save_and_wait(self, value: Any) -> None:
        """The same for a plain function."""
        ...


class Context(Protocol):
    """What a handler gets, on the loop, in a thread and in a worker process alike."""

    @property
    def job(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def item(self) -> Item: ...
    @property
    def signals(self) -> Mapping[str, Any]:
        """Facts about the item that discoveries and stages gave so far; `Done(signals=…)` adds to them."""
        ...

    @property
    def upstream(self) -> Mapping[str, Mapping[str, Any]]:
        """Outputs of the finished stages before this one, by stage name."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        ...

    @property
    def answer(self) -> str | None:
        """What a person answered to the question (`Ask`) of an earlier attempt."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """The stage's params from jobs.yaml."""
        ...

    @property
    def root(self) -> Path:
        """The project's folder."""
        ...

    @property
    def artifact_dir(self) -> Path:
        """This item's own folder for artifacts; exists."""
        ...

    @property
    def log(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
        """Goes to the engine's log; the newest lines are kept with the item. At most 2,000 lines of an attempt."""
        ...

    @property
    def checkpoint(self) -> Checkpoint:
        """What a crash must not lose of a long attempt."""
        ...

    async def peers(self, stage: str) -> Sequence[Peer]:
        """Other open items of this job that passed a stage, to compare this one with; 500 at most, in no order."""
        ...

    @property
    def http(self) -> Http:
        """The shared client: bounded in time and size, and never led to this machine or its network."""
        ...

    @property
    def llm(self) -> LLM:
        """The door to the models, bound to this job's budget and this item's urgency."""
        ...

    @property
    def cancelled(self) -> bool:
        """True once this attempt should end (stop, timeout, a person)."""
        ...

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far this attempt is, for the screens; cheap, only the newest counts."""
        ...

    async def reserve(self, usd_micros: int) -> None:
        """Say what this attempt is about to spend at most, in millionths of a dollar, until `paid` says what it was.

        It counts as spent, against daily limits, too, when the attempt ends without a word about it, or the engine is
        killed. Raises what puts the attempt off to the next day where a daily limit leaves no room for it.
        """
        ...

    def paid(self, usd_micros: int) -> None:
        """Say what this attempt has just spent, in millionths of a dollar: booked however the attempt ends.

        It takes the place of what was reserved. What `ctx.llm` costs is booked by itself.
        """
        ...

    def emit(self, candidate: Candidate, *, job: str | None = None) -> None:
        """Hand over a child item (same job) or an item for another job; stored together with the outcome.

        At most 10,000 of one attempt; one more raises.
        """
        ...


class DiscoveryContext(Protocol):
    """What a discovery gets."""

    @property
    def job(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def root(self) -> Path: ...
    @property
    def repositories(self) -> tuple[Path, ...]:
        """Absolute folders that internal jobs look at."""
        ...

    @property
    def log(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]: ...
    @property
    def http(self) -> Http:
        """The shared client: bounded in time and size, and never led to this machine or its network."""
        ...

    @property
    def cancelled(self) -> bool: ...
    async def known(self) -> Sequence[Known]:
        """Items that earlier runs of this discovery gave, in (path, line) order; gone ones included."""
        ...

    async def jobs(self) -> Sequence[JobHealth]:
        """How every job of this project is, for a check that looks after them."""
        ...

    def mint(self) -> str:
        """A fresh short key, unique in practice, for items whose identity is their place."""
        ...

    def problem(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        """Record a counted, visible partial failure (an unreadable file); the run goes on but is not complete."""
        ...

    def scope(self, paths: Sequence[str], *, complete: bool = True) -> None:
        """Say what this run covered; only a complete run may find that something is gone."""
        ...
