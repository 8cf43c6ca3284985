"""The command palette: the actions of the screen below, found by fuzzy matching, and the themes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from rivus_tui.actions.action import Action, key_names
from rivus_tui.actions.registry import actions_of
from rivus_tui.screens.room import Room


class ActionProvider(Provider):
    """Offers what the screen below can do."""

    def _offers(self) -> list[tuple[Action, str, Callable[[], None]]]:
        room = self.screen
        if not isinstance(room, Room):
            return []
        now = room.situation()
        return [
            (action, action.reason(now), partial(room.action_do, action.id))
            for action in actions_of(room.KIND)
            if not action.moves
        ]

    async def discover(self) -> Hits:
        """Offer every action before anything is typed."""
        for action, reason, run in self._offers():
            yield DiscoveryHit(Content(_title(action)), run, text=_title(action), help=_help(action, reason))

    async def search(self, query: str) -> Hits:
        """Offer the actions that match."""
        matcher = self.matcher(query)
        for action, reason, run in self._offers():
            score = matcher.match(f"{_title(action)} {action.help}")
            if score > 0:
                yield Hit(score, Content(_title(action)), run, text=_title(action), help=_help(action, reason))


def _title(action: Action) -> str:
    return f"{action.label}  ({key_names(action.keys)})" if action.keys else action.label


def _help(action: Action, reason: str) -> str:
    return f"now not: {reason}" if reason else action.help
