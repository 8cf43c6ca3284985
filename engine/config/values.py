"""What one value in jobs.yaml may be: names, durations, rates, money, cron expressions; and the base of the models."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from engine.config.timezone import is_zone
from engine.config.units import (
    DURATION_PATTERN,
    MONEY_PATTERN,
    RATE_PATTERN,
    SIZE_PATTERN,
    parse_duration,
    parse_money,
    parse_rate,
    parse_size,
)
from engine.rules.schedule import cron_problem

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
DOTTED_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"


def _seconds(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("needs a duration, such as `30s` or `10m`")
    return parse_duration(str(value))


def _rate(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("needs a rate, such as `60/h`")
    return parse_rate(value)


def _micros(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("needs an amount of money, such as `5 USD`")
    return parse_money(value)


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("needs a size, such as `2 GB`")
    return parse_size(value)


def _cron(value: str) -> str:
    if problem := cron_problem(value):
        raise ValueError(problem)
    return value


def zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("is no time zone; use a name such as `Europe/Berlin`")
    return value


def listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=64)]
Dotted = Annotated[str, StringConstraints(pattern=DOTTED_PATTERN, max_length=200)]
_DURATION_INPUT = Annotated[str, Field(pattern=DURATION_PATTERN)]
Wait = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=_DURATION_INPUT), Field(ge=0)]
"""A duration in seconds; zero is allowed."""
Span = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=_DURATION_INPUT), Field(gt=0)]
"""A duration in seconds above zero."""
Interval = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=_DURATION_INPUT), Field(ge=1)]
"""A duration in seconds, one at least."""
Cron = Annotated[str, StringConstraints(max_length=200), AfterValidator(_cron)]
Money = Annotated[
    int,
    BeforeValidator(_micros, json_schema_input_type=Annotated[str, Field(pattern=MONEY_PATTERN)]),
    Field(gt=0),
]
"""An amount in millionths of a dollar."""
Size = Annotated[
    int, BeforeValidator(_bytes, json_schema_input_type=Annotated[str, Field(pattern=SIZE_PATTERN)]), Field(gt=0)
]
"""An amount of bytes."""
Pace = Annotated[
    tuple[float, float],
    BeforeValidator(_rate, json_schema_input_type=Annotated[str, Field(pattern=RATE_PATTERN)]),
]
"""A rate as (count, seconds)."""
Burst = Annotated[int, Field(ge=1, le=100_000)]
Line = Annotated[str, StringConstraints(max_length=200)]


class Keys(BaseModel):
    """A mapping of which every key is known."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)
