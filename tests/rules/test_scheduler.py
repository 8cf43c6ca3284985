"""How queues share what is scarce: by weights that explain themselves, and so that none of them starves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.scheduler import HIGHEST, LOWEST, Waiting, turn_after, weigh

NOW = 1_767_225_600_000
MINUTE = 60_000


def weight(**more: Any) -> tuple[float, str]:
    told: dict[str, Any] = {"ready": 1, "due_at": NOW, "priority": None, **more}
    found = weigh(Waiting(**told), NOW)
    return found.value, str(found)


@pytest.mark.parametrize(
    ("queue", "text"),
    [
        ({}, "weight 1"),
        ({"priority": 0}, "weight 4: ×4 its first item is P0"),
        ({"priority": 3}, "weight 1"),
        ({"ready": 100}, "weight 1.5: ×1.5 100 items wait"),
        ({"answered": True, "priority": 1}, "weight 16: ×8 a person has answered and waits, ×2 its first item is P1"),
        ({"due_at": NOW - 30 * MINUTE}, "weight 1.5: ×1.5 its first item is 30m over its time"),
        ({"quota_left": 0.6, "quota_resets_at": NOW + 20 * MINUTE}, "weight 2: ×2 60% of its quota expires in 20m"),
        ({"quota_left": 0.05, "quota_resets_at": NOW + 90 * MINUTE}, "weight 0.5: ×0.5 5% of its quota is left"),
        ({"quota_left": 0.6, "quota_resets_at": NOW + 90 * MINUTE}, "weight 1"),
    ],
)
def test_a_weight_says_what_it_is_made_of(queue: dict[str, Any], text: str) -> None:
    assert weight(**queue)[1] == text


def test_a_person_who_waits_outweighs_a_large_urgent_backlog() -> None:
    assert weight(answered=True)[0] > weight(ready=100_000, priority=1)[0]


@given(
    st.builds(
        Waiting,
        ready=st.integers(0, 10**7),
        due_at=st.none() | st.integers(0, NOW * 2),
        priority=st.none() | st.integers(0, 3),
        answered=st.booleans(),
        quota_left=st.none() | st.floats(0, 1),
        quota_resets_at=st.none() | st.integers(0, NOW * 2),
    )
)
def test_no_queue_is_ever_without_weight_or_beyond_bounds(queue: Waiting) -> None:
    assert LOWEST <= weigh(queue, NOW).value <= HIGHEST


@given(st.lists(st.floats(LOWEST, HIGHEST), min_size=2, max_size=6))
def test_turns_follow_the_weights_and_everybody_gets_some(weights: list[float]) -> None:
    passed = [0.0] * len(weights)
    turns: Counter[int] = Counter()
    for _ in range(3_000):
        one = min(range(len(weights)), key=lambda n: (passed[n], n))
        turns[one] += 1
        passed[one] = turn_after(passed[one], 1, weights[one])
    for one, wanted in enumerate(weights):
        assert turns[one] == pytest.approx(3_000 * wanted / sum(weights), abs=len(weights) + 1)
