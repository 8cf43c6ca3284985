"""What can be done with stale results."""

from __future__ import annotations

from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action
from rivus_tui.actions.lists import FILTER, MARK, MARK_ALL, NEXT_PART, PREVIOUS_PART, SCOPE

BLESS: Final = Action(
    id="bless", keys=("a",), label="Bless", meaning="accept", level=1, command="bless",
    help="The change means nothing for these results: keep them", cli="rivus bless JOB STAGE",
    why_not=possible.change, on_marks=True,
)  # fmt: skip
RESET: Final = Action(
    id="reset", keys=("x",), label="Reset", meaning="refuse", level=2, command="reset",
    help="Make these results again, and what depends on them; asks, with the price", cli="rivus reset JOB STAGE",
    why_not=possible.change, on_marks=True,
)  # fmt: skip
REVOKE: Final = Action(
    id="revoke", keys=("X",), label="Revoke", meaning="revoke", level=1, command="revoke",
    help="Take back that two versions count as the same", cli="rivus stale revoke NUMBER",
    why_not=possible.change, on_marks=True,
)  # fmt: skip
JUDGE: Final = Action(
    id="judge", keys=("m",), label="Model", meaning="ask a model", level=2, command="judge",
    help="Ask a model, or another one, what this change means; asks, with the price",
    cli="rivus stale ask JOB STAGE", why_not=possible.change,
)  # fmt: skip

DIFF_STYLE: Final = Action(
    id="diff_style", keys=("d",), label="Diff style", meaning="style of the difference",
    help="Old and new code below each other, or side by side",
)  # fmt: skip
DIFF_SPACES: Final = Action(
    id="diff_spaces", keys=("i",), label="Spaces", meaning="ignore white space",
    help="Leave out lines that differ in white space only; inside of a prompt that may matter",
)  # fmt: skip
ACTIONS: Final = (
    BLESS, RESET, REVOKE, JUDGE, MARK, MARK_ALL, DIFF_STYLE, DIFF_SPACES, PREVIOUS_PART, NEXT_PART, FILTER, SCOPE,
)  # fmt: skip
FOOTER: Final = ("bless", "reset", "judge", "mark", "diff_style", "next_part", "revoke", "filter", "scope", "undo")
