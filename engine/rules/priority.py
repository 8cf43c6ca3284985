"""The priority policy of a job: from the fields of an item to P0 to P3, or to none, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.item import Priority
from engine.contracts.steering import PriorityRule
from engine.contracts.values import dataclass
from engine.rules.conditions import first_unmet, is_said, wanted


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy says of an item."""

    priority: Priority | None
    """None: no rule fits, which is not the same as P3."""
    why: str


def judge(policy: Sequence[PriorityRule], found: Mapping[str, Any]) -> Judged:
    """Apply the first rule that fits. A rule that asks for a missing field does not fit; no value stands in for it."""
    unmet: dict[str, None] = {}
    for rule in policy:
        condition = first_unmet(rule.when, found)
        if condition is None:
            reasons = ", ".join(f"{is_said(one, found)} ({wanted(one)})" for one in rule.when) or "it fits every item"
            return Judged(rule.priority, f"P{rule.priority} by rule {rule.name}: {reasons}")
        unmet[f"{is_said(condition, found)}, P{rule.priority} wants {wanted(condition)}"] = None
    return Judged(None, "no rule fits: " + "; ".join(unmet))
