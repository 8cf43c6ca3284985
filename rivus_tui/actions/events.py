"""What can be done with what happened."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.lists import (
    COPY_AS,
    EXPORT,
    FILTER,
    OPEN,
    SAVE_VIEW,
    SCOPE,
)

ACTIONS: Final = (OPEN, FILTER, SCOPE, SAVE_VIEW, EXPORT, COPY_AS)
FOOTER: Final = ("open", "filter", "scope", "freeze", "last", "copy")
