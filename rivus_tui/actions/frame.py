"""What every screen has: moving, going about, help, leaving."""

from __future__ import annotations

from typing import Final

from rivus_tui import possible
from rivus_tui.actions.action import Action
from rivus_tui.rooms import standing


def _move(action_id: str, keys: tuple[str, ...], label: str, explained: str) -> Action:
    return Action(id=action_id, keys=keys, label=label, help=explained, moves=True)


UNDO: Final = Action(
    id="undo", keys=("u",), label="Undo", level=1, command="undo",
    help="Take back the last decision, one at a time", cli="rivus undo", why_not=possible.change,
)  # fmt: skip
REDO: Final = Action(
    id="redo", keys=("U",), label="Redo", level=1, command="redo",
    help="Do again what was taken back last", cli="rivus redo", why_not=possible.change,
)  # fmt: skip
COPY: Final = Action(
    id="copy", keys=("y",), label="Copy", help="Copy its name to the clipboard", why_not=possible.copy,
)  # fmt: skip
FREEZE: Final = Action(id="freeze", keys=("f",), label="Freeze", help="Stop the view, not the work; again: follow")

MOVING: Final = (
    _move("down", ("j", "down"), "Down", "One down"),
    _move("up", ("k", "up"), "Up", "One up"),
    _move("page_down", ("pagedown",), "Page down", "A screen down"),
    _move("page_up", ("pageup",), "Page up", "A screen up"),
    _move("half_down", ("ctrl+d",), "Half down", "Half a screen down"),
    _move("half_up", ("ctrl+u",), "Half up", "Half a screen up"),
    _move("first", ("g", "home"), "First", "To the first row"),
    _move("last", ("G", "end"), "Last", "To the last row"),
    _move("pane", ("tab",), "Pane", "Let the arrow keys move the next pane"),
)

GOING: Final = tuple(
    Action(id=f"go_{room.mode}", keys=(room.key,), label=room.title, help=room.help, goes_to=room.mode, cli=room.cli)
    for room in standing()
)

EVERYWHERE: Final[tuple[Action, ...]] = (
    UNDO,
    REDO,
    COPY,
    FREEZE,
    *GOING,
    Action(id="last_view", keys=("backspace",), label="Last view", help="The screen before this"),
    Action(
        id="escape", keys=("escape",), label="Back",
        help="One step back: leave the input, clear marks, clear the filter, close", moves=True,
    ),
    Action(
        id="since", keys=("L",), label="Since", meaning="since you left",
        help="What finished, failed, was spent and waits since you were here", cli="rivus since",
    ),
    Action(
        id="goto", keys=("colon",), label="Go to",
        help="To a screen, job, item, file:line, incident, version, saved view or filter, by its name",
    ),
    Action(id="said", keys=("exclamation_mark",), label="Said", help="What messages have said since this room opened"),
    Action(id="help", keys=("question_mark", "f1"), label="Help", help="All keys of this screen"),
    Action(
        id="reload", keys=("ctrl+r",), label="Reload",
        help="Read everything again: the rows, and (the engine) jobs.yaml with the code of its handlers",
        cli="rivus reload",
    ),
    Action(
        id="suspend", keys=("ctrl+z",), label="To the shell",
        help="Back to the shell until `fg`; an engine of this room stands still meanwhile, and goes on then",
    ),
    Action(id="quit", keys=("q", "ctrl+q"), label="Quit", help="Leave; asks first while something runs"),
    *MOVING,
)  # fmt: skip
