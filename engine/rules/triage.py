"""What a job's rules propose for an item that waits to be accepted, with the reason. A person decides, or `auto`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.steering import Deed, TriageRule
from engine.contracts.values import dataclass
from engine.rules.conditions import first_unmet, is_said, wanted


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the first rule that fits says."""

    do: Deed
    why: str
    for_s: float
    """For how long it is put off, with `snooze`."""
    auto: bool
    """Whether it may be done without a person."""


def propose(rules: Sequence[TriageRule], found: Mapping[str, Any]) -> Proposal | None:
    """Apply the first rule that fits; None: no rule does. A rule that asks for a missing field does not fit.

    A priority that the item has already is no proposal: the next rules are looked at. What may be prose
    (`confidence` low) is never accepted without a person.
    """
    for rule in rules:
        if first_unmet(rule.when, found) is not None or rule.do == f"P{found.get('priority')}":
            continue
        reasons = ", ".join(f"{is_said(one, found)} ({wanted(one)})" for one in rule.when) or "it fits every item"
        unsure = rule.do == "accept" and found.get("confidence") == "low"
        return Proposal(rule.do, f"rule {rule.name}: {reasons}", rule.for_s, rule.auto and not unsure)
    return None
