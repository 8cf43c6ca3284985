"""Plants that are torn down even when a test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.plant import Plant


@pytest.fixture
def new_plant(tmp_path: Path) -> Iterator[Callable[..., Plant]]:
    """Make a plant; its engines end with the test."""
    plants: list[Plant] = []

    def make(**options: Any) -> Plant:
        plants.append(Plant(tmp_path, **options))
        return plants[-1]

    yield make
    for plant in plants:
        plant.close()
