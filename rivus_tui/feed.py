"""Events in memory: newest first, older ones read as the list is scrolled, new ones put on top."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from engine.contracts.api import Reader
from engine.contracts.view import EventView, Scope
from rivus_tui.sources import Anchor

KEPT: Final = 5_000
"""Events held at most; older ones are in the state file still, and the screen says how many there are."""
_STEP: Final = 200


class EventFeed:
    """The newest events, of one job or of a scope, that contain some words; a `RowSource`."""

    def __init__(
        self,
        reader: Reader,
        *,
        scope: Scope = "all",
        job: str | None = None,
        words: str = "",
        levels: tuple[str, ...] = (),
    ) -> None:
        self._reader = reader
        self.scope: Scope = scope
        self._job = job
        self._words = words.casefold().split()
        self._levels = levels
        self._events: list[EventView] = []
        self._shown: list[EventView] = []
        self._complete = False

    def refresh(self) -> int:
        """Read what is new; returns how many new ones are shown."""
        if not self._events:
            self._events = self._page(None)
            self._complete = len(self._events) < _STEP
            if self._is_filtered:
                self.extend_all()
            self._shown = [event for event in self._events if self._matches(event)]
            return 0
        fresh: list[EventView] = []
        while len(fresh) < KEPT:
            last = fresh[-1].id if fresh else self._events[0].id
            page = self._reader.events_after(last, _STEP, self._job, self.scope)
            fresh += page
            if len(page) < _STEP:
                break
        else:
            # More than fits has happened since: start over from the newest.
            self._events = []
            return self.refresh()
        fresh.reverse()
        self._events = (fresh + self._events)[:KEPT]
        shown = [event for event in fresh if self._matches(event)]
        self._shown = (shown + self._shown)[:KEPT]
        return len(shown)

    def extend(self) -> bool:
        """Read older events; False when there are none, or the limit is reached."""
        if self._complete or len(self._events) >= KEPT:
            return False
        older = self._page(self._events[-1].id if self._events else None)
        self._complete = len(older) < _STEP
        self._events += older
        self._shown += [event for event in older if self._matches(event)]
        return bool(older)

    def extend_all(self) -> None:
        """Read older events up to the limit."""
        while self.extend():
            pass

    @property
    def is_cut(self) -> bool:
        """Whether older events exist that are not held."""
        return not self._complete

    def key(self, row: EventView) -> Hashable:
        return row.id

    def count(self) -> int:
        return len(self._shown)

    def is_quick(self) -> bool:
        return True

    def give_up(self) -> None:
        """Nothing takes long."""

    def anchors(self, step: int) -> Sequence[Anchor]:
        return [(index,) for index in range(0, len(self._shown), step)]

    def page(self, start: Anchor | None, limit: int) -> Sequence[EventView]:
        first = 0 if start is None else int(start[0])
        return self._shown[first : first + limit]

    def still(self, rows: Sequence[EventView]) -> Sequence[EventView]:
        return rows  # what has happened stays

    def _page(self, before: int | None) -> list[EventView]:
        return self._reader.events_page(before, _STEP, self._job, self.scope)

    @property
    def _is_filtered(self) -> bool:
        return bool(self._words or self._levels)

    def _matches(self, event: EventView) -> bool:
        if self._levels and event.level not in self._levels:
            return False
        if not self._words:
            return True
        text = f"{event.kind} {event.job or ''} {event.key or ''} {event.stage or ''} {event.text}".casefold()
        return all(word in text for word in self._words)
