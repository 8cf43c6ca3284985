"""The filter language, one for the app's `/` and the command line's `--filter`: text to terms. Pure.

    word        part of the key or the title           !word   not so
    "two words" with blanks, commas or colons in it    a,b     one or the other; a blank means: and
    job:docs  state:failed,running  stage:fetch  gate:accept  prio:<=1  age:>2h  cost:>0.10  err:timeout  file:src/
    ver:stale
    type:fix  effort:small  risk:low  project:shop  .size:12     any field of its data, or of what a stage returned

What cannot be understood is said with its place and left out; the rest applies. There is no `re:`: a pattern that takes
exponential time would hold up every reader of the state file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Final, cast

from engine.contracts.filter import ANY, Comparison, Field, Filter, Problem, Sign, Term
from engine.contracts.states import ITEM_STATES, STAGE_STATES
from engine.contracts.values import dataclass

STATE_WORDS: Final = (*ITEM_STATES, *(state for state in STAGE_STATES if state not in ITEM_STATES))
"""States of items, and what a stage of a pending item does."""
ORIGINS: Final = ("scan", "check", "manual", "emit", "doctor")
PROPOSED: Final = ("accept", "drop", "snooze", "p0", "p1", "p2", "p3", ANY)
SURE: Final = ("high", "medium", "low")

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_COMPARED: Final = re.compile(r"(<=|>=|<|>|=)?(.*)", re.DOTALL)
_OWN: Final = re.compile(r"\.[A-Za-z_][\w-]{0,60}", re.ASCII)
_MAX_CHARACTERS: Final = 1_000
_MAX_VALUES: Final = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Qualifier:
    """One `name:` of the language."""

    field: Field
    help: str
    words: tuple[str, ...] = ()
    """All values there are; empty: any word."""
    number: Callable[[str], int | None] | None = None
    """Reads a number to compare with; ValueError shows how it is written."""
    lower: bool = False
    """Whether it looks for a part, in any case of letters."""
    fact: str = ""
    """The field that it looks at, for `fact`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One piece of a filter between blanks."""

    text: str
    at: int
    parts: tuple[tuple[str, bool], ...]
    """Its characters, and whether each stood in quotation marks."""
    closed: bool = True
    """Whether its quotation marks come in pairs."""


def parse(text: str) -> Filter:
    """Return what a filter means."""
    terms: list[Term] = []
    problems: list[Problem] = []
    if len(text) > _MAX_CHARACTERS:
        problems.append(Problem(at=_MAX_CHARACTERS, length=1, message="longer than 1,000 characters: cut here"))
        text = text[:_MAX_CHARACTERS]
    for token in tokens(text):
        if not token.closed:
            problems.append(Problem(at=token.at, length=len(token.text), message='a closing " is missing'))
        try:
            term = _term(token)
        except ValueError as error:
            problems.append(Problem(at=token.at, length=len(token.text), message=str(error)))
        else:
            terms += [] if term is None else [term]
    return Filter(terms=tuple(terms), problems=tuple(problems))


def tokens(text: str) -> Iterator[Token]:
    """Cut a filter at blanks that do not stand in quotation marks."""
    parts: list[tuple[str, bool]] = []
    start: int | None = None
    quoted = False
    for index, sign in enumerate(text):
        if sign.isspace() and not quoted:
            if start is not None:
                yield Token(text=text[start:index], at=start, parts=tuple(parts))
            parts, start = [], None
            continue
        start = index if start is None else start
        if sign == '"':
            quoted = not quoted
        else:
            parts.append((sign, quoted))
    if start is not None:
        yield Token(text=text[start:], at=start, parts=tuple(parts), closed=not quoted)


def _term(token: Token) -> Term | None:
    parts = token.parts
    negated = bool(parts) and parts[0] == ("!", False)
    parts = parts[1:] if negated else parts
    colon = next((index for index, part in enumerate(parts) if part == (":", False)), None)
    name = "".join(sign for sign, _ in parts[:colon]) if colon is not None else ""
    qualifier = QUALIFIERS.get(name) or _own_field(name)
    if qualifier is None:
        if colon is not None and name == "re":
            raise ValueError("re: is not offered, a bad pattern could hold everything up; words find parts of a name")
        near = get_close_matches(name, QUALIFIERS, 1, 0.75) if colon is not None and colon + 1 < len(parts) else []
        if near:
            raise ValueError(f"{name}: is not known, did you mean {near[0]}: ?")
        values = _values(parts)
        if not values:
            return None
        return Term(field="text", values=tuple(lowered(value) for value in values), negated=negated)
    assert colon is not None
    values = _values(parts[colon + 1 :])
    if not values:
        return None
    return replace(_qualified(name, qualifier, values), negated=negated)


def _own_field(name: str) -> Qualifier | None:
    """A field that a project's own items have, written with a dot: `.size`."""
    return Qualifier(field="fact", help="", fact=name[1:], lower=True) if _OWN.fullmatch(name) else None


def _values(parts: tuple[tuple[str, bool], ...]) -> list[str]:
    """Cut at commas that do not stand in quotation marks."""
    values = [""]
    for sign, quoted in parts:
        if sign == "," and not quoted:
            values.append("")
        else:
            values[-1] += sign
    found = [value for value in values if value.strip()]
    if len(found) > _MAX_VALUES:
        raise ValueError(f"more than {_MAX_VALUES} values")
    return found


def _qualified(name: str, qualifier: Qualifier, values: list[str]) -> Term:
    if qualifier.number is not None:
        return Term(field=qualifier.field, comparisons=tuple(_comparison(name, qualifier, value) for value in values))
    if qualifier.words:
        for value in values:
            if value.lower() not in qualifier.words:
                begun = [word for word in qualifier.words if word.startswith(value.lower())]
                near = begun or get_close_matches(value.lower(), qualifier.words, 1, 0.6)
                hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(qualifier.words)}"
                raise ValueError(f"{name}: knows no {value}; {hint}")
    lower = qualifier.lower or bool(qualifier.words)
    return Term(
        field=qualifier.field,
        values=tuple(lowered(value) if lower else value for value in values),
        fact=qualifier.fact,
    )


def _comparison(name: str, qualifier: Qualifier, value: str) -> Comparison:
    match = _COMPARED.fullmatch(value)
    assert match is not None
    assert qualifier.number is not None
    # An exact age or price never matches: alone it means at least so much.
    sign = match[1] or ("=" if qualifier.field == "prio" else ">=")
    number = qualifier.number(match[2])
    if number is None and sign != "=":
        raise ValueError(f"{name}: none cannot be compared with {sign}")
    return Comparison(sign=cast(Sign, sign), number=number)


def lowered(text: str) -> str:
    """Lower the letters that SQLite lowers, so that the others still match themselves."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)


def _priority(text: str) -> int | None:
    if text.lower() == "none":
        return None
    match = re.fullmatch(r"[pP]?([0-3])", text, re.ASCII)
    if match is None:
        raise ValueError("prio: needs 0 to 3 or none, such as prio:<=1")
    return int(match[1])


def span(text: str) -> int:
    """Return the milliseconds of a time such as `2h` or `1.5d`; ValueError for what is none."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhdw])", text, re.ASCII)
    if match is None:
        raise ValueError("needs a number and a unit (s m h d w), such as 2h")
    return round(float(match[1]) * _SECONDS[match[2]] * 1_000)


def _age(text: str) -> int:
    try:
        return span(text)
    except ValueError:
        raise ValueError("age: needs a number and a unit (s m h d w), such as age:>2h") from None


def _cost(text: str) -> int:
    match = re.fullmatch(r"\$?([0-9]{1,9}(?:\.[0-9]{1,6})?)", text, re.ASCII)
    if match is None:
        raise ValueError("cost: needs dollars, such as cost:>0.10")
    return round(float(match[1]) * 1_000_000)


QUALIFIERS: Final[dict[str, Qualifier]] = {
    "job": Qualifier(field="job", help="items of a job"),
    "state": Qualifier(field="state", help="failed, waiting, running, …", words=STATE_WORDS),
    "stage": Qualifier(field="stage", help="items that are at a stage now"),
    "gate": Qualifier(field="gate", help=f"items that wait for a person at a gate; {ANY} for any"),
    "prio": Qualifier(field="prio", help="0 to 3 or none: prio:<=1", number=_priority),
    "age": Qualifier(field="age", help="since it was found: age:>2h", number=_age),
    "cost": Qualifier(field="cost", help="spent on it, in dollars: cost:>0.10", number=_cost),
    "err": Qualifier(field="err", help="part of the error of a failed stage", lower=True),
    "file": Qualifier(field="file", help="part of its file's path", lower=True),
    "type": Qualifier(field="fact", fact="type", help="what its scope says: fix, feature, …", lower=True),
    "effort": Qualifier(field="fact", fact="effort", help="what its scope says: small, medium, large", lower=True),
    "risk": Qualifier(field="fact", fact="risk", help="what its scope says: low, medium, high", lower=True),
    "project": Qualifier(field="fact", fact="project", help="what its scope or its data says", lower=True),
    "ver": Qualifier(field="ver", help="made by a version of the code: its hash as it begins, or stale", lower=True),
    "by": Qualifier(field="by", help="who gave it: scan, check, manual, …", words=ORIGINS),
    "source": Qualifier(field="source", help="the job or check that found it"),
    "of": Qualifier(field="of", help="parts of an item, by its key"),
    "rule": Qualifier(field="rule", help=f"what a rule of triage proposes; {ANY} for anything", words=PROPOSED),
    "sure": Qualifier(field="sure", help="how sure the scanner is: high, medium, low", words=SURE),
}
"""What can stand before a colon, the most used first."""
