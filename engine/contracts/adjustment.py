"""A limit that a person sets while the engine runs, in place of what jobs.yaml says."""

from __future__ import annotations

from typing import Literal

from engine.contracts.rate import Rate
from engine.contracts.values import dataclass

LimitKind = Literal["slots", "resource", "pace", "resource pace"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjustment:
    """One limit; it holds until it is dropped, whatever jobs.yaml says."""

    kind: LimitKind
    name: str
    """`job.stage` for slots; a resource; `job.stage` or `job` for a pace."""
    value: int | Rate
