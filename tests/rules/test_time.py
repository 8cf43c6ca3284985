from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.order import SLACK_MS, UNPRIORITISED_SLACK_MS, due_at
from engine.rules.retry import backoff_s

priorities = st.sampled_from([0, 1, 2, 3, None])


def test_of_rows_that_became_ready_together_the_more_urgent_goes_first() -> None:
    due = [due_at(1_000, priority) for priority in (0, 1, 2, 3, None)]
    assert due == sorted(set(due))
    assert due[0] == 1_000


@given(st.integers(0, 2**45), priorities, priorities)
def test_flood_of_urgent_rows_delays_another_by_its_slack_at_most(
    at: int, urgent: int | None, other: int | None
) -> None:
    longest = max(*SLACK_MS, UNPRIORITISED_SLACK_MS)
    assert due_at(at, other) <= due_at(at + longest, urgent)


@given(st.integers(0, 2**45), st.integers(1, 10**9), priorities)
def test_rows_of_one_priority_go_in_the_order_they_became_ready(at: int, later: int, priority: int | None) -> None:
    assert due_at(at, priority) < due_at(at + later, priority)


@given(
    st.integers(1, 10_000),
    st.floats(0.001, 1e6),
    st.floats(0.001, 1e6),
    st.floats(0, 1, exclude_max=True),
)
def test_backoff_stays_within_its_bounds(attempt: int, first: float, most: float, chance: float) -> None:
    wait = backoff_s(attempt, first_s=first, max_s=most, chance=chance)
    assert min(first, most) / 2 <= wait <= most


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_backoff_doubles_until_its_cap(chance: float) -> None:
    waits = [backoff_s(attempt, first_s=10, max_s=100, chance=chance) for attempt in range(1, 7)]
    ratios = [later / sooner for sooner, later in itertools.pairwise(waits)]
    assert ratios == pytest.approx([2, 2, 2, 1.25, 1])
