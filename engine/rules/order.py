"""The order of the queue: one number a row, set when it becomes ready and never ranked again."""

from __future__ import annotations

from typing import Final

_MINUTE_MS: Final = 60_000

SLACK_MS: Final[tuple[int, ...]] = (0, 15 * _MINUTE_MS, 60 * _MINUTE_MS, 240 * _MINUTE_MS)
"""How much later than its ready time a row of P0 to P3 counts as due."""

UNPRIORITISED_SLACK_MS: Final = 480 * _MINUTE_MS
"""Items without a priority queue behind P3."""


def slack_ms(priority: int | None) -> int:
    """How much later than its ready time a row of this priority counts as due."""
    return UNPRIORITISED_SLACK_MS if priority is None else SLACK_MS[priority]


def due_at(ready_at: int, priority: int | None) -> int:
    """Due time in ms UTC: ready time plus the slack of the priority.

    A row overtakes a row of higher priority once it has been ready for the difference of their slacks longer, so a
    flood of P0 delays a P3 row by four hours at most: nothing starves.
    """
    return ready_at + slack_ms(priority)
