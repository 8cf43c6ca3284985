"""The command palette: actions of the screen below, saved views, jobs and items, found by fuzzy matching; themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from engine.contracts.view import ItemQuery
from rivus_tui.actions.action import Action, key_names
from rivus_tui.filters import narrowed, quoted, with_job
from rivus_tui.format import cell
from rivus_tui.links import SCHEME, place_of
from rivus_tui.messages import ItemOpened, ItemsAsked, ViewAsked
from rivus_tui.screens.room import Room
from rivus_tui.sources import item_key

_MOST_ITEMS = 20
_LEAST_LETTERS = 3
"""Items are looked for once so many letters are typed: fewer find too many."""


class RoomProvider(Provider):
    """Finds something around the screen below."""

    @property
    def room(self) -> Room | None:
        """The screen below the palette."""
        return self.screen if isinstance(self.screen, Room) else None


class ActionProvider(RoomProvider):
    """Offers what the screen below can do."""

    def _offers(self) -> list[tuple[Action, str, Callable[[], None]]]:
        room = self.room
        if room is None:
            return []
        return [
            (action, reason, partial(room.action_do, action.id)) for action, reason in room.offers() if not action.moves
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


class PlaceProvider(RoomProvider):
    """Offers where to go: saved views, jobs, and items by a part of their key or title."""

    def _places(self, room: Room) -> Iterator[tuple[str, str, Callable[[], object]]]:
        for name, view in room.desk.memory.views.items():
            yield (
                f"view {name}",
                f"{view.mode}: {view.filter or 'everything'}",
                partial(room.app.post_message, ViewAsked(view)),
            )
        with room.reading():
            for job in room.desk.reader.jobs():
                ask = ItemsAsked(with_job("", job.findings_to or job.name), back=room.MODE)
                yield f"job {job.name}", job.title, partial(room.app.post_message, ask)

    def _link(self, room: Room, query: str) -> Iterator[Hit]:
        """Offer where a link leads, or say what is wrong with it."""
        shown = cell(query.strip(), limit=100).text
        try:
            place = place_of(query)
        except ValueError as error:
            yield Hit(1.0, Content(shown), lambda: None, text=shown, help=_explained(str(error)))
        else:
            go = partial(room.app.post_message, ViewAsked(place.view) if place.item is None else ItemOpened(place.item))
            yield Hit(1.0, Content(shown), go, text=shown, help="Go there")

    async def discover(self) -> Hits:
        """Offer views and jobs before anything is typed."""
        if self.room is not None:
            for title, explained, go in self._places(self.room):
                shown = cell(title, limit=100).text
                yield DiscoveryHit(Content(shown), go, text=shown, help=_explained(explained))

    async def search(self, query: str) -> Hits:
        """Offer the places that match."""
        room = self.room
        if room is None:
            return
        if query.strip().startswith(f"{SCHEME}://"):
            for hit in self._link(room, query):
                yield hit
            return
        matcher = self.matcher(query)
        for title, explained, go in self._places(room):
            if (score := matcher.match(f"{title} {explained}")) > 0:
                shown = cell(title, limit=100).text
                yield Hit(score, Content(shown), go, text=shown, help=_explained(explained))
        if len(query.strip()) < _LEAST_LETTERS:
            return
        wanted = narrowed(quoted(query.strip()), ItemQuery())
        items = []
        with room.reading():
            if room.desk.reader.items_counted(wanted):
                items = room.desk.reader.items_page(wanted, None, _MOST_ITEMS)
        for item in items:
            shown = cell(f"item {item.title}", limit=100).text
            go = partial(room.app.post_message, ItemOpened(item_key(item)))
            yield Hit(0.5, Content(shown), go, text=shown, help=_explained(f"{item.job}, {item.state}"))


def _explained(text: str) -> str:
    """Return a line under a title: the palette reads markup there, so that nothing may look like it."""
    return cell(text, limit=100).text.replace("[", "(")


def _title(action: Action) -> str:
    return f"{action.label}  ({key_names(action.keys)})" if action.keys else action.label


def _help(action: Action, reason: str) -> str:
    return _explained(f"now not: {reason}" if reason else action.help)
