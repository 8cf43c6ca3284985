from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.units import SECONDS, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("10m", 600),
        ("1h", 3600),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1.5h", 5400),
        ("0s", 0),
    ],
)
def test_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "10 m", "10M", "10min", "-1s", "+1s", "1h30m", "1.h", ".5h", "1e3s", "١s", "1s\n"]
)
def test_other_spellings_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="needs a duration, such as `500ms`"):
        parse_duration(text)


def test_bare_number_is_told_to_take_a_unit() -> None:
    with pytest.raises(ValueError, match="needs a unit, such as"):
        parse_duration("30")


def test_durations_beyond_ten_years_are_refused() -> None:
    with pytest.raises(ValueError, match="ten years"):
        parse_duration("999999w")


@given(st.integers(min_value=0, max_value=500), st.sampled_from(sorted(SECONDS)))
def test_whole_numbers_scale_with_their_unit(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * SECONDS[unit]
