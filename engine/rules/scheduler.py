"""Between queues: how much of a shared limit each of them gets, as a weight that explains itself.

A weight is a product of parts, each with its reason. Queues that share a limit take turns in proportion to weights
(`turn_after`), so none of them starves, whatever the weights are: they lie between bounds.
"""

from __future__ import annotations

from typing import Final

from engine.contracts.values import dataclass
from engine.rules.words import items, span

_MINUTE_MS: Final = 60_000
BACKLOG_AT: Final = 100
"""So many waiting items weigh half as much again."""
STARVING_MS: Final = 15 * _MINUTE_MS
"""A queue whose first row has been due for so long counts as starving."""
_PRIORITIES: Final = {0: 4.0, 1: 2.0, 2: 1.25}
LOWEST: Final = 0.25
HIGHEST: Final = 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One queue as it stands."""

    ready: int
    """Rows that wait for their turn."""
    due_at: int | None
    """Rank of the first row, ms UTC; None: nothing waits."""
    priority: int | None
    """That of the first row's item."""
    answered: bool = False
    """Whether a person has answered what the first row had asked."""
    quota_left: float | None = None
    """Share of its model's quota that is left; None: it needs none, or it has no end."""
    quota_resets_at: int | None = None
    advised: tuple[float, str] | None = None
    """A factor that a model has advised, and why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One reason for a weight."""

    factor: float
    why: str


@dataclass(frozen=True, slots=True)
class Weight:
    """How much of a shared limit a queue gets, against 1 for a queue with nothing special."""

    value: float
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        reasons = ", ".join(f"×{part.factor:g} {part.why}" for part in self.parts)
        return f"weight {self.value:.2g}" + (f": {reasons}" if reasons else "")


def weigh(queue: Waiting, now: int) -> Weight:
    """The weight of one queue at this moment."""
    parts: list[Part] = []
    if queue.answered:
        parts.append(Part(8.0, "a person has answered and waits"))
    if (factor := _PRIORITIES.get(-1 if queue.priority is None else queue.priority)) is not None:
        parts.append(Part(factor, f"its first item is P{queue.priority}"))
    if queue.ready >= BACKLOG_AT // 10:
        factor = round(min(2.0, 1.0 + queue.ready / (2 * BACKLOG_AT)), 2)
        parts.append(Part(factor, f"{items(queue.ready)} {'wait' if queue.ready != 1 else 'waits'}"))
    if queue.due_at is not None and now - queue.due_at > STARVING_MS:
        late = now - queue.due_at
        factor = round(min(4.0, 1.0 + late / (4 * STARVING_MS)), 2)
        parts.append(Part(factor, f"its first item is {span(late / 1000)} over its time"))
    if queue.quota_left is not None and queue.quota_resets_at is not None:
        parts += _quota(queue.quota_left, queue.quota_resets_at - now)
    if queue.advised is not None:
        parts.append(Part(queue.advised[0], f"a model advised: {queue.advised[1]}"))
    value = 1.0
    for part in parts:
        value *= part.factor
    return Weight(min(HIGHEST, max(LOWEST, value)), tuple(parts))


def _quota(left: float, resets_in_ms: int) -> list[Part]:
    """Quota that is about to expire unused draws work to it; quota that is nearly gone is spared."""
    if left <= 0.1:
        return [Part(0.5, f"{left:.0%} of its quota is left")]
    if 0 < resets_in_ms < 60 * _MINUTE_MS and left > 0.25:
        return [Part(2.0, f"{left:.0%} of its quota expires in {span(resets_in_ms / 1000)}")]
    return []


def turn_after(passed: float, n: int, weight: float) -> float:
    """Where a queue stands after `n` more turns (stride scheduling): whoever stands lowest has the next turn."""
    return passed + n / weight
