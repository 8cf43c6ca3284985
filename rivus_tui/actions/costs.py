"""What can be done with what was spent: it can be looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rivus_tui.actions.action import Action
from rivus_tui.actions.lists import CONFIG, COPY_AS, EXPORT, FILTER, NEXT_PART, OPEN, PREVIOUS_PART

CALLS: Final = replace(
    OPEN, label="Calls", cli="rivus costs --calls",
    help="Show the newest requests that the row is made of: what each cost and took, who asked, and how it ended",
)  # fmt: skip

ACTIONS: Final = (
    CALLS,
    NEXT_PART,
    PREVIOUS_PART,
    Action(
        id="period", keys=("full_stop",), label="Period", help="Look back over another time",
        cli="rivus costs --since 7d",
    ),
    CONFIG,
    FILTER,
    replace(EXPORT, cli="rivus costs --json"),
    COPY_AS,
)  # fmt: skip
FOOTER: Final = ("open", "next_part", "period", "filter", "config", "export", "copy")
