"""What a person sees when an action has done its duty: one witness for each action of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rivus_tui.actions.action import Action
from rivus_tui.screens.item import ItemScreen
from rivus_tui.screens.list_room import ListRoom
from rivus_tui.widgets.lines_view import LinesView
from tests.tui.story import Story


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What can be told of an open control room."""

    mode: str
    stack: tuple[str, ...]
    """Screens and dialogs that lie on each other, by the name of their class."""
    place: tuple[Any, ...]
    """Where the cursor stands, and how far each pane is scrolled."""
    text: str
    """What stands in the panes around the list."""
    filter: str
    toasts: tuple[str, ...]
    commands: tuple[str, ...]
    scope: str
    frozen: bool
    pane: int
    marks: int
    reverse: bool
    typing: bool
    """Whether the filter is being edited."""

    def said(self, before: Seen) -> tuple[str, ...]:
        """Toasts since `before`."""
        return self.toasts[len(before.toasts) :]


def look(story: Story) -> Seen:
    """Look at an open control room."""
    room, app = story.room, story.app
    of_list = room if isinstance(room, ListRoom) else None
    panes = room.query(LinesView)
    at = of_list.table.cursor if of_list is not None else room.stage if isinstance(room, ItemScreen) else 0
    return Seen(
        mode=app.current_mode,
        stack=tuple(type(screen).__name__ for screen in app.screen_stack),
        place=(at, *(int(view.scroll_offset.y) for view in panes)),
        text="\n".join(view.text for view in panes),
        filter=of_list.bar.value if of_list is not None else "",
        toasts=tuple(story.toasts),
        commands=tuple(name for name, _ in story.commands),
        scope=story.room.desk.scope,
        frozen=room.desk.frozen_at is not None,
        pane=room._pane,
        marks=len(of_list.table.marks) if of_list is not None else 0,
        reverse=of_list is not None and of_list.reverse,
        typing=of_list is not None and of_list.bar.is_open,
    )


Witness = Callable[[Seen, Seen], bool]
"""Whether an action has done its duty, from what was seen before and after its key."""


def _opens(name: str) -> Witness:
    return lambda before, after: after.stack == (*before.stack, name)


def _moves(before: Seen, after: Seen) -> bool:
    return after.place != before.place


def _changes(before: Seen, after: Seen) -> bool:
    return after.text != before.text


def _shows_part(before: Seen, after: Seen) -> bool:
    """Another part is shown or scrolled to, or that there is none is said."""
    return _changes(before, after) or _moves(before, after) or bool(after.said(before))


def _led_on(before: Seen, after: Seen) -> bool:
    """Enter leads to an item, to items, to what a sum is made of, or says why there is nowhere to go."""
    return (
        after.stack[-1] in ("ItemScreen", "Reading") or after.mode == "items" != before.mode or bool(after.said(before))
    )


def _went_back(before: Seen, after: Seen) -> bool:
    """Esc takes one step; on the last one of its ladder there is none to take."""
    if before.stack[-1] == "ItemScreen":
        return after.stack == before.stack[:-1]
    return not after.typing and not after.filter


WITNESSES: Final[dict[str, Witness]] = {
    "copy": lambda before, after: "characters" in "".join(after.said(before)),
    "config": lambda before, after: "jobs.yaml" in "".join(after.said(before)),
    "copy_as": _opens("Dialog"),
    "escape": _went_back,
    "export": _opens("Dialog"),
    "filter": lambda before, after: after.typing,
    "freeze": lambda before, after: after.frozen,
    "goto": _opens("TextPrompt"),
    "help": _opens("HelpScreen"),
    "last_view": lambda before, after: after.mode != before.mode or len(after.stack) < len(before.stack),
    "mark": lambda before, after: after.marks == before.marks + 1,
    "mark_all": lambda before, after: after.marks > 1,
    "diff_spaces": lambda before, after: "white space" in "".join(after.said(before)),
    "diff_style": _changes,
    "next_part": _shows_part,
    "open": _led_on,
    "period": _changes,
    "pane": lambda before, after: after.pane != before.pane,
    "previous_part": _shows_part,
    "quit": _opens("Dialog"),
    "reverse": lambda before, after: after.reverse != before.reverse,
    "said": _opens("Reading"),
    "save_view": _opens("TextPrompt"),
    "scope": lambda before, after: after.scope != before.scope,
    "since": _opens("Reading"),
    "sort": _opens("Dialog"),
    "source": lambda before, after: "editor" in "".join(after.said(before)),
    "suspend": _opens("Dialog"),
    "why": _opens("Reading"),
    **dict.fromkeys(
        ("down", "up", "page_down", "page_up", "half_down", "half_up", "first", "last"),
        _moves,
    ),
}
"""Actions of the app itself, by their id; those that go to a screen or give a command need none."""

OWN_COMMANDS: Final = {"reload": "reload"}
"""Commands of actions that do more than give them."""


def witness_of(action: Action) -> Witness:
    """Return what shows that an action has done its duty; KeyError for one that nobody has thought of."""
    if action.goes_to is not None:
        return lambda before, after: after.mode == action.goes_to
    command = action.command or OWN_COMMANDS.get(action.id)
    if command is not None:
        # A command that takes many items may be given to a set of them.
        return lambda before, after: bool({command, "bulk"}.intersection(after.commands[len(before.commands) :]))
    return WITNESSES[action.id]
