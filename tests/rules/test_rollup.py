"""Percentiles from buckets: right to a fifth, whatever the durations are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.rollup import bucket, edges, hour, hours_left, percentile


@given(st.integers(0, 10**9))
def test_a_duration_lies_between_the_edges_of_its_bucket(ms: int) -> None:
    low, high = edges(bucket(ms))
    assert low * 0.999999 <= ms < high * 1.000001


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_right_to_a_fifth(durations: list[int], share: float) -> None:
    found = percentile(Counter(map(bucket, durations)), share)
    ordered = sorted(durations)
    exact = ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
    assert found is not None
    assert exact / 1.2 <= found <= exact * 1.2


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None


def test_an_hour_begins_on_the_hour() -> None:
    assert hour(3_600_000 * 5 + 17) == 3_600_000 * 5


@pytest.mark.parametrize(
    ("open_now", "pace", "hours"),
    [({1: 10, 2: 100}, {1: 10.0, 2: 50.0}, 2.0), ({1: 0, 2: 5}, {2: 5.0}, 1.0), ({1: 1}, {}, None), ({}, {}, 0.0)],
)
def test_the_slowest_stage_decides_how_long_it_takes(
    open_now: dict[int, int], pace: dict[int, float], hours: float | None
) -> None:
    assert hours_left(open_now, pace) == hours
