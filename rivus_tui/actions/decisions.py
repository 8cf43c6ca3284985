"""What a person can decide about items."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action

ACCEPT: Final = Action(
    id="accept", keys=("a",), label="Accept", level=1, command="accept",
    help="Open the gate that it waits at, or answer what it asks", cli="rivus items accept JOB KEY…",
    why_not=possible.accept, on_marks=True,
)  # fmt: skip
DROP: Final = Action(
    id="drop", keys=("x",), label="Won't do", meaning="refuse", level=1, command="drop",
    help="Won't do: skip what is left; only a person brings it back", cli="rivus items drop JOB KEY…",
    why_not=possible.change_item, on_marks=True,
)  # fmt: skip
CANCEL: Final = Action(
    id="cancel", keys=("x",), label="Cancel", meaning="refuse", level=2, command="cancel",
    help="Skip what is left; what runs is stopped", cli="rivus items cancel JOB KEY…",
    why_not=possible.cancel, on_marks=True,
)  # fmt: skip
LATER: Final = Action(
    id="later", keys=("n",), label="Later", level=1, command="snooze",
    help="Show it again tomorrow at 9", cli="rivus items snooze JOB KEY… --until 1d",
    why_not=possible.change_item, on_marks=True,
)  # fmt: skip
LATER_AT: Final = Action(
    id="later_at", keys=("N",), label="Later…", meaning="later, pick when", level=1, command="snooze",
    help="Put it off until a time you pick, with a reason", cli="rivus items snooze JOB KEY… --until 1w --why WHY",
    why_not=possible.change_item, on_marks=True,
)  # fmt: skip
RAISE_PRIORITY: Final = Action(
    id="raise_priority", keys=("plus", "equals_sign"), label="Prio", footer_key="+ -", meaning="more urgent",
    level=1, command="prioritise", help="One step more urgent: none, P3, P2, P1, P0",
    cli="rivus items prioritise JOB KEY… --priority 1", why_not=possible.change_item, on_marks=True,
)  # fmt: skip
LOWER_PRIORITY: Final = Action(
    id="lower_priority", keys=("minus",), label="Less urgent", meaning="less urgent", level=1,
    command="prioritise", help="One step less urgent", cli="rivus items prioritise JOB KEY… --priority 3",
    why_not=possible.change_item, on_marks=True,
)  # fmt: skip
RETRY: Final = Action(
    id="retry", keys=("r",), label="Retry", meaning="again", level=1, command="retry",
    help="Try the failed stages again, with fresh attempts", cli="rivus items retry JOB KEY…",
    why_not=possible.retry, on_marks=True,
)  # fmt: skip
AGAIN: Final = Action(
    id="again", keys=("B",), label="From here", meaning="again, from a stage", level=2, command="reset",
    help="Run it again from the stage that is chosen, and what stands after it; shows what that resets",
    cli="rivus items again JOB KEY…", why_not=possible.change_item,
)  # fmt: skip
AGAIN_FROM: Final = replace(
    AGAIN, label="Again…", on_marks=True, cli="rivus items again JOB KEY… --from STAGE",
    help="Run them again from a stage that you pick, and what stands after it; asks, with cost and time",
)  # fmt: skip
SOURCE: Final = Action(
    id="source", keys=("o",), label="Source", meaning="open source",
    help="Open its file at its line in $VISUAL or $EDITOR", why_not=possible.source,
)  # fmt: skip
EDIT: Final = Action(
    id="edit", keys=("e",), label="Edit", level=1, command="edit",
    help="Call it otherwise; what its source says stays with it", cli="rivus items edit JOB KEY… --title TITLE",
    why_not=possible.change_item,
)  # fmt: skip
AMEND: Final = Action(
    id="amend", keys=("D",), label="Data…", meaning="change its data", level=1, command="amend",
    help="Set a field of its data, such as before a retry; it stays whatever its source says",
    cli="rivus items data JOB KEY… --set FIELD=VALUE", why_not=possible.change_item,
)  # fmt: skip
MERGE: Final = Action(
    id="merge", keys=("M",), label="Merge", level=1, command="merge",
    help="The marked ones are the same as the one under the cursor: drop them, and let it remember where they stood",
    cli="rivus items merge JOB KEY… --into KEY", why_not=possible.change_item, on_marks=True,
)  # fmt: skip
BY_RULE: Final = Action(
    id="by_rule", keys=("b",), label="By rule", level=1, command="triage",
    help="Do what the rules of triage propose: for what is marked, else for all that is shown, which it asks about",
    cli="rivus todo rules --apply", why_not=possible.by_rule, on_marks=True,
)  # fmt: skip
ADD: Final = Action(
    id="add", keys=("A",), label="Add", level=1, command="add",
    help="Put in a TODO of your own; it waits here like every other", cli="rivus todo add TITLE",
    why_not=possible.change,
)  # fmt: skip
START: Final = Action(
    id="start", keys=("F",), label="First", meaning="goes first", level=1, command="start",
    help="Let it go before all others, now; what keeps it from starting is said", cli="rivus items start JOB KEY…",
    why_not=possible.change_item, on_marks=True,
)  # fmt: skip
RESCOPE: Final = Action(
    id="rescope", keys=("m",), label="Scope", meaning="ask a model", level=2, command="reset",
    help="Let a model scope it again, and run what follows from that; asks, with the price",
    cli="rivus todo scope KEY…", why_not=possible.change_item, on_marks=True,
)  # fmt: skip
