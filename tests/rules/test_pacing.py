"""A pace gives what it says, whatever the clock does."""

from __future__ import annotations

from hypothesis import given, strategies

from engine.contracts.rate import Rate
from engine.rules.pacing import available, granted, interval_ms, next_at

NOW = 1_800_000_000_000
rates = strategies.builds(
    Rate,
    count=strategies.integers(1, 1_000).map(float),
    per_s=strategies.sampled_from([1.0, 60.0, 3_600.0, 86_400.0]),
    burst=strategies.integers(1, 50),
)


def test_a_fresh_bucket_gives_its_burst_and_no_more() -> None:
    rate = Rate(count=60, per_s=3_600, burst=5)

    assert available(0.0, NOW, rate) == 5
    assert available(granted(0.0, NOW, rate, 5), NOW, rate) == 0
    assert available(granted(0.0, NOW, rate, 2), NOW, rate) == 3


def test_one_an_hour_gives_the_next_one_an_hour_later() -> None:
    rate = Rate(count=1, per_s=3_600)
    tat = granted(0.0, NOW, rate, 1)

    assert next_at(tat, NOW, rate) == NOW + 3_600_000
    assert available(tat, NOW + 3_599_999, rate) == 0
    assert available(tat, NOW + 3_600_000, rate) == 1


def test_a_clock_set_back_holds_nothing_longer_than_a_full_burst() -> None:
    rate = Rate(count=10, per_s=1, burst=3)
    tat = granted(0.0, NOW + 10 * 365 * 86_400_000, rate, 3)

    assert next_at(tat, NOW, rate) <= NOW + 3 * interval_ms(rate)


@given(rate=rates, waits=strategies.lists(strategies.integers(0, 100_000), max_size=60))
def test_no_window_gets_more_than_its_burst_and_its_rate(rate: Rate, waits: list[int]) -> None:
    tat, now, grants = 0.0, NOW, []
    for wait in waits:
        now += wait
        n = available(tat, now, rate)
        tat = granted(tat, now, rate, n)
        grants += [now] * n

    for first, start in enumerate(grants):
        for last in range(first, len(grants)):
            window = grants[last] - start
            assert last - first + 1 <= rate.burst + window / interval_ms(rate) + 1e-6


@given(rate=rates, used=strategies.integers(0, 60), wait=strategies.integers(0, 1_000_000))
def test_the_next_time_it_names_is_the_first_at_which_it_gives(rate: Rate, used: int, wait: int) -> None:
    tat = granted(0.0, NOW, rate, min(used, rate.burst))
    now = NOW + wait
    at = next_at(tat, now, rate)

    assert available(tat, at, rate) >= 1
    assert at == now or available(tat, at - 1, rate) == 0
