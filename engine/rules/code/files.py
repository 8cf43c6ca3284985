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


def reading_of(text: str, deps: str | None = None, *, beside: Beside | None = None, path: str = STAGE) -> Reading:
    """Return what is read of a stage's text and of the helpers; `beside` finds modules that they import.

    `path` is what the text is called where something is said about it.
    """
    own = {STAGE: Source(text=text, path=path)}
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
    paths: tuple[str, str] = (STAGE, STAGE),
) -> Comparison:
    """Compare (stage, deps) with (stage, deps); NoSuchSymbol if the function is missing on a side."""
    readings = [
        reading_of(*side, beside=beside[at] if beside else None, path=paths[at]) for at, side in enumerate((old, new))
    ]
    try:
        return compare_readings(readings[0], readings[1], STAGE, function)
    except RecursionError:
        return Comparison(verdict="semantic", changes=(), reason="the code is nested too deeply to be compared")


def compare_readings(old: Reading, new: Reading, module: str, function: str) -> Comparison:
    """Compare a stage in two states of a project; a cosmetic answer names the rules it rests on."""

    def answer_by(rules: frozenset[str]) -> Comparison:
        return compare(*(fingerprint(side, module, function, rules=rules) for side in (old, new)))

    answer = _with_sources(answer_by(ALL_RULES), old, new)
    if answer.verdict != "cosmetic":
        return answer
    needed = [rule for rule in RULES if answer_by(ALL_RULES - {rule}).verdict == "semantic"]
    reason = f"only {_joined(needed)} changed in {', '.join(change.name for change in answer.changes)}"
    return replace(answer, reason=reason)


def _with_sources(answer: Comparison, old: Reading, new: Reading) -> Comparison:
    """What stands beside is one module; where names come from several, one that comes from another than before may be
    another thing."""
    before, after = old.project.guessed, new.project.guessed
    if all(len(set().union(*side.values())) < 2 for side in (before, after)):
        return answer
    moved = sorted(symbol.name for symbol in before.keys() & after.keys() if before[symbol] != after[symbol])
    if answer.verdict == "semantic" or not moved:
        return answer
    reason = f"{', '.join(moved)}: imported from another module"
    return replace(answer, verdict="semantic", reason=reason)


_WORDS: Final = {
    "annotations": "type hints",
    "logging": "logging",
    "messages": "messages of errors",
    "locals": "names of local variables",
    "texts": "the way texts are put together",
    "constants": "the place of constants",
    "unused": "variables nobody reads",
    "form": "the form of statements",
}


def _joined(rules: list[str]) -> str:
    words = [_WORDS[rule] for rule in rules]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "form"
