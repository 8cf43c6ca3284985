from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.states import ITEM_STATES, STAGE_STATES, StageState
from engine.rules.states import (
    KEPT_ITEM_STATES,
    OPEN,
    SATISFIED,
    TRANSITIONS,
    item_state,
    start_state,
    start_states,
)

some_states = st.lists(st.sampled_from(STAGE_STATES), max_size=6)


def test_every_state_is_entered_and_left() -> None:
    entered = {target for one in TRANSITIONS.values() for target in one.targets}
    left = {source for one in TRANSITIONS.values() for source in one.sources}
    assert entered == left == set(STAGE_STATES)


def test_every_state_is_reached_from_blocked_without_a_person() -> None:
    by_hand = {"open_gate", "retry", "undo", "reset", "close", "reopen", "put_off"}
    reached: set[StageState] = {"blocked"}
    while True:
        further = reached | {
            target
            for name, one in TRANSITIONS.items()
            if name not in by_hand and one.sources & reached
            for target in one.targets
        }
        if further == reached:
            break
        reached = further
    assert reached == set(STAGE_STATES)


def test_only_a_claim_starts_to_run() -> None:
    assert [name for name, one in TRANSITIONS.items() if "running" in one.targets] == ["claim"]


def test_a_state_is_open_or_satisfied_or_failed() -> None:
    assert OPEN | SATISFIED | {"failed"} == set(STAGE_STATES)
    assert not OPEN & SATISFIED


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (["done", "failed", "waiting", "running"], "failed"),
        (["done", "waiting", "running"], "waiting"),
        (["done", "blocked"], "pending"),
        (["later"], "pending"),
        (["running"], "pending"),
        (["ready"], "pending"),
        (["done", "skipped"], "done"),
        (["skipped", "skipped"], "skipped"),
        ([], "done"),
    ],
)
def test_item_state_is_that_of_its_gravest_stage(stages: list[StageState], expected: str) -> None:
    assert item_state(stages) == expected


def test_item_that_the_world_finished_is_done_though_nothing_of_it_ran() -> None:
    assert item_state(["skipped"], "done") == "done"
    assert item_state(["skipped"], "cancelled") == "skipped"


@given(some_states)
def test_item_state_does_not_depend_on_the_order_of_stages(stages: list[StageState]) -> None:
    assert item_state(stages) == item_state(stages[::-1])


@given(some_states)
def test_derived_state_is_never_one_that_only_a_person_or_the_world_gives(stages: list[StageState]) -> None:
    derived = item_state(stages)
    assert derived in ITEM_STATES
    assert derived not in KEPT_ITEM_STATES


@given(some_states)
def test_item_with_something_open_is_never_settled(stages: list[StageState]) -> None:
    if any(state in OPEN for state in stages):
        assert item_state(stages) in ("pending", "waiting", "failed")


@pytest.mark.parametrize(
    ("before", "enabled", "gated", "expected"),
    [
        ([], True, False, "ready"),
        (["done", "skipped"], True, False, "ready"),
        (["done"], True, True, "waiting"),
        (["done", "ready"], True, True, "blocked"),
        (["failed"], True, False, "blocked"),
        (["running"], False, True, "blocked"),
        (["done"], False, True, "skipped"),
    ],
)
def test_stage_starts_when_all_before_it_is_satisfied(
    before: list[StageState], enabled: bool, gated: bool, expected: str
) -> None:
    assert start_state(before, enabled=enabled, gated=gated) == expected


def test_disabled_stage_lets_the_next_one_start() -> None:
    states = start_states(
        ["a", "b", "c"], {"a": (), "b": ("a",), "c": ("b",)}, settled={"a": "done"}, disabled={"b"}, gated=()
    )
    assert states == {"a": "done", "b": "skipped", "c": "ready"}


def test_what_comes_after_a_disabled_stage_waits_for_what_stands_before_it() -> None:
    states = start_states(["a", "b", "c"], {"a": (), "b": ("a",), "c": ("b",)}, settled={}, disabled={"b"}, gated=())
    assert states == {"a": "ready", "b": "blocked", "c": "blocked"}


def test_gate_holds_what_comes_after_it() -> None:
    states = start_states(["a", "b"], {"a": (), "b": ("a",)}, settled={}, disabled=(), gated={"a"})
    assert states == {"a": "waiting", "b": "blocked"}
