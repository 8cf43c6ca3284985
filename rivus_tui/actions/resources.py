"""What can be done with what limits work."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.lists import (
    COPY_AS,
    EXPORT,
    FILTER,
    OPEN,
    SAVE_VIEW,
    SCOPE,
    WHY,
)

ACTIONS: Final = (OPEN, WHY, FILTER, SCOPE, SAVE_VIEW, EXPORT, COPY_AS)
FOOTER: Final = ("open", "why", "filter", "scope", "copy")
