"""What jobs.yaml says of models: backends with their modes, and the aliases that stages and people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from engine.contracts.llm import Price
from engine.contracts.rate import Rate
from engine.contracts.values import dataclass

LITELLM_PARAMS: Final = (
    *("api_version", "aws_profile_name", "aws_region_name", "extra_headers", "organization", "vertex_location"),
    "vertex_project",
)
"""What `params` of a litellm backend may hold: where and as whom to ask, nothing that an answer or a cost hangs on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModeSpec:
    """Limits of one mode of a backend."""

    name: str
    """For an HTTP backend its model, for another one its way of working (`deep`)."""
    per_day: int | None = None
    """How often it may be asked in a day."""
    concurrency: int | None = None
    """How many requests may be with it at once; None: as many as the backend takes."""
    pace: Rate | None = None
    price: Price | None = None
    """None: as the backend knows it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendSpec:
    """One way to reach models."""

    name: str
    use: str = "litellm"
    """`litellm`, `scripted`, or the dotted name of a factory that takes `BackendOptions`."""
    provider: str | None = None
    """What litellm calls it; None: as it is named here."""
    base_url: str | None = None
    key_env: str | None = None
    """Name of the environment variable (or line of `.env`) with its key; None: it needs none."""
    key_cmd: tuple[str, ...] = ()
    """A command that prints the key, in place of the variable."""
    concurrency: int = 4
    """How many requests may be with it at once."""
    per_day: int | None = None
    pace: Rate | None = None
    resources: tuple[str, ...] = ()
    """Shared capacity that a request holds, together with stages."""
    keep_place: bool = False
    """A conversation keeps its place between its turns, until a more urgent request takes it."""
    modes: Mapping[str, ModeSpec] = field(default_factory=dict)
    price: Price | None = None
    """Price of modes that name none."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """An alias: what stages and people ask for."""

    name: str
    lanes: tuple[tuple[str, str], ...]
    """(backend, mode), the preferred one first; the others when it is busy, blocked or fails."""
    per_day: int | None = None
    """How often it may be asked in a day, whoever answers."""
    timeout_s: float = 120.0
    max_tokens: int = 2_048
    """Longest answer."""
    max_cost_usd_micros: int | None = None
    """Most that one call may cost; also what a call is taken to cost where no price is known."""
    longer: str | None = None
    """Alias that takes a question which is too long for this one."""
    cache_s: float = 30 * 86_400.0
    """How long an answer to an identical question (at temperature 0) is given again; 0: never."""
