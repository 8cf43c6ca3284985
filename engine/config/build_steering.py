"""From valid keys to the values that say which work goes first, when it may start, and when it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from engine.contracts.steering import Condition, EligibilitySpec, Hours, PriorityRule, RecurSpec, TriageRule

if TYPE_CHECKING:
    from engine.config.steering import ConditionKeys, EligibilityKeys, RecurKeys, TriageKeys

_PRIORITIES: Final = ("P0", "P1", "P2", "P3")


def conditions(keys: dict[str, ConditionKeys]) -> tuple[Condition, ...]:
    """Conditions as values."""
    return tuple(
        Condition(
            field=name,
            one_of=None if one.one_of is None else tuple(one.one_of),
            at_least=one.at_least,
            above=one.above,
            at_most=one.at_most,
            below=one.below,
            within=tuple(one.within),
        )
        for name, one in keys.items()
    )


def policy(rules: list[dict[Literal["P0", "P1", "P2", "P3"], dict[str, ConditionKeys]]]) -> tuple[PriorityRule, ...]:
    """A priority policy as values."""
    return tuple(
        PriorityRule(name=str(number), priority=_PRIORITIES.index(name), when=conditions(when))  # type: ignore[arg-type]
        for number, rule in enumerate(rules, start=1)
        for name, when in rule.items()
    )


def triage(rules: list[TriageKeys]) -> tuple[TriageRule, ...]:
    """Rules of triage as values."""
    return tuple(
        TriageRule(name=str(number), do=rule.do, when=conditions(rule.when), for_s=rule.later or 0.0, auto=rule.auto)
        for number, rule in enumerate(rules, start=1)
    )


def eligibility(keys: EligibilityKeys | None) -> EligibilitySpec | None:
    """Eligibility as a value."""
    if keys is None:
        return None
    wanted = conditions(keys.data)
    if keys.auto_start is not None:
        wanted += (Condition(field="auto_start", one_of=(True,) if keys.auto_start else (False, None)),)
    hours = tuple(Hours(start=_minutes(text[:5]), end=_minutes(text[6:]) % 1440) for text in keys.hours)
    return EligibilitySpec(user_idle_s=keys.user_idle, hours=hours, fields=wanted, quota=tuple(keys.quota))


def recurrence(keys: RecurKeys | None) -> RecurSpec | None:
    """Recurrence as a value."""
    if keys is None or (keys.each is None and keys.after is None and keys.cron is None and keys.by is None):
        return None
    return RecurSpec(each=keys.each, after_s=keys.after, cron=keys.cron, by=keys.by)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
