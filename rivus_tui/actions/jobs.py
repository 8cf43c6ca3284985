"""What can be done with jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action
from rivus_tui.actions.lists import (
    COPY_AS,
    EXPORT,
    FILTER,
    NEXT_PART,
    OPEN,
    PREVIOUS_PART,
    REVERSE,
    SAVE_VIEW,
    SCOPE,
    SORT,
    WHY,
)

RUN: Final = Action(
    id="run", keys=("r",), label="Run now", meaning="again", level=1, command="run",
    help="Look for items now, or run the check now", cli="rivus run JOB", why_not=possible.run,
)  # fmt: skip
PAUSE: Final = Action(
    id="pause", keys=("p",), label="Pause", meaning="pause or resume", level=1, command="pause",
    help="Claim nothing of this job until it is resumed; again: resume", cli="rivus jobs pause JOB",
    why_not=possible.pause,
)  # fmt: skip

EARLIER: Final = replace(PREVIOUS_PART, label="Earlier", help="The jobs as they stood an hour before")
LATER_HOUR: Final = replace(NEXT_PART, label="Later", help="The jobs as they stood an hour after, and at last now")

ACTIONS: Final = (OPEN, PAUSE, RUN, EARLIER, LATER_HOUR, FILTER, SCOPE, WHY, SORT, REVERSE, SAVE_VIEW, EXPORT, COPY_AS)
FOOTER: Final = ("open", "pause", "run", "filter", "scope", "why", "undo", "copy")
