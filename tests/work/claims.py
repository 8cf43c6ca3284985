"""A claim as the store gives it, for tests that need no store."""

from __future__ import annotations

from typing import Any

from engine.store.claims import Claim, ClaimedItem
from engine.store.plan import StagePlan
from tests.factories import stage


def claim(*, attempt: int = 1, **more: Any) -> Claim:
    """The first attempt of item `a` at a stage; `more` is what the stage's spec says."""
    spec = stage(**more)
    item = ClaimedItem(1, "a", "A", {}, None, None, (), None)
    return Claim(item, StagePlan(id=1, job_id=1, job="docs", spec=spec, before=(), ancestors=()), 1, attempt, {}, 0)
