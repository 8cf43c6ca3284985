"""Filters as the screens use them: of a job, of a scope, and what could be typed next. The language itself stands in
`engine.rules.filters`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, get_args

from engine.contracts.filter import ANY, STALE, Problem
from engine.contracts.values import dataclass
from engine.contracts.view import ItemQuery, JobView, Scope
from engine.rules.filters import QUALIFIERS, parse, tokens

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

_EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "prio": ("<=1", "0", "none"),
    "ver": (STALE,),
    "age": (">2h", ">1d", "<10m"),
    "cost": (">0.10", ">1"),
}
_MOST: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """One way to go on typing."""

    text: str
    """The whole filter with it."""
    label: str
    help: str


def narrowed(text: str, base: ItemQuery) -> ItemQuery:
    """Return a query narrowed by a filter; what the filter does not make clear is left out."""
    return replace(base, terms=(*base.terms, *parse(text).terms))


def trouble(text: str) -> str:
    """Return what could not be understood of a filter, with its place; empty when all is clear."""
    return "; ".join(told(problem) for problem in parse(text).problems)


def told(problem: Problem) -> str:
    """Return a problem with its place, counted from 1."""
    return f"at {problem.at + 1}: {problem.message}"


def with_job(text: str, job: str | None) -> str:
    """Return a filter with its `job:` replaced or, for None, taken out."""
    rest = [token.text for token in tokens(text) if not token.text.startswith("job:")]
    return " ".join(([f"job:{quoted(job)}"] if job else []) + rest)


def without_job(text: str) -> str:
    """Return a filter without its `job:`."""
    return with_job(text, None)


def job_of(text: str) -> str | None:
    """Return the one job that a filter names."""
    for term in parse(text).terms:
        if term.field == "job" and not term.negated and len(term.values) == 1:
            return term.values[0]
    return None


def quoted(value: str) -> str:
    """Return a value as it stands after a colon."""
    plain = value.replace('"', "")
    return f'"{plain}"' if any(sign.isspace() or sign in ",:!" for sign in plain) else plain


def next_scope(scope: Scope) -> Scope:
    """Return the scope after this one."""
    return SCOPES[(SCOPES.index(scope) + 1) % len(SCOPES)]


def known_values(jobs: Sequence[JobView]) -> Mapping[str, tuple[str, ...]]:
    """Return the values that there are for qualifiers which take any word."""
    stages = tuple(dict.fromkeys(stage.name for job in jobs for stage in job.stages))
    gates = tuple(dict.fromkeys(stage.gate for job in jobs for stage in job.stages if stage.gate))
    names = tuple(job.name for job in jobs)
    return {"job": names, "source": names, "stage": stages, "gate": (ANY, *gates)}


def suggestions(text: str, known: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """Return what the last piece of a filter could become: names of qualifiers, then their values."""
    head, _, piece = text.rpartition(" ")
    head = f"{head} " if head else ""
    sign = "!" if piece.startswith("!") else ""
    name, colon, value = piece.removeprefix("!").partition(":")
    if not colon:
        return [
            Suggestion(text=f"{head}{sign}{one}:", label=f"{sign}{one}:", help=qualifier.help)
            for one, qualifier in QUALIFIERS.items()
            if one.startswith(name) and (name or not text.strip() or text.endswith(" "))
        ]
    qualifier = QUALIFIERS.get(name)
    if qualifier is None:
        return []
    before, comma, last = value.rpartition(",")
    values = qualifier.words or tuple(known.get(name, ())) or _EXAMPLES.get(name, ())
    return [
        Suggestion(text=f"{head}{sign}{name}:{before}{comma}{quoted(one)} ", label=one, help=qualifier.help)
        for one in values
        if one.startswith(last) and one != last
    ][:_MOST]
