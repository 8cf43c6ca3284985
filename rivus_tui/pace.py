"""When the screen may be read again: calm for eyes and processor, quick for a person who works. Pure."""

from __future__ import annotations

from typing import Final

from engine.contracts.values import dataclass

BUSY_S: Final = 0.25
"""At most four refreshes a second while a person works here."""
IDLE_S: Final = 1.0
"""At most one a second when nobody has pressed a key for a while, or the terminal is not in focus."""
IDLE_AFTER_S: Final = 60.0
_COST_FACTOR: Final = 10.0
"""A refresh that took t seconds is followed by a rest of 10·t: a slow disk never eats the keys."""
_LONGEST_REST_S: Final = 2.0
"""Nobody looks longer at what is over, such as an engine that has ended, however slow the machine is."""


@dataclass(kw_only=True, slots=True)
class Pace:
    """What the next refresh depends on; all times are monotonic seconds."""

    refreshed_at: float = float("-inf")
    cost_s: float = 0.0
    """How long the last refresh took."""
    key_at: float = 0.0
    """When the last key was pressed."""
    focused: bool = True
    """Whether the terminal has the focus, as far as it says."""

    def wait_s(self, now: float) -> float:
        """Return how many seconds to wait before the next refresh; 0: at once."""
        idle = not self.focused or now - self.key_at > IDLE_AFTER_S
        rest = max(IDLE_S if idle else BUSY_S, min(self.cost_s * _COST_FACTOR, _LONGEST_REST_S))
        return max(self.refreshed_at + rest - now, 0.0)
