"""What can be done with the one item that is open."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.decisions import (
    ACCEPT,
    AGAIN,
    AMEND,
    CANCEL,
    EDIT,
    LATER_AT,
    LOWER_PRIORITY,
    RAISE_PRIORITY,
    RESCOPE,
    RETRY,
    SOURCE,
    START,
)
from rivus_tui.actions.lists import COPY_AS, NEXT_PART, PREVIOUS_PART, WHY

ACTIONS: Final = (
    ACCEPT, RETRY, AGAIN, AMEND, CANCEL, LATER_AT, RAISE_PRIORITY, LOWER_PRIORITY, START, EDIT, RESCOPE, WHY, SOURCE,
    NEXT_PART, PREVIOUS_PART, COPY_AS,
)  # fmt: skip
FOOTER: Final = ("escape", "next_part", "accept", "retry", "cancel", "why", "source", "undo")
