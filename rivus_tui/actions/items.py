"""What can be done in a list of items."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.decisions import (
    ACCEPT,
    AGAIN_FROM,
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
from rivus_tui.actions.lists import (
    COPY_AS,
    EXPORT,
    FILTER,
    MARK,
    MARK_ALL,
    OPEN,
    REVERSE,
    SAVE_VIEW,
    SCOPE,
    SORT,
    WHY,
)

ACTIONS: Final = (
    OPEN, ACCEPT, RETRY, AGAIN_FROM, CANCEL, LATER_AT, RAISE_PRIORITY, LOWER_PRIORITY, START, EDIT, RESCOPE, WHY,
    SOURCE, FILTER, SCOPE, SORT, REVERSE,
    SAVE_VIEW, EXPORT, COPY_AS, MARK, MARK_ALL,
)  # fmt: skip
FOOTER: Final = ("open", "filter", "mark", "retry", "cancel", "why", "scope", "accept", "source")
