"""Every goal holds in its fast lane; `make faults` measures the deep one."""

from __future__ import annotations

import pytest

from tests.faults.__main__ import all_goals, line, measured
from tests.faults.goal import Goal, Lane


@pytest.mark.parametrize("goal", all_goals(), ids=lambda goal: goal.code)
def test_goal_holds(goal: Goal) -> None:
    reading = measured(goal, Lane(deep=False))
    assert reading.ok or reading.skipped, "\n".join((line(goal, reading, 0.0), *reading.notes))


def test_each_goal_has_a_code_of_its_own() -> None:
    codes = [goal.code for goal in all_goals()]
    assert len(codes) == len(set(codes))
