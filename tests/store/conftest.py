from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.contracts.spec import JobSpec
from tests.factories import Ground


@pytest.fixture
def make_ground(tmp_path: Path) -> Iterator[Callable[..., Ground]]:
    """Makes state files with the given jobs, one folder each; the counts of each must be right at the end."""
    made: list[Ground] = []

    def make(*of: JobSpec) -> Ground:
        made.append(Ground(tmp_path / f"state{len(made)}", *of))
        return made[-1]

    yield make
    wrong = [one for one in made if one.counts_are_kept and one.counts() != one.recount()]
    for one in made:
        one.close()
    assert wrong == [], "a change of states was not counted (engine/store/counts.py)"


@pytest.fixture
def ground(make_ground: Callable[..., Ground]) -> Ground:
    """A state file with one job `docs` of one stage `work`."""
    return make_ground()
