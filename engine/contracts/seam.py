"""Small functions that a plugin can offer beside handlers and discoveries, and what it declares about its functions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.contracts.context import Item

F = TypeVar("F", bound=Callable[..., Any])

PARAMS_ATTRIBUTE = "__rivus_params__"
"""Where `accepts` keeps the names."""


def accepts(*names: str) -> Callable[[F], F]:
    """Declare the params that a handler or discovery reads; any other in jobs.yaml is an error with its line."""

    def mark(function: F) -> F:
        setattr(function, PARAMS_ATTRIBUTE, names)
        return function

    return mark


class HookContext(Protocol):
    """What a function gets that answers one question. It reads only: what it writes, nobody undoes."""

    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def root(self) -> Path:
        """The project's folder."""
        ...

    @property
    def state_dir(self) -> Path:
        """The folder of the state file."""
        ...

    @property
    def now(self) -> int:
        """ms UTC."""
        ...

    @property
    def log(self) -> logging.Logger: ...


class ProbeContext(HookContext, Protocol):
    """What an idle probe gets."""

    @property
    def started_at(self) -> int:
        """When the engine was started, ms UTC."""
        ...


class JobContext(HookContext, Protocol):
    """What a validator gets."""

    @property
    def job(self) -> str: ...
    @property
    def counts(self) -> Mapping[str, int]:
        """Items of the job by state."""
        ...

    @property
    def spent_today_usd_micros(self) -> int: ...


class ItemContext(HookContext, Protocol):
    """What `still_true` gets."""

    @property
    def job(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def item(self) -> Item: ...


class IdleProbe(Protocol):
    """Tells how long the user has done nothing; plain or `async def`, named in `settings.idle`."""

    def __call__(self, ctx: ProbeContext, /) -> float | None:
        """Seconds since the last activity; None when it cannot tell."""
        ...


class Validator(Protocol):
    """Tells whether a job should work at all; plain or `async def`, named in `guards.validate`."""

    def __call__(self, ctx: JobContext, /) -> str | None:
        """Why the job should pause; None when all is well."""
        ...


class StillTrue(Protocol):
    """Tells whether there is still something to do; plain or `async def`, named in `still_true` of a job."""

    def __call__(self, ctx: ItemContext, /) -> str | None:
        """Why the item need not start any more; None when it still has to be done."""
        ...


class Quotas(Protocol):
    """Tells what is left of a model's quota; the door to the models implements it."""

    def left(self, model: str) -> tuple[int, int | None] | None:
        """(uses left, when it resets in ms UTC); None when it has no quota, or nobody counts it."""
        ...


PROGRAMS_ATTRIBUTE = "__rivus_programs__"
"""Where `runs_programs` keeps the names."""


def runs_programs(*names: str) -> Callable[[F], F]:
    """Declare the params whose values are programs that the handler starts.

    Whoever writes them into a jobs.yaml decides what runs, so such a file is used only once a person has trusted it.
    """

    def mark(function: F) -> F:
        setattr(function, PROGRAMS_ATTRIBUTE, names)
        return function

    return mark


SERVERS_ATTRIBUTE = "__rivus_servers__"
"""Where `asks_servers` keeps the names."""


def asks_servers(*names: str) -> Callable[[F], F]:
    """Declare the params that let a discovery or check ask servers which files of the project name.

    Whoever writes the files decides who is told, so a jobs.yaml with one of them is used only once it is trusted.
    """

    def mark(function: F) -> F:
        setattr(function, SERVERS_ATTRIBUTE, names)
        return function

    return mark
