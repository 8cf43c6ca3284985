"""What can be done with jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action
from rivus_tui.actions.lists import (
    CONFIG,
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
PAUSE_UNTIL: Final = Action(
    id="pause_until", keys=("P",), label="Pause…", meaning="pause, with more to say", level=1, command="pause",
    help="Pause the job or one of its stages, with a reason and until a time; lets a paused stage go on",
    cli="rivus jobs pause JOB --stage STAGE --until 2h --why WHY", why_not=possible.pause_until,
)  # fmt: skip

EARLIER: Final = replace(PREVIOUS_PART, label="Earlier", help="The jobs as they stood an hour before")
LATER_HOUR: Final = replace(NEXT_PART, label="Later", help="The jobs as they stood an hour after, and at last now")

ACTIONS: Final = (
    OPEN, PAUSE, PAUSE_UNTIL, RUN, CONFIG, EARLIER, LATER_HOUR, FILTER, SCOPE, WHY, SORT, REVERSE, SAVE_VIEW, EXPORT,
    COPY_AS,
)  # fmt: skip
FOOTER: Final = ("open", "pause", "run", "filter", "why", "undo", "config", "scope", "copy")
