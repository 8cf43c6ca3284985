"""From facts to a verdict: the ranks, and what the neighbourhood says where one error alone cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from engine.contracts.verdict import Failure, Neighbourhood, Verdict
from engine.rules.verdicts.doors import DOORS
from engine.rules.verdicts.facts import Facts, Link, facts_of
from engine.rules.verdicts.inputs import INPUT_TYPES, INPUTS
from engine.rules.verdicts.language import EXITS, MISUSE, NAMES, PLAIN_MISUSE
from engine.rules.verdicts.machine import MACHINE
from engine.rules.verdicts.plain import PLAIN
from engine.rules.verdicts.rule import FIXES, Rule
from engine.rules.verdicts.sessions import SESSIONS
from engine.rules.verdicts.statuses import CALLS, STATUSES
from engine.rules.verdicts.stores import STORES

RANKS: Final[tuple[tuple[Rule, ...], ...]] = (
    SESSIONS,
    PLAIN,
    (*PLAIN_MISUSE, *DOORS, *STORES, *MACHINE, *INPUT_TYPES),
    STATUSES,
)
"""Ranks that hold for everything that was raised or printed."""
RULES: Final[tuple[Rule, ...]] = (*(rule for rank in RANKS for rule in rank), *MISUSE, *INPUTS, *CALLS, *NAMES, *EXITS)

BY_NEIGHBOURS: Final = frozenset(
    (
        "http-door",
        "http-gone",
        "rights",
        "host-unknown",
        "host-unknown-number",
        "refused-local",
        "certificate",
        "credential-type",
        "file-gone",
        "file-of-system-gone",
        "certificate-type",
    )
)
"""Rules whose evidence says that a door is shut, and not for whom."""
FEW: Final = 3
MANY: Final = 5


def decide(failure: Failure, own_rules: Sequence[Rule] = ()) -> Verdict:
    """Return the verdict of the rules; `unknown` when none applies. `own_rules` of the job come first."""
    return judge_facts(facts_of(failure), own_rules)


def judge_facts(facts: Facts, own_rules: Sequence[Rule] = ()) -> Verdict:
    """The same for a failure that was taken apart already."""
    said = (*facts.links, facts.around)
    after = next((link.retry_after_s for link in said if link.retry_after_s is not None), None)
    moment = next((link.retry_at for link in said if link.retry_at is not None), None)
    for rule, link in _applying(facts, own_rules):
        return Verdict(
            cls=rule.cls,
            confidence=rule.sure,
            by="rule",
            rule=rule.id,
            reason=_reason(rule, link, facts),
            fix=rule.fix or FIXES[rule.cls],
            retry_after_s=after,
            retry_at=moment,
        )
    return Verdict(cls="unknown", confidence="low", by="none", reason="no rule applies", fix=FIXES["unknown"])


def _applying(facts: Facts, own_rules: Sequence[Rule]) -> Iterator[tuple[Rule, Link]]:
    for rank in (tuple(own_rules), *RANKS, MISUSE, INPUTS, CALLS, NAMES, EXITS):
        # What stands beside an exception is weak evidence, unless it is what a command said that failed.
        beside = (facts.around,) if facts.outer.exits or rank not in (MISUSE, NAMES) else ()
        for link in (*facts.links, *beside):
            for rule in rank:
                if rule.matches(link, facts):
                    yield rule, link


def _reason(rule: Rule, link: Link, facts: Facts) -> str:
    told = rule.id.replace("-", " ")
    if link is facts.outer:
        return told
    return f"{told}, said by {link.kind}" if link.kind else f"{told}, said beside the error"


def weigh(verdict: Verdict, around: Neighbourhood) -> Verdict:
    """Let the neighbourhood decide between `item` and `systemic`, where the rule leaves that open."""
    if verdict.rule not in BY_NEIGHBOURS:
        return verdict
    if verdict.cls == "systemic" and around.same_items < FEW and around.passed >= MANY:
        return replace(
            verdict,
            cls="item",
            confidence="medium",
            neighbours=around,
            fix="",
            reason=f"{verdict.reason}; {around.passed} others passed",
        )
    if verdict.cls == "item" and around.same_items >= MANY and not around.passed:
        return replace(
            verdict,
            cls="systemic",
            confidence="medium",
            neighbours=around,
            fix=FIXES["systemic"],
            reason=f"{verdict.reason}; the same for {around.same_items} items, none passed",
        )
    return verdict
