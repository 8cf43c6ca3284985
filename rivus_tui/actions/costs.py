"""What can be done with what was spent: it can be looked at."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.action import Action
from rivus_tui.actions.lists import CONFIG, NEXT_PART, PREVIOUS_PART

ACTIONS: Final = (
    Action(
        id="calls", keys=("enter",), label="Calls", meaning="open",
        help="Show the newest requests to models: what each cost and took, who asked, and how it ended",
        cli="rivus costs --calls",
    ),
    NEXT_PART,
    PREVIOUS_PART,
    Action(
        id="period", keys=("full_stop",), label="Period", help="Look back over another time",
        cli="rivus costs --since 7d",
    ),
    CONFIG,
)  # fmt: skip
FOOTER: Final = ("calls", "next_part", "period", "config", "freeze")
