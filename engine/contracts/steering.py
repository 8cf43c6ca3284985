"""What jobs.yaml says about which work goes first, when it may start and when it comes back, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from engine.contracts.item import Priority
from engine.contracts.values import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What one field of an item has to be; with no value and no bound: there at all.

    A field that is missing meets only `one_of` with None in it.
    """

    field: str
    one_of: tuple[Scalar, ...] | None = None
    """Any of these; None stands for missing."""
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    within: tuple[str, ...] = ()
    """A path that is one of these, or lies below one of them; `.` is everything."""

    @property
    def name(self) -> str:
        """What a change of it is told under."""
        return self.field


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorityRule:
    """Items that meet all conditions get this priority; the first rule of a policy that fits decides."""

    name: str
    """Its place in the policy, from 1."""
    priority: Priority
    when: tuple[Condition, ...] = ()


Deed = Literal["accept", "drop", "snooze", "P0", "P1", "P2", "P3"]
"""What a rule of triage proposes; P0 to P3: that priority."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TriageRule:
    """What is proposed for new items that meet all conditions; the first rule that fits decides."""

    name: str
    """Its place, from 1."""
    do: Deed
    when: tuple[Condition, ...] = ()
    for_s: float = 0.0
    """For how long it is put off, with `snooze`."""
    auto: bool = False
    """Whether it is done at once, when the item waits for the first time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """Part of a day, in minutes after midnight of the project's time zone; an end before the start is the next day."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


@dataclass(frozen=True, kw_only=True, slots=True)
class EligibilitySpec:
    """When the work of a job may start, and which of its items."""

    user_idle_s: float | None = None
    """Only when the user has done nothing for so long."""
    hours: tuple[Hours, ...] = ()
    """Only in these parts of the day; none: at all times."""
    fields: tuple[Condition, ...] = ()
    """Only items that meet all of them."""
    quota: tuple[str, ...] = ()
    """Only while these models have quota left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdleSpec:
    """Who tells how long the user has done nothing."""

    use: str = "plugins.idle.activity"
    """Dotted name of an idle probe (`engine.contracts.seam.IdleProbe`)."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateSpec:
    """A job's own look at whether it should work at all."""

    use: str
    """Dotted name of a function that returns why not, or nothing (`engine.contracts.seam.Validator`)."""
    every_s: float = 600.0
    """How long its word counts; a job that it has paused is looked at again after as long."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurSpec:
    """When a finished item comes back; one of the three, or what the item itself says."""

    each: Literal["day", "week"] | None = None
    """Once per calendar day, or week from Monday, of the project's time zone."""
    after_s: float | None = None
    """So long after it was last completed."""
    cron: str | None = None
    """At the first of these times after it was last completed."""
    by: str | None = None
    """The field (signal, or data) in which an item says it of itself: `daily`, `weekly`, `never`, a number of hours, or
    a cron expression. The others hold where it says nothing that can be read; without them it does not come back."""

    def __str__(self) -> str:
        if self.each is not None:
            return {"day": "daily", "week": "weekly"}[self.each]
        return f"by cron {self.cron}" if self.cron is not None else f"after {self.after_s or 0:g} s"
