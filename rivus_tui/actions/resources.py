"""What can be done with what limits work."""

from __future__ import annotations

from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action
from rivus_tui.actions.lists import (
    COPY_AS,
    EXPORT,
    FILTER,
    OPEN,
    SAVE_VIEW,
    SCOPE,
    WHY,
)

ADJUST: Final = Action(
    id="adjust", keys=("c",), label="Change…", meaning="change a limit", level=1, command="adjust",
    help="Set slots, capacity or pace in place of what jobs.yaml says", cli="rivus limits set KIND NAME VALUE",
    why_not=possible.change_row,
)  # fmt: skip
UNADJUST: Final = Action(
    id="unadjust", keys=("C",), label="As written", meaning="as jobs.yaml says", level=1, command="adjust",
    help="Drop what was set by hand: as jobs.yaml says", cli="rivus limits drop KIND NAME",
    why_not=possible.change_row,
)  # fmt: skip

ACTIONS: Final = (OPEN, ADJUST, UNADJUST, WHY, FILTER, SCOPE, SAVE_VIEW, EXPORT, COPY_AS)
FOOTER: Final = ("open", "adjust", "unadjust", "why", "filter", "scope", "undo", "copy")
