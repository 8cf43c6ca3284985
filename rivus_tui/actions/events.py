"""What can be done with what happened."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.lists import FILTER, OPEN

ACTIONS: Final = (OPEN, FILTER)
FOOTER: Final = ("open", "filter", "freeze", "last", "copy")
