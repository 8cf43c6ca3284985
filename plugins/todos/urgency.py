"""The rule that makes P0 to P3 of what is known about a TODO: a sum of terms, each with its reason. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.contracts.item import Priority
from plugins.todos.alike import stems

_EFFORT: Final = {"small": 1.5, "medium": 0.0, "large": -1.5}
_RISK: Final = {"low": 1.0, "medium": 0.0, "high": -1.0}
_TYPE: Final = {"fix": 3.0, "feature": 1.0, "test": 0.5, "refactor": 0.0, "docs": 0.0, "chore": -0.5, "research": -0.5}
_DIRE: Final = re.compile(
    r"\b(?:security|vulnerab\w*|data loss|los(?:e|es|ing) data|corrupt\w*|crash\w*|leak\w*|deadlock\w*|urgent\w*)\b",
    re.IGNORECASE,
)
_DIRE_TERM: Final = 4.0
_BLOCKS: Final = 2.0
"""For each other TODO that comes after this one."""
_BLOCKS_MOST: Final = 3
_WAITS: Final = -2.0
_GOAL_MOST: Final = 4.0
_GOAL_WORDS: Final = 3
"""Words in common with the goals that count in full."""
_AGE_MOST: Final = 1.5
_YEAR: Final = 365
_FROM: Final[tuple[tuple[float, Priority], ...]] = ((9.0, 0), (5.0, 1), (1.0, 2))
"""Scores from which on an item is that urgent; below, it can wait."""
_TOP: Final[dict[Priority, float]] = {0: 0.1, 1: 0.3}
"""Share of all compared items that may be that urgent: where everything is urgent, nothing is."""
_COMPARED_FROM: Final = 8
"""Fewer others say nothing about a share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known."""

    text: str
    effort: str = ""
    risk: str = ""
    type: str = ""
    blocks: int = 0
    """Other open TODOs that come after this one."""
    waits: int = 0
    """Open TODOs that come before it."""
    age_days: int | None = None
    goals: str = ""
    """What the project is after, in its own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One reason, with what it adds."""

    name: str
    value: float
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Urgency:
    """What the rule says."""

    priority: Priority
    score: float
    terms: tuple[Term, ...]
    """The weightiest first; those that add nothing are left out."""
    rank: int
    """Place by score among the compared ones and this one; 1 is the first."""
    compared: int
    """How many others it was compared with."""
    held_back: Priority | None = None
    """The priority that its score alone would give, where comparing took it away."""


def judge(facts: Facts, others: Sequence[float]) -> Urgency:
    """Weigh an item; `others` are the scores of the other open ones that were weighed."""
    terms = sorted((term for term in _terms(facts) if term.value), key=lambda term: (-abs(term.value), term.name))
    score = round(sum(term.value for term in terms), 1)
    by_score: Priority = next((priority for least, priority in _FROM if score >= least), 3)
    rank = 1 + sum(other > score for other in others)
    priority = by_score
    if len(others) >= _COMPARED_FROM:
        while priority in _TOP and rank > max(1, round(_TOP[priority] * (len(others) + 1))):
            priority = 1 if priority == 0 else 2
    held_back = by_score if priority != by_score else None
    return Urgency(
        priority=priority, score=score, terms=tuple(terms), rank=rank, compared=len(others), held_back=held_back
    )


def _terms(facts: Facts) -> list[Term]:
    goal, words = _goal(facts)
    dire = _DIRE.search(facts.text)
    blocks = min(facts.blocks, _BLOCKS_MOST)
    age = min(facts.age_days or 0, _YEAR)
    waits = f"it waits for {facts.waits} other{'s' if facts.waits > 1 else ''}"
    return [
        Term(name="effort", value=_EFFORT.get(facts.effort, 0.0), because=f"{facts.effort} effort"),
        Term(name="risk", value=_RISK.get(facts.risk, 0.0), because=f"{facts.risk} risk"),
        Term(name="type", value=_TYPE.get(facts.type, 0.0), because=f"a {facts.type}"),
        Term(name="words", value=_DIRE_TERM if dire else 0.0, because=f"it says `{dire[0].lower() if dire else ''}`"),
        Term(name="blocks", value=_BLOCKS * blocks, because=f"{facts.blocks} come after it"),
        Term(name="waits", value=_WAITS if facts.waits else 0.0, because=waits),
        Term(name="goals", value=goal, because=f"the goals speak of {', '.join(words)}"),
        Term(name="age", value=round(_AGE_MOST * age / _YEAR, 1), because=f"{facts.age_days} days old"),
    ]


def _goal(facts: Facts) -> tuple[float, list[str]]:
    if not facts.goals:
        return 0.0, []
    goals = set(stems(facts.goals.casefold()))
    common = sorted({stem for stem in stems(facts.text.casefold()) if len(stem) > 3 and stem in goals})
    return round(_GOAL_MOST * min(len(common), _GOAL_WORDS) / _GOAL_WORDS, 1), common[:_GOAL_WORDS]


def told(urgency: Urgency) -> str:
    """Return the judgement in one line, with every term."""
    sums = ", ".join(f"{term.because} {term.value:+g}" for term in urgency.terms) or "nothing speaks for or against it"
    place = f"; number {urgency.rank} of {urgency.compared + 1} by score" if urgency.compared else ""
    held = f"; P{urgency.held_back} by its score, but others come first" if urgency.held_back is not None else ""
    return f"P{urgency.priority} by rule, score {urgency.score:g}: {sums}{place}{held}"


def as_facts(urgency: Urgency) -> list[list[Any]]:
    """Return label and value for a screen."""
    rows: list[list[Any]] = [["priority", f"P{urgency.priority}"], ["score", f"{urgency.score:g}"]]
    if urgency.compared:
        rows.append(["place", f"{urgency.rank} of {urgency.compared + 1}"])
    return [*rows, *([term.name, f"{term.value:+g}  {term.because}"] for term in urgency.terms)]


def score_of(output: Mapping[str, Any]) -> float | None:
    """The score that an earlier judgement has stored."""
    score = output.get("score")
    return float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else None
