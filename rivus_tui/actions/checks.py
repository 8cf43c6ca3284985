"""What can be done with checks."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.jobs import PAUSE, PAUSE_UNTIL, RUN
from rivus_tui.actions.lists import (
    CONFIG,
    COPY_AS,
    EXPORT,
    FILTER,
    OPEN,
    SAVE_VIEW,
    WHY,
)

ACTIONS: Final = (OPEN, RUN, PAUSE, PAUSE_UNTIL, CONFIG, WHY, FILTER, SAVE_VIEW, EXPORT, COPY_AS)
FOOTER: Final = ("open", "run", "pause", "why", "config", "filter", "undo", "copy")
