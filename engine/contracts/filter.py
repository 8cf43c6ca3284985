"""What a filter of items means: terms that must all hold. Text becomes terms in `engine.rules.filters`."""

from __future__ import annotations

from typing import Final, Literal

from engine.contracts.values import dataclass

Field = Literal[
    "text",
    "job",
    "state",
    "stage",
    "gate",
    "prio",
    "age",
    "cost",
    "err",
    "file",
    "ver",
    "by",
    "source",
    "sure",
    "rule",
    "of",
    "fact",
    "id",
]
"""What a term looks at; `text` is key and title, `fact` a field of the item's data or of what its stages returned, `id`
the number of a row that is known already: it has no word in the language."""

Sign = Literal["=", "<", "<=", ">", ">="]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A number to compare with."""

    sign: Sign
    number: int | None
    """Priority 0–3, age in ms, cost in micro-dollars; None: none was given (only with `=`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One condition: any of its values holds, or, negated, none of them."""

    field: Field
    values: tuple[str, ...] = ()
    """Words: lower case for `text`, `err` and `file`, which look for a part; else exact."""
    comparisons: tuple[Comparison, ...] = ()
    """In place of words, for `prio`, `age` and `cost`."""
    fact: str = ""
    """Name of the field, for `fact`; its values are lower case, and exact but for that."""
    negated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What could not be understood, and where."""

    at: int
    """Index of its first character in the text."""
    length: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """A filter as it was understood."""

    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What was left out; the terms apply all the same."""


EVERYTHING: Final = Filter()
STALE: Final = "stale"
"""The value of `ver:` that asks for results which other code made than runs now."""
ANY: Final = "*"
"""The value of a term that asks for any at all, as in `gate:*`."""
