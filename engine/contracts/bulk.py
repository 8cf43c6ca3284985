"""A command on all items that a filter finds: bound to the set that was shown when the question was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from engine.contracts.values import dataclass

BULK: Final[Mapping[str, tuple[str, ...]]] = {
    "accept": (),
    "drop": ("why",),
    "cancel": (),
    "retry": (),
    "snooze": ("until", "why"),
    "prioritise": ("priority",),
    "reset": ("stage",),
}
"""Commands that can be given to a set, with what they need beside the items."""

_PAST: Final[Mapping[str, str]] = {
    "accept": "accepted",
    "drop": "dropped",
    "cancel": "cancelled",
    "retry": "will retry",
    "snooze": "put off",
    "prioritise": "set the priority of",
    "reset": "will run again from there:",
}

BulkState = Literal["running", "done", "undoing", "undone"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What work would cost and take, by what the same stages cost and took the last times."""

    usd_micros: int = 0
    ms: int = 0
    """From the first start to the last end, by the slots and the pace of the slowest stage."""
    unknown: tuple[str, ...] = ()
    """Stages of which nothing is known yet, as `job.stage`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkLook:
    """A set of items as it is when a person is asked about it."""

    targets: str
    """The set itself, packed: what the command will be about, whatever the filter finds meanwhile."""
    total: int
    eligible: int
    """How many of them the command would change."""
    why_not: str
    """Why it would leave the others alone."""
    jobs: Mapping[str, int]
    """How many would change, by job."""
    sample: tuple[str, ...]
    """Titles of the first that would change."""
    forecast: Forecast
    """What would run because of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkView:
    """A command on a set, as far as it has come."""

    operation: int
    """Number in the journal."""
    name: str
    total: int
    looked: int
    """So many of `total` have been looked at; while it is taken back: of `changed`."""
    changed: int
    restored: int
    state: BulkState
    why: str | None
    """Why some were left alone."""
    begun_at: int
    ended_at: int | None
    """ms UTC."""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None

    @property
    def said(self) -> str:
        """What it has done so far, as a sentence."""
        if self.state in ("undoing", "undone"):
            words, n, of = f"undid {self.name} of", self.restored, self.changed
        else:
            words, n, of = _PAST[self.name], self.changed, self.total
        more = f"; {of - n:,} not: {self.why}" if n < of and self.why else ""
        return f"{words} {n:,} {'item' if n == 1 else 'items'}{more}"
