from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kit.compact_json import encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_value_is_encoded_as_the_standard_library_does(value: Any) -> None:
    assert encode(value) == json.dumps(value, allow_nan=False, separators=(",", ":"))


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, {1, 2}, object(), {(1, 2): 3}, _circle()])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError, RecursionError)):
        encode(value)
