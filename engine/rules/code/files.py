"""Two pieces of source side by side, as `rivus stale compare` takes them: a stage, and helpers that stand beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engine.rules.code.compare import Comparison, compare
from engine.rules.code.fingerprint import ALL_RULES, fingerprint
from engine.rules.code.module import Source
from engine.rules.code.plan import RULES
from engine.rules.code.project import Project
from engine.rules.code.reading import Reading

STAGE, DEPS = "stage", "deps"
"""Names under which the pieces are known: the same on both sides, whatever the files are called."""
Beside = Callable[[str], "Source | None"]


def reading_of(text: str, deps: str | None = None, *, beside: Beside | None = None) -> Reading:
    """Return what is read of a stage's text and of the helpers; `beside` finds modules that they import."""
    own = {STAGE: Source(text=text, path="stage")}
    if deps is not None:
        own[DEPS] = Source(text=deps, path="deps")

    def load(name: str) -> Source | None:
        return own.get(name) or (beside(name) if beside is not None else None)

    return Reading(Project(load, beside=tuple(own)))


def compare_texts(
    old: tuple[str, str | None],
    new: tuple[str, str | None],
    function: str,
    *,
    beside: tuple[Beside, Beside] | None = None,
) -> Comparison:
    """Compare (stage, deps) with (stage, deps); NoSuchSymbol if the function is missing on a side."""
    readings = [reading_of(*side, beside=beside[at] if beside else None) for at, side in enumerate((old, new))]
    return compare_readings(readings[0], readings[1], STAGE, function)


def compare_readings(old: Reading, new: Reading, module: str, function: str) -> Comparison:
    """Compare a stage in two states of a project; a cosmetic answer names the rules it rests on."""

    def answer_by(rules: frozenset[str]) -> Comparison:
        return compare(*(fingerprint(side, module, function, rules=rules) for side in (old, new)))

    answer = answer_by(ALL_RULES)
    if answer.verdict != "cosmetic":
        return answer
    needed = [rule for rule in RULES if answer_by(ALL_RULES - {rule}).verdict == "semantic"]
    reason = f"only {_joined(needed)} changed in {', '.join(change.name for change in answer.changes)}"
    return replace(answer, reason=reason)


_WORDS: Final = {
    "annotations": "type hints",
    "logging": "logging",
    "messages": "messages of errors",
    "locals": "names of local variables",
    "texts": "the way texts are put together",
    "unused": "variables nobody reads",
    "form": "the form of statements",
}


def _joined(rules: list[str]) -> str:
    words = [_WORDS[rule] for rule in rules]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "form"
