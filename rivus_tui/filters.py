"""The filter bar's language: words and `name:value` qualifiers, to an `ItemQuery`. Pure.

`word` matches key or title; `job:`, `state:`, `stage:` (state of any of its stages), `source:`, `sure:` (high, medium,
low), `gate:` and `order:` narrow down; a comma means or. What cannot be understood is said, not raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, Literal, cast, get_args

from engine.contracts.states import ITEM_STATES, STAGE_STATES, ItemState, StageState
from engine.contracts.view import ItemQuery

Scope = Literal["external", "internal", "all"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
Order = Literal["created", "updated", "key", "place"]
_SURE: Final = ("high", "medium", "low")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """What a filter means."""

    query: ItemQuery
    problem: str = ""
    """What could not be understood; the rest applies."""


def parse(text: str, base: ItemQuery) -> Parsed:
    """Return `base` narrowed by a filter."""
    words: list[str] = []
    problems: list[str] = []
    query = base
    for token in text.split():
        name, colon, value = token.partition(":")
        if not colon or name not in _QUALIFIERS:
            if colon and value and get_close_matches(name, _QUALIFIERS, 1, 0.75):
                problems.append(f"{name}: did you mean {get_close_matches(name, _QUALIFIERS, 1, 0.75)[0]}:")
                continue
            words.append(token)
            continue
        if not value:
            continue
        try:
            query = _QUALIFIERS[name](query, value)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return Parsed(query=replace(query, text=" ".join(words)), problem="; ".join(problems))


def with_job(text: str, job: str | None) -> str:
    """Return a filter with its `job:` replaced or, for None, taken out."""
    rest = [token for token in text.split() if not token.startswith("job:")]
    return " ".join(([f"job:{job}"] if job else []) + rest)


def without_job(text: str) -> str:
    """Return a filter without its `job:`."""
    return with_job(text, None)


def job_of(text: str) -> str | None:
    """Return the job that a filter names."""
    return next((token[4:] for token in text.split() if token.startswith("job:") and len(token) > 4), None)


def next_scope(scope: Scope) -> Scope:
    """Return the scope after this one."""
    return SCOPES[(SCOPES.index(scope) + 1) % len(SCOPES)]


def _values(value: str, allowed: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(part for part in value.split(",") if part)
    for part in chosen:
        if part not in allowed:
            raise ValueError(f"{part} is none of {', '.join(allowed)}")
    return chosen


def _order(query: ItemQuery, value: str) -> ItemQuery:
    _values(value, get_args(Order))
    return replace(query, order=cast(Order, value))


_QUALIFIERS: Final[dict[str, Callable[[ItemQuery, str], ItemQuery]]] = {
    "job": lambda query, value: replace(query, job=value),
    "state": lambda query, value: replace(query, states=cast(tuple[ItemState, ...], _values(value, ITEM_STATES))),
    "stage": lambda query, value: replace(
        query, stage_states=cast(tuple[StageState, ...], _values(value, STAGE_STATES))
    ),
    "source": lambda query, value: replace(query, source=value),
    "sure": lambda query, value: replace(query, confidence=_values(value, _SURE)),
    "gate": lambda query, value: replace(query, gate=value),
    "order": _order,
}
