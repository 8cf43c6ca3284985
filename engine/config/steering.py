"""The shape of the keys that say which work goes first, when it may start, and when it comes back."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from engine.config.units import DURATION_PATTERN, parse_duration
from engine.config.values import Cron, Interval, Keys, Line, Name, Span, listed

_HOURS: Final = r"^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])$"


def _bound(value: object) -> object:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("needs a number, or a duration such as `2h`")
    return float(value)


def _wanted(value: object) -> object:
    if isinstance(value, dict):
        return value
    values = value if isinstance(value, list) else [value]
    if not all(one is None or isinstance(one, (str, int, float, bool)) for one in values):
        raise ValueError("needs a value, a list of values, or a bound such as `{at_least: 10}`")
    return {"one_of": values}


def _rule(value: object) -> object:
    if isinstance(value, str):
        value = {value: None}
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a rule is a priority with what it asks for: `- P1: {source: wire}`, or `- P3` for the rest")
    return {name: {} if body is None else body for name, body in value.items()}


def _one_way(value: RecurKeys) -> RecurKeys:
    if sum(one is not None for one in (value.each, value.after, value.cron)) > 1:
        raise ValueError("has several times; keep one of `each`, `after` and `cron`")
    return value


def _hours(value: str) -> str:
    match = re.fullmatch(_HOURS, value)
    if match is None or value[:5] == value[6:] or value[6:] > "24:00":
        raise ValueError("needs a part of the day, such as `09:00-17:00` or `22:00-06:00`")
    return value


def _recur(value: object) -> object:
    match value:
        case "daily" | "weekly":
            return {"each": {"daily": "day", "weekly": "week"}[value]}
        case str():
            try:
                parse_duration(value)
            except ValueError:
                raise ValueError("needs `daily`, `weekly`, a time such as `12h`, or `{cron: 0 6 * * 1}`") from None
            return {"after": value}
    return value


Bound = Annotated[
    float,
    BeforeValidator(_bound, json_schema_input_type=float | Annotated[str, Field(pattern=DURATION_PATTERN)]),
]
"""A number; a duration counts in seconds."""


class ConditionKeys(Keys):
    """What a field has to be; without any of these: there at all. A field that is missing meets no bound."""

    one_of: list[str | int | float | bool | None] | None = Field(default=None, min_length=1)
    """Any of these values; null stands for a field that is missing."""
    at_least: Bound | None = None
    """This number or more; a duration such as `2h` counts in seconds."""
    above: Bound | None = None
    """More than this number."""
    at_most: Bound | None = None
    """This number or less."""
    below: Bound | None = None
    """Less than this number, such as `{below: 2d}` for `age`."""
    within: Annotated[list[Line], BeforeValidator(listed, json_schema_input_type=Line | list[Line])] = Field(default=[])
    """For a path: this file or folder, or one of these, or what lies below; `{within: [src, docs]}`."""


_Value = str | float | bool | None
Wanted = Annotated[
    ConditionKeys,
    BeforeValidator(_wanted, json_schema_input_type=_Value | list[_Value] | ConditionKeys),
]
"""A value, a list of values of which one is enough, or bounds."""
Conditions = dict[Line, Wanted]

Rule = Annotated[
    dict[Literal["P0", "P1", "P2", "P3"], Conditions],
    BeforeValidator(
        _rule,
        json_schema_input_type=Literal["P0", "P1", "P2", "P3"]
        | dict[Literal["P0", "P1", "P2", "P3"], Conditions | None],
    ),
]
"""One rule of a priority policy."""


class TriageKeys(Keys):
    """One rule of triage: what is proposed for new items that are so."""

    do: Literal["accept", "drop", "snooze", "P0", "P1", "P2", "P3"]
    """`accept`, `drop` (won't do), `snooze` (later), or a priority."""
    when: Conditions = Field(default={})
    """What the item has to be: `{path: {within: src}, confidence: high, age: {below: 14d}, quiet: {above: 90d}}`; every
    field of its data, and of what its stages have found so far, may be asked."""
    later: Span | None = Field(default=None, alias="for")
    """How long it is put off, with `do: snooze`: `30d`."""
    auto: bool = False
    """true: done at once when the item waits for the first time, without a key; `u` does not reach it, `rivus undo
    OPERATION` does."""


HoursOfDay = Annotated[str, AfterValidator(_hours)]


class EligibilityKeys(Keys):
    """When the work of a job may start, and which of its items. Discovery goes on; what runs is not stopped."""

    user_idle: Span | None = None
    """Only when the user has done nothing for so long, such as `15m`; `settings.idle` says who tells."""
    hours: Annotated[list[HoursOfDay], BeforeValidator(listed, json_schema_input_type=str | list[str])] = Field(
        default=[]
    )
    """Only in this part of the day, in the project's time zone: `09:00-17:00`, `22:00-06:00`, or a list of them."""
    data: Conditions = Field(default={})
    """Only items whose fields (data, or signals) are so: `{risk: [low, null]}`; null stands for missing."""
    auto_start: bool | None = None
    """true: only items with the field `auto_start: true`."""
    quota: Annotated[list[Name], BeforeValidator(listed, json_schema_input_type=Name | list[Name])] = Field(default=[])
    """Only while these models have quota left."""


class RecurKeys(Keys):
    """When a finished item comes back: `each`, `after` or `cron`, and `by` with or without one of them."""

    each: Literal["day", "week"] | None = None
    """Once per calendar day, or per week from Monday."""
    after: Interval | None = None
    """So long after it was last completed, such as `12h`."""
    cron: Cron | None = None
    """At the first such time after it was last completed, such as `0 6 * * 1`."""
    by: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The field (signal, or data) in which an item says it of itself: `daily`, `weekly`, `never`, a number of hours, or
    a cron expression. Where it says nothing of that, the other key holds."""


Recur = Annotated[
    RecurKeys,
    BeforeValidator(_recur, json_schema_input_type=str | RecurKeys),
    AfterValidator(_one_way),
]
"""`daily`, `weekly`, a time such as `12h`, or `{cron: …}`."""
