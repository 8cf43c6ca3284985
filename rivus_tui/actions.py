"""Every action a person can take: the one source of key bindings, footer, help and palette.

A letter means the same on every screen (`meaning`); an action that changes something names the command line that does
the same. Screens run an action through a method of the name `do_ID`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding

from rivus_tui import possible
from rivus_tui.possible import Situation

LISTS: Final = frozenset({"items", "triage"})
ALL: Final = frozenset({"jobs", "items", "item", "triage", "events"})
JOBS: Final = frozenset({"jobs"})
TRIAGE: Final = frozenset({"triage"})
ITEMS: Final = frozenset({"items", "item"})
ANY_ITEM: Final = frozenset({"items", "item", "triage"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing that a key does."""

    id: str
    """The name of the screens' method, without its `do_`."""
    keys: tuple[str, ...]
    """As Textual names them; none: only in the palette and in help."""
    label: str
    """One or two words, for the footer."""
    help: str
    meaning: str
    """What its keys mean on every screen."""
    scope: frozenset[str]
    """Screens that have it."""
    level: int = 0
    """0 look, 1 reversible, 2 costs money or loses work."""
    command: str | None = None
    """The engine's command, as `engine.contracts.commands` names it."""
    cli: str = ""
    """The same on the command line."""
    footer_key: str = ""
    """How the footer writes its key, where that is not its first one."""
    why_not: Callable[[Situation], str] = possible.always
    """Return why it cannot be done now; an empty string when it can."""
    on_marks: bool = False
    """Whether it acts on all marked rows."""


def _everywhere(action_id: str, keys: tuple[str, ...], label: str, explained: str) -> Action:
    """Return an action of level 0 that every screen has."""
    return Action(id=action_id, keys=keys, label=label, help=explained, meaning=action_id, scope=ALL)


ACTIONS: Final[tuple[Action, ...]] = (
    # Decisions
    Action(
        id="accept", keys=("a",), label="Accept", meaning="accept", scope=ANY_ITEM, level=1, command="accept",
        help="Open the gate that it waits at, or answer what it asks", cli="rivus items accept JOB KEY…",
        why_not=possible.accept, on_marks=True,
    ),
    Action(
        id="drop", keys=("x",), label="Won't do", meaning="refuse", scope=TRIAGE, level=1, command="drop",
        help="Won't do: skip what is left; only a person brings it back", cli="rivus items drop JOB KEY…",
        why_not=possible.change_item, on_marks=True,
    ),
    Action(
        id="cancel", keys=("x",), label="Cancel", meaning="refuse", scope=ITEMS, level=2, command="cancel",
        help="Skip what is left; what runs is stopped", cli="rivus items cancel JOB KEY…",
        why_not=possible.cancel, on_marks=True,
    ),
    Action(
        id="later", keys=("n",), label="Later", meaning="later", scope=TRIAGE, level=1, command="snooze",
        help="Show it again tomorrow at 9", cli="rivus items snooze JOB KEY… --until 1d",
        why_not=possible.change_item, on_marks=True,
    ),
    Action(
        id="later_at", keys=("N",), label="Later…", meaning="later, pick when", scope=TRIAGE, level=1, command="snooze",
        help="Show it again at a time you pick", cli="rivus items snooze JOB KEY… --until 1w",
        why_not=possible.change_item, on_marks=True,
    ),
    Action(
        id="raise_priority", keys=("plus", "equals_sign"), label="Prio", footer_key="+ -", meaning="more urgent",
        scope=ANY_ITEM, level=1, command="prioritise", help="One step more urgent: none, P3, P2, P1, P0",
        cli="rivus items prioritise JOB KEY… --priority 1", why_not=possible.change_item, on_marks=True,
    ),
    Action(
        id="lower_priority", keys=("minus",), label="Less urgent", meaning="less urgent", scope=ANY_ITEM, level=1,
        command="prioritise", help="One step less urgent", cli="rivus items prioritise JOB KEY… --priority 3",
        why_not=possible.change_item, on_marks=True,
    ),
    Action(
        id="retry", keys=("r",), label="Retry", meaning="again", scope=ITEMS, level=1, command="retry",
        help="Try the failed stages again, with fresh attempts", cli="rivus items retry JOB KEY…",
        why_not=possible.retry, on_marks=True,
    ),
    Action(
        id="run", keys=("r",), label="Run now", meaning="again", scope=JOBS, level=1, command="run",
        help="Look for items now, or run the check now", cli="rivus run JOB", why_not=possible.run,
    ),
    Action(
        id="pause", keys=("p",), label="Pause", meaning="pause or resume", scope=JOBS, level=1, command="pause",
        help="Claim nothing of this job until it is resumed; again: resume", cli="rivus jobs pause JOB",
        why_not=possible.pause,
    ),
    Action(
        id="undo", keys=("u",), label="Undo", meaning="undo", scope=ALL, level=1, command="undo",
        help="Take back the last decision, one at a time", cli="rivus undo", why_not=possible.change,
    ),
    # Looking closer
    Action(
        id="open", keys=("enter",), label="Open", meaning="open", scope=ALL - {"item"},
        help="Open what is under the cursor", why_not=possible.rows,
    ),
    Action(
        id="why", keys=("w",), label="Why", meaning="why", scope=ALL - {"events"},
        help="Why it does not run, and what would change that",
    ),
    Action(
        id="source", keys=("o",), label="Source", meaning="open source", scope=ANY_ITEM,
        help="Open its file at its line in $VISUAL or $EDITOR", why_not=possible.source,
    ),
    Action(
        id="copy", keys=("y",), label="Copy", meaning="copy", scope=ALL, help="Copy its name to the clipboard",
        why_not=possible.copy,
    ),
    # The list
    Action(
        id="filter", keys=("slash",), label="Filter", meaning="filter", scope=ALL - {"item"},
        help="Show only what matches: words, job: state: stage: source: sure: gate:",
    ),
    Action(
        id="scope", keys=("comma",), label="Scope", meaning="scope", scope=frozenset({"jobs", "items", "triage"}),
        help="External, Internal or All jobs",
    ),
    Action(
        id="mark", keys=("space",), label="Mark", meaning="mark", scope=LISTS, why_not=possible.rows,
        help="Mark or unmark the row and go down; actions are then about all marked",
    ),
    Action(
        id="mark_all", keys=("V",), label="Mark all", meaning="mark all", scope=LISTS, why_not=possible.rows,
        help="Mark every row of the list, 1,000 at most",
    ),
    Action(
        id="freeze", keys=("f",), label="Freeze", meaning="freeze", scope=ALL,
        help="Stop the view, not the work; again: follow",
    ),
    Action(
        id="previous_part", keys=("left_square_bracket", "h", "left"), label="Part before", meaning="part before",
        scope=frozenset({"item", "triage"}), help="Show the part or the bucket before",
    ),
    Action(
        id="next_part", keys=("right_square_bracket", "l", "right"), label="Part", meaning="next part",
        scope=frozenset({"item", "triage"}), help="Show the next part or bucket",
    ),
    # Moving
    _everywhere("down", ("j", "down"), "Down", "One down"),
    _everywhere("up", ("k", "up"), "Up", "One up"),
    _everywhere("page_down", ("pagedown",), "Page down", "A screen down"),
    _everywhere("page_up", ("pageup",), "Page up", "A screen up"),
    _everywhere("half_down", ("ctrl+d",), "Half down", "Half a screen down"),
    _everywhere("half_up", ("ctrl+u",), "Half up", "Half a screen up"),
    _everywhere("first", ("g", "home"), "First", "To the first row"),
    _everywhere("last", ("G", "end"), "Last", "To the last row"),
    _everywhere("pane", ("tab",), "Pane", "Let the arrow keys move the other pane"),
    # Going about
    _everywhere("go_jobs", ("1",), "Jobs", "All jobs and how they are"),
    _everywhere("go_items", ("2",), "Items", "Items; again: of every job"),
    _everywhere("go_triage", ("3",), "Triage", "What waits for a person"),
    _everywhere("go_events", ("9",), "Events", "What happened, newest first"),
    _everywhere("last_view", ("backspace",), "Last view", "The screen before this"),
    _everywhere("escape", ("escape",), "Back", "One step back: leave the input, clear marks, clear the filter, close"),
    _everywhere("help", ("question_mark", "f1"), "Help", "All keys of this screen"),
    Action(
        id="reload", keys=("ctrl+r",), label="Reload", meaning="reload", scope=ALL,
        help="Read everything again: the rows, and (the engine) jobs.yaml with the code of its handlers",
        cli="kill -HUP PID of `rivus --serve`",
    ),
    _everywhere("quit", ("q", "ctrl+q"), "Quit", "Leave; asks first while something runs"),
)  # fmt: skip

FOOTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "jobs": ("open", "pause", "run", "filter", "scope", "why", "undo", "copy"),
    "items": ("open", "filter", "mark", "retry", "cancel", "why", "scope", "accept", "source"),
    "item": ("escape", "next_part", "accept", "retry", "cancel", "why", "source", "undo"),
    "triage": ("accept", "drop", "later", "raise_priority", "undo", "next_part", "source", "mark", "filter"),
    "events": ("open", "filter", "freeze", "last", "copy"),
}
"""What the footer of each screen offers, the most useful first; help is always there."""

KEY_NAMES: Final = {
    "slash": "/", "comma": ",", "space": "Space", "plus": "+", "equals_sign": "=", "minus": "-", "enter": "Enter",
    "escape": "Esc", "question_mark": "?", "left_square_bracket": "[", "right_square_bracket": "]", "pagedown": "PgDn",
    "pageup": "PgUp", "backspace": "Bksp", "home": "Home", "end": "End", "down": "Down", "up": "Up", "left": "Left",
    "right": "Right", "tab": "Tab", "f1": "F1",
}  # fmt: skip
"""How keys are written for people, where Textual's name is not that."""


def actions_of(screen: str) -> tuple[Action, ...]:
    """Return the actions that a screen has."""
    return tuple(action for action in ACTIONS if screen in action.scope)


def footer_of(screen: str) -> tuple[Action, ...]:
    """Return the actions in the footer of a screen, in order, help last."""
    return tuple(action_of(screen, action_id) for action_id in (*FOOTERS[screen], "help"))


def action_of(screen: str, action_id: str) -> Action:
    """Return one action of a screen; KeyError for a name that it does not have."""
    for action in actions_of(screen):
        if action.id == action_id:
            return action
    raise KeyError(action_id)


def bindings_of(screen: str) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the key bindings of a screen; ctrl+q works everywhere, even in an input."""
    return [
        Binding(key, f"do('{action.id}')", action.label, show=False, priority=key == "ctrl+q")
        for action in actions_of(screen)
        for key in action.keys
    ]


def key_name(key: str) -> str:
    """Return a key as a person writes it."""
    return KEY_NAMES.get(key, key)


def key_names(keys: Iterable[str]) -> str:
    """Return keys as a person writes them, such as `j Down`."""
    return " ".join(key_name(key) for key in keys)
