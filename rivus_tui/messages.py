"""What the app is told: by the engine's thread that something changed, by screens where a person wants to go."""

from __future__ import annotations

from textual.message import Message

from rivus_tui.memory import View
from rivus_tui.sources import ItemKey


class Woken(Message, bubble=False):
    """Something changed in the engine; many of these at once are one."""

    def can_replace(self, message: Message) -> bool:
        """One wake-up stands for all that wait in the queue."""
        return isinstance(message, Woken)


class ItemOpened(Message):
    """An item was asked for."""

    def __init__(self, key: ItemKey) -> None:
        super().__init__()
        self.key = key


class ItemsAsked(Message):
    """The items that a filter lets through were asked for."""

    def __init__(self, text: str, *, back: str | None = None) -> None:
        """`back`: the screen that Esc leads back to."""
        super().__init__()
        self.filter = text
        self.back = back


class ViewAsked(Message):
    """A view that was saved was asked for."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view


class ListAsked(Message):
    """The list of a screen was asked for, as it was left."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
