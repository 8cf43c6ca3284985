"""What a model may say about the weights between queues: when it is asked, within which bounds, for how much money.

The weights that rules compute stay; advice is one more factor, within bounds, for a day. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.scheduler import STARVING_MS, Weight
from engine.rules.words import span

LOWEST: Final = 0.5
HIGHEST: Final = 2.0
"""A model may halve or double a weight, no more: nothing starves by its word."""
HOLDS_MS: Final = 24 * 3_600_000
EVERY_MS: Final = 6 * 3_600_000
"""Unasked, it is asked once in so long."""
SHARE: Final = 0.05
"""So much of the day's budget may go into advice."""
COST_MAX: Final = 20_000
"""Most that one question may cost, in micro-dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue as it stands."""

    stage_id: int
    job: str
    stage: str
    ready: int
    late_ms: int
    """How long its first row is over its time."""
    weight: Weight
    done_in_a_day: int
    """Attempts that ended well in the last 24 hours."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A factor for the weight of one queue."""

    stage_id: int
    factor: float
    why: str


def imbalance(queues: Sequence[Queue]) -> str | None:
    """Why the weights do not do: one queue starves while another that waits less gets on; None: they do."""
    late = max(
        (queue for queue in queues if queue.late_ms > 4 * STARVING_MS), key=lambda one: one.late_ms, default=None
    )
    if late is None:
        return None
    others = (one for one in queues if one is not late and one.late_ms * 4 < late.late_ms)
    ahead = max(others, key=lambda one: one.done_in_a_day, default=None)
    if ahead is None or ahead.done_in_a_day <= late.done_in_a_day:
        return None
    return (
        f"{late.job} {late.stage} is {span(late.late_ms / 1000)} over its time, "
        f"{ahead.job} {ahead.stage} had {ahead.done_in_a_day:,} turns in a day against {late.done_in_a_day:,}"
    )


def may_spend(spent: int, daily: int | None) -> bool:
    """Whether one more question keeps to its share of the day's budget (micro-dollars); None: there is no budget, and
    each question has its own bound."""
    return daily is None or spent + COST_MAX <= daily * SHARE
