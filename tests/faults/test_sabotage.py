"""Every planted bug can still be planted: a text that was changed takes its sabotage along."""

from __future__ import annotations

import pytest

from tests.faults.goals.sabotage import ALL, ARGUED, FAST
from tests.faults.sabotage.plant import Sabotage, check


@pytest.mark.parametrize("sabotage", ALL, ids=lambda sabotage: sabotage.name)
def test_sabotage_can_be_planted(sabotage: Sabotage) -> None:
    check(sabotage)


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    names = [sabotage.name for sabotage in ALL]
    assert len(names) >= 60
    assert len(names) == len(set(names))
    assert {*FAST, *ARGUED} <= set(names)
