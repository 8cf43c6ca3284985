"""Which screen has which actions: the file of the screen's `KIND` in this package, and what every screen has."""

from __future__ import annotations

from functools import cache

from rivus_tui.actions.action import Action
from rivus_tui.actions.frame import EVERYWHERE
from rivus_tui.rooms import actions_module, standing


def kinds() -> tuple[str, ...]:
    """Return every kind of screen: the numbered ones in their order, then the one that shows an item."""
    return (*(room.mode for room in standing()), "item")


@cache
def actions_of(kind: str) -> tuple[Action, ...]:
    """Return the actions that a screen has, its own first."""
    own: tuple[Action, ...] = actions_module(kind).ACTIONS
    return (*own, *EVERYWHERE)


@cache
def footer_of(kind: str) -> tuple[Action, ...]:
    """Return the actions in the footer of a screen, the most useful first, help last."""
    names: tuple[str, ...] = actions_module(kind).FOOTER
    return tuple(action_of(kind, name) for name in (*names, "help"))


def action_of(kind: str, action_id: str) -> Action:
    """Return one action of a screen; KeyError for a name that it does not have."""
    for action in actions_of(kind):
        if action.id == action_id:
            return action
    raise KeyError(action_id)


def every_action() -> tuple[tuple[str, Action], ...]:
    """Return all actions of all screens, each with the screen's kind."""
    return tuple((kind, action) for kind in kinds() for action in actions_of(kind))


@cache
def elsewhere() -> frozenset[str]:
    """Return every key that does something on some screen."""
    return frozenset(key for _, action in every_action() for key in action.keys)
