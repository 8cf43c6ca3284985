from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.dag import CycleError, order


def test_free_names_keep_the_order_written() -> None:
    assert order({"c": (), "a": (), "b": ()}) == ["c", "a", "b"]


def test_name_stands_behind_what_it_needs() -> None:
    assert order({"a": ("b",), "b": (), "c": ("a", "b")}) == ["b", "a", "c"]


def test_unknown_needs_are_ignored() -> None:
    assert order({"a": ("nowhere",)}) == ["a"]


def test_nothing_is_in_order() -> None:
    assert order({}) == []


@pytest.mark.parametrize(
    ("after", "cycle"),
    [
        ({"a": ("a",)}, {"a"}),
        ({"a": ("b",), "b": ("a",)}, {"a", "b"}),
        ({"start": (), "a": ("c",), "b": ("a",), "c": ("b", "start"), "end": ("c",)}, {"a", "b", "c"}),
        ({"end": ("a",), "a": ("b",), "b": ("a",)}, {"a", "b"}),
    ],
)
def test_cycle_is_named_without_what_only_leads_to_it(after: dict[str, tuple[str, ...]], cycle: set[str]) -> None:
    with pytest.raises(CycleError) as caught:
        order(after)
    assert set(caught.value.cycle) == cycle
    names = caught.value.cycle
    for name, needed in zip(names, (*names[1:], names[0]), strict=True):
        assert needed in after[name]


def test_cycle_reads_as_a_circle() -> None:
    with pytest.raises(CycleError, match=r"^a → b → a$"):
        order({"a": ("b",), "b": ("a",)})


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh"), max_size=3)))
def test_order_is_whole_and_right_or_there_is_a_cycle(after: dict[str, list[str]]) -> None:
    cycle: tuple[str, ...] = ()
    ordered: list[str] = []
    try:
        ordered = order(after)
    except CycleError as error:
        cycle = error.cycle
    if cycle:
        assert all(needed in after[name] for name, needed in zip(cycle, (*cycle[1:], cycle[0]), strict=True))
        return
    assert sorted(ordered) == sorted(after)
    for name, needs in after.items():
        assert all(ordered.index(needed) < ordered.index(name) for needed in needs if needed in after)
