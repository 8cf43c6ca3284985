"""What can be done about incidents."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action
from rivus_tui.actions.decisions import SOURCE
from rivus_tui.actions.lists import FILTER, NEXT_PART, OPEN, PREVIOUS_PART, REVERSE, SCOPE, SORT

APPLY: Final = Action(
    id="apply", keys=("a",), label="Apply", meaning="accept", level=1, command="apply",
    help="Do at once what the doctor would do; with nothing planned, replay what failed: three first, then the rest",
    cli="rivus doctor apply ID", why_not=possible.change,
)  # fmt: skip
DISMISS: Final = Action(
    id="dismiss", keys=("x",), label="Dismiss", meaning="refuse", level=1, command="dismiss",
    help="Veto what is planned; with nothing planned, put the incident aside", cli="rivus doctor dismiss ID",
    why_not=possible.change,
)  # fmt: skip
CLASSIFY: Final = Action(
    id="classify", keys=("t",), label="Classify", level=1, command="overrule",
    help="Say what it is; the doctor keeps to that", cli="rivus doctor overrule ID CLASS", why_not=possible.change,
)  # fmt: skip
PROBE: Final = Action(
    id="probe", keys=("r",), label="Probe now", meaning="again", level=1, command="probe",
    help="Let the paused job try one item now", cli="rivus doctor probe JOB", why_not=possible.change,
)  # fmt: skip
CLEAR: Final = Action(
    id="clear", keys=("R",), label="Clear", meaning="again, the whole job", level=1, command="clear-errors",
    help="Close the breakers of its job, let it go on, and replay what failed", cli="rivus doctor clear-errors JOB",
    why_not=possible.change,
)  # fmt: skip
SEND: Final = Action(
    id="send", keys=("T",), label="To TODO", meaning="to the TODO list", level=1, command="send",
    help="Send it to the TODO list", cli="rivus doctor send ID", why_not=possible.change,
)  # fmt: skip
FAILED_AT: Final = replace(
    SOURCE, help="Open the line of your code where it failed, in $VISUAL or $EDITOR", why_not=possible.rows
)

ACTIONS: Final = (
    APPLY, DISMISS, CLASSIFY, PROBE, CLEAR, SEND, FAILED_AT, OPEN, NEXT_PART, PREVIOUS_PART, FILTER, SCOPE,
    SORT, REVERSE,
)  # fmt: skip
FOOTER: Final = (
    "apply",
    "dismiss",
    "classify",
    "probe",
    "open",
    "clear",
    "source",
    "send",
    "next_part",
    "filter",
    "scope",
    "copy",
)
