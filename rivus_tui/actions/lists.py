"""What screens with a list have."""

from __future__ import annotations

from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action

OPEN: Final = Action(
    id="open", keys=("enter",), label="Open", help="Open what is under the cursor", why_not=possible.rows,
)  # fmt: skip
WHY: Final = Action(
    id="why", keys=("w",), label="Why", help="Why it does not run, and what would change that",
)  # fmt: skip
FILTER: Final = Action(id="filter", keys=("slash",), label="Filter", help="Show only what matches")
SCOPE: Final = Action(id="scope", keys=("comma",), label="Scope", help="External, Internal or All jobs")
MARK: Final = Action(
    id="mark", keys=("space",), label="Mark", why_not=possible.rows,
    help="Mark or unmark the row and go down; actions are then about all marked",
)  # fmt: skip
MARK_ALL: Final = Action(
    id="mark_all", keys=("V",), label="Mark all", why_not=possible.rows,
    help="Mark every row of the list, however many; what is done then asks first",
)  # fmt: skip
CONFIG: Final = Action(
    id="config", keys=("e",), label="Edit", meaning="edit",
    help="Open jobs.yaml at its place in $VISUAL or $EDITOR; what is saved there holds at once",
)  # fmt: skip
PREVIOUS_PART: Final = Action(
    id="previous_part", keys=("left_square_bracket", "h", "left"), label="Part before",
    help="Show the part or the bucket before; in a difference, the change before",
)  # fmt: skip
NEXT_PART: Final = Action(
    id="next_part", keys=("right_square_bracket", "l", "right"), label="Part",
    help="Show the next part or bucket; in a difference, the next change",
)  # fmt: skip
SORT: Final = Action(id="sort", keys=("s",), label="Sort", help="Pick the order of the list")
REVERSE: Final = Action(
    id="reverse", keys=("S",), label="Reverse", meaning="reverse order", help="Turn the order of the list round",
)  # fmt: skip
SAVE_VIEW: Final = Action(
    id="save_view", keys=("W",), label="Save view", meaning="save this view",
    help="Keep filter, scope and order under a name; ctrl+p finds it",
)  # fmt: skip
EXPORT: Final = Action(
    id="export", keys=("E",), label="Export", meaning="export this view", why_not=possible.rows,
    help="Write exactly this list to a file: CSV, JSON lines or Markdown",
    cli="rivus items list --filter FILTER --json",
)  # fmt: skip
COPY_AS: Final = Action(
    id="copy_as", keys=("Y",), label="Copy as…", meaning="copy as", why_not=possible.copy,
    help="Copy the row as JSON, as Markdown, or as the command line that shows it",
)  # fmt: skip
