"""From signals to a priority, and why: nothing is made up for a signal that is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.contracts.steering import Condition, PriorityRule
from engine.rules.conditions import fields, first_unmet, met
from engine.rules.priority import judge

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z

POLICY = (
    PriorityRule(
        name="1", priority=0, when=(Condition(field="source", one_of=("wire",)), Condition(field="age", below=7_200))
    ),
    PriorityRule(name="2", priority=1, when=(Condition(field="market_cap", at_least=10e9),)),
    PriorityRule(name="3", priority=3, when=(Condition(field="market_cap", below=1e9),)),
)


def found(**signals: Any) -> dict[str, Any]:
    return fields(data={}, signals=signals, known={"source": "calendar"}, now=NOW)


def test_the_first_rule_that_fits_decides_and_says_so() -> None:
    judged = judge(POLICY, found(source="wire", published_at="2025-12-31T23:00:00Z", market_cap=20e9))
    assert judged.priority == 0
    assert judged.why == "P0 by rule 1: source is wire (wire), age is 1h (less than 2h)"
    assert judge(POLICY, found(market_cap=20e9)).why == "P1 by rule 2: market_cap is 2e+10 (at least 1e+10)"


def test_a_missing_signal_is_neither_small_nor_large_nor_in_the_middle() -> None:
    judged = judge(POLICY, found())
    assert judged.priority is None
    assert judged.why == (
        "no rule fits: source is calendar, P0 wants wire; market_cap is missing, P1 wants at least 1e+10;"
        " market_cap is missing, P3 wants less than 1e+09"
    )
    assert judge(POLICY, found(market_cap=None)) == judge(POLICY, found())
    assert judge(POLICY, found(market_cap="unknown")).priority is None


def test_a_rule_without_conditions_takes_the_rest() -> None:
    rest = (*POLICY, PriorityRule(name="4", priority=2))
    assert judge(rest, found()).why == "P2 by rule 4: it fits every item"


@pytest.mark.parametrize(
    ("published", "age"),
    [
        ("2025-12-31", 86_400),
        ("2025-12-31T23:59:30+00:00", 30),
        (NOW - 5_000, 5),
        (NOW // 1000 - 7, 7),
        ("2030-01-01", 0),
        ("yesterday", None),
        (True, None),
        (None, None),
    ],
)
def test_freshness_is_measured_where_the_source_names_a_time(published: object, age: float | None) -> None:
    assert found(published_at=published).get("age") == age


def test_signals_say_more_than_data_and_data_more_than_columns() -> None:
    both = fields(data={"risk": "low", "source": "x"}, signals={"risk": "high"}, known={"source": "y"}, now=NOW)
    assert both == {"risk": "high", "source": "x"}


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (Condition(field="x", one_of=("low", None)), None, True),
        (Condition(field="x", one_of=("low", None)), "high", False),
        (Condition(field="x", one_of=(True,)), 1, False),
        (Condition(field="x", one_of=(1,)), True, False),
        (Condition(field="x", one_of=(1,)), 1.0, True),
        (Condition(field="x", above=1, at_most=2), 2, True),
        (Condition(field="x", above=1, at_most=2), 1, False),
        (Condition(field="x", at_least=0), True, False),
        (Condition(field="x", at_least=0), None, False),
        (Condition(field="x"), "any", True),
        (Condition(field="x"), None, False),
        (Condition(field="x", below=5), [1], False),
    ],
)
def test_conditions(condition: Condition, value: object, expected: bool) -> None:
    seen = {} if value is None else {"x": value}
    assert met(condition, seen) is expected
    assert (first_unmet((condition,), seen) is None) is expected


def test_a_time_without_a_zone_is_utc() -> None:
    at = datetime(2025, 12, 31, 23, 0, tzinfo=UTC)
    assert found(published_at=at.replace(tzinfo=None).isoformat())["age"] == 3_600
