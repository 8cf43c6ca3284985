from __future__ import annotations

from typing import Any

import pytest

from engine.contracts.item import Candidate
from engine.rules.candidates import flaw


def test_whole_candidate_has_no_flaw() -> None:
    assert flaw(Candidate(key="a")) is None
    assert (
        flaw(
            Candidate(
                key="a",
                title="\ud800",
                data={"x": [1]},
                revision="1",
                closed="done",
                why="w",
                priority=0,
                path="a",
                line=1,
                headings=("h",),
                parent_key="p",
                confidence="low",
            )
        )
        is None
    )


@pytest.mark.parametrize("value", [None, "a", {"key": "a"}, 5])
def test_other_things_are_no_candidates(value: object) -> None:
    assert flaw(value) == f"{type(value).__name__} instead of a Candidate"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", ""),
        ("key", " \n"),
        ("key", None),
        ("key", 5),
        ("title", None),
        ("title", 5),
        ("why", None),
        ("revision", 5),
        ("revision", "\ud800"),
        ("path", b"a"),
        ("path", "a\udcff"),
        ("parent_key", 5),
        ("line", "3"),
        ("line", -1),
        ("line", True),
        ("line", 2**40),
        ("line", 1.5),
        ("priority", 4),
        ("priority", "1"),
        ("priority", True),
        ("closed", "yes"),
        ("confidence", "sure"),
        ("confidence", ["low"]),
        ("headings", "abc"),
        ("headings", (1,)),
        ("data", None),
        ("data", {"x": float("nan")}),
        ("data", {"x": object()}),
        ("data", {("a",): 1}),
    ],
)
def test_field_that_cannot_be_stored_is_named(field: str, value: Any) -> None:
    found = flaw(Candidate(**{"key": "a", field: value}))
    assert found is not None
    assert field in found or f"`{field}`" in found
