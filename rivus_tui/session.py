"""What a person did since the app was opened: for undo, for the progress line, for the summary at the end."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Final

from engine.contracts.commands import CommandOutcome
from engine.contracts.values import dataclass

TRIAGE_VERBS: Final = frozenset({"accept", "drop", "snooze", "answer", "triage"})

_PAST: Final = {
    "accept": "accepted",
    "drop": "dropped",
    "snooze": "put off",
    "prioritise": "prioritised",
    "answer": "answered",
    "triage": "decided by rule",
    "retry": "tried again",
    "cancel": "cancelled",
    "pause": "paused",
    "resume": "resumed",
    "run": "run by hand",
    "redo": "done again",
    "adjust": "limits set",
    "send": "sent to the TODOs",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One command that changed something."""

    name: str
    job: str | None
    keys: tuple[str, ...]
    """Keys that changed."""
    message: str
    operation: int | None
    at: int
    """ms UTC."""
    items: int = 0
    """How many items it was about."""
    group: int | None = None
    """Deeds of one group were one key, and are taken back by one."""


@dataclass(slots=True)
class Session:
    """The deeds of this session, oldest first; what was undone is taken out."""

    deeds: list[Deed] = field(default_factory=list)

    def record(self, name: str, job: str | None, outcome: CommandOutcome, at: int) -> None:
        """Remember a command that worked."""
        self.deeds.append(
            Deed(
                name=name,
                job=job,
                keys=outcome.changed,
                message=outcome.message,
                operation=outcome.operation,
                at=at,
                items=int(outcome.data.get("total", len(outcome.changed))),
            )
        )

    def together(self, begun: int) -> None:
        """The deeds from this number on were one key."""
        self.deeds[begun:] = [replace(deed, group=begun) for deed in self.deeds[begun:]]

    @property
    def last(self) -> Deed | None:
        """The last deed that can be undone."""
        return next((deed for deed in reversed(self.deeds) if deed.operation is not None), None)

    @property
    def last_decision(self) -> Deed | None:
        """The last decision about items."""
        return next((deed for deed in reversed(self.deeds) if deed.name in TRIAGE_VERBS), None)

    @property
    def triaged(self) -> int:
        """Items decided about, without those undone."""
        return sum(deed.items for deed in self.deeds if deed.name in TRIAGE_VERBS)

    def forget(self, deed: Deed) -> None:
        """Take out a deed that was undone."""
        self.deeds.remove(deed)

    def give_up(self, deed: Deed) -> None:
        """Offer no more to undo a deed; it was done all the same."""
        self.deeds[self.deeds.index(deed)] = replace(deed, operation=None)

    def summary(self) -> str:
        """Return what was done, such as `3 accepted, 1 dropped`; empty for nothing."""
        counts: dict[str, int] = {}
        for deed in self.deeds:
            word = _PAST.get(deed.name, deed.name)
            counts[word] = counts.get(word, 0) + max(deed.items, 1)
        return ", ".join(f"{number:,} {word}" for word, number in counts.items())
