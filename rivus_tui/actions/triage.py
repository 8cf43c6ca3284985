"""What can be done with what waits for a person."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.decisions import (
    ACCEPT,
    ADD,
    BY_RULE,
    DROP,
    EDIT,
    LATER,
    LATER_AT,
    LOWER_PRIORITY,
    MERGE,
    RAISE_PRIORITY,
    RETRY,
    SOURCE,
)
from rivus_tui.actions.lists import (
    COPY_AS,
    EXPORT,
    FILTER,
    MARK,
    MARK_ALL,
    NEXT_PART,
    OPEN,
    PREVIOUS_PART,
    REVERSE,
    SAVE_VIEW,
    SCOPE,
    SORT,
    WHY,
)

ACTIONS: Final = (
    ACCEPT, DROP, LATER, LATER_AT, RETRY, RAISE_PRIORITY, LOWER_PRIORITY, EDIT, MERGE, BY_RULE, ADD,
    OPEN, WHY, SOURCE, NEXT_PART, PREVIOUS_PART,
    MARK, MARK_ALL, FILTER, SCOPE, SORT, REVERSE, SAVE_VIEW, EXPORT, COPY_AS,
)  # fmt: skip
FOOTER: Final = (
    "accept",
    "drop",
    "later",
    "raise_priority",
    "undo",
    "next_part",
    "retry",
    "mark",
    "filter",
    "sort",
    "source",
)
