"""What can be done with what waits for a person."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.decisions import ACCEPT, DROP, LATER, LATER_AT, LOWER_PRIORITY, RAISE_PRIORITY, SOURCE
from rivus_tui.actions.lists import FILTER, MARK, MARK_ALL, NEXT_PART, OPEN, PREVIOUS_PART, SCOPE, WHY

ACTIONS: Final = (
    ACCEPT, DROP, LATER, LATER_AT, RAISE_PRIORITY, LOWER_PRIORITY, OPEN, WHY, SOURCE, NEXT_PART, PREVIOUS_PART,
    MARK, MARK_ALL, FILTER, SCOPE,
)  # fmt: skip
FOOTER: Final = ("accept", "drop", "later", "raise_priority", "undo", "next_part", "source", "mark", "filter")
