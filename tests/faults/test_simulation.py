"""The simulated world: seeds that found a bug stay here, and a seed tells its history again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.simulation.run import quietly, replay, simulate
from tests.faults.simulation.scene import SCENES, Case

FOUND = {
    3: "what ended while its job was taken out of the configuration went no further when it came back",
    4: "a snoozed row of a stage behind a disabled one started before what stands before that one",
    22: "an attempt that was tried again started before a stage that a reload had put before it",
}
"""Seed → the bug that it found, at a few hundred executions."""


@pytest.mark.parametrize("seed", FOUND)
def test_seed_that_found_a_bug_finds_none(seed: int) -> None:
    assert simulate(seed, 250).problems == [], replay(seed, 250)


def test_seed_tells_the_same_history_again() -> None:
    assert simulate(11, 60).digest == simulate(11, 60).digest


@pytest.mark.parametrize("at", range(10, 130, 12))
def test_commit_that_is_told_as_failed_leaves_nothing_asleep(at: int, tmp_path: Path) -> None:
    scene = next(one for one in SCENES if one.name == "tried again")
    with quietly():
        assert Case(scene, "unknown commit", at, tmp_path / "state").play() == []
