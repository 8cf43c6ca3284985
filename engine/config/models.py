"""The keys below `backends` and `models` in jobs.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from engine.config.units import parse_money
from engine.config.values import Burst, Dotted, Keys, Line, Money, Name, Pace, Span, Wait, listed

LANE_PATTERN = r"^[a-z0-9][a-z0-9_-]*/[^\s/][^\s]*$"
ENV_PATTERN = r"^[A-Z_][A-Z0-9_]*$"
URL_PATTERN = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
PROVIDER_PATTERN = r"^[a-z0-9_]+$"


def _per_million(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("needs an amount of money for a million tokens, such as `0.15 USD`")
    return parse_money(value)


Lane = Annotated[str, StringConstraints(pattern=LANE_PATTERN, max_length=200)]
"""`backend/mode`, such as `openai/gpt-5-mini`."""
Lanes = Annotated[list[Lane], BeforeValidator(listed, json_schema_input_type=Lane | list[Lane]), Field(min_length=1)]
Resources = Annotated[list[Name], BeforeValidator(listed, json_schema_input_type=Name | list[Name])]
PerMillion = Annotated[int, BeforeValidator(_per_million, json_schema_input_type=str), Field(ge=0)]
"""Micro-dollars for a million tokens; `0 USD` is allowed."""
Times = Annotated[int, Field(ge=1, le=1_000_000)]
Places = Annotated[int, Field(ge=1, le=1_000)]


class PriceKeys(Keys):
    """What tokens cost."""

    input: PerMillion
    """A million tokens of the question, such as `0.15 USD`."""
    output: PerMillion
    """A million tokens of the answer."""


Price = Annotated[
    PriceKeys,
    BeforeValidator(
        lambda value: {"input": "0 USD", "output": "0 USD"} if value == "free" else value,
        json_schema_input_type=Literal["free"] | PriceKeys,
    ),
]
"""`free`, or what tokens cost."""


class ModeKeys(Keys):
    """Limits of one mode of a backend."""

    per_day: Times | None = None
    """How often it may be asked in a day."""
    concurrency: Places | None = None
    """How many requests may be with it at once."""
    pace: Pace | None = None
    """How fast requests may start, such as `60/m`."""
    burst: Burst | None = None
    """How many may start at once after a pause; 1 without it."""
    price: Price | None = None
    """What it costs: `free`, or `{input: 0.15 USD, output: 0.60 USD}` for a million tokens."""


class BackendKeys(Keys):
    """One way to reach models."""

    use: Dotted = "litellm"
    """`litellm`, `scripted` (prepared answers), or the dotted name of your own backend."""
    provider: Annotated[str, StringConstraints(pattern=PROVIDER_PATTERN, max_length=60)] | None = None
    """What litellm calls it; without it `openai` where there is a `base_url`, else the name of this backend."""
    base_url: Annotated[str, StringConstraints(pattern=URL_PATTERN, max_length=400)] | None = None
    """Address of a server that speaks the OpenAI protocol: Ollama, llama.cpp, vLLM."""
    key_env: Annotated[str, StringConstraints(pattern=ENV_PATTERN, max_length=100)] | None = None
    """Environment variable (or line of `.env`) that holds its key."""
    key_cmd: Annotated[list[Line], BeforeValidator(listed)] = Field(default=[])
    """Command that prints its key, as a list of words, in place of the variable."""
    concurrency: Places = 4
    """How many requests may be with it at once."""
    per_day: Times | None = None
    """How often it may be asked in a day, all modes together."""
    pace: Pace | None = None
    """How fast requests may start, such as `60/m`."""
    burst: Burst | None = None
    """How many may start at once after a pause; 1 without it."""
    resource: Resources = Field(default=[])
    """Shared capacity, named at the top under `resources`, that a request holds."""
    keep_place: bool = False
    """true: a conversation keeps its place between its turns (a browser tab), until a more urgent request takes it."""
    modes: dict[Line, ModeKeys] = Field(default={})
    """Limits of single modes (for an HTTP backend: models)."""
    price: Price | None = None
    """What its modes cost: `free`, or `{input: 0.15 USD, output: 0.60 USD}` for a million tokens."""
    params: dict[str, Any] = Field(default={})
    """What the backend itself is told; litellm: where and as whom to ask (`api_version` of Azure, `extra_headers`)."""


class ModelKeys(Keys):
    """One alias: what stages and people ask for."""

    models: Lanes
    """Who answers, as `backend/mode`; the first one first, the others when it is busy, blocked or fails."""
    per_day: Times | None = None
    """How often it may be asked in a day, whoever answers."""
    timeout: Span = 120.0
    """Deadline of one call, such as `2m`."""
    max_tokens: int = Field(default=2_048, ge=1, le=1_000_000)
    """Longest answer, in tokens."""
    max_cost: Money | None = None
    """Most that one call may cost; also what a call is taken to cost where no price is known: `0.05 USD`."""
    longer: Name | None = None
    """Alias that takes a question which is too long for this one."""
    cache: Wait = 30 * 86_400.0
    """How long the answer to an identical question is given again, such as `30d`; `0s`: never."""


Model = Annotated[
    ModelKeys,
    BeforeValidator(
        lambda value: {"models": value} if isinstance(value, str | list) else value,
        json_schema_input_type=Lane | list[Lane] | ModelKeys,
    ),
]
"""An alias: who answers, or its keys."""
