"""What can be done with what was spent: it can be looked at."""

from __future__ import annotations

from typing import Final

from rivus_tui.actions.lists import CONFIG, NEXT_PART, PREVIOUS_PART

ACTIONS: Final = (NEXT_PART, PREVIOUS_PART, CONFIG)
FOOTER: Final = ("next_part", "config", "freeze")
