"""Messages that cross from the engine's thread to the app."""

from __future__ import annotations

from textual.message import Message


class Woken(Message, bubble=False):
    """Something changed in the engine; many of these at once are one."""

    def can_replace(self, message: Message) -> bool:
        """One wake-up stands for all that wait in the queue."""
        return isinstance(message, Woken)
