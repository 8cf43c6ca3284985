"""What a handler may return. A plain dict means `Done(output=that dict)`; an exception is a failed attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, field
from datetime import datetime, timedelta
from typing import Any

from engine.contracts.item import Candidate
from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that belongs to an item, kept in the engine's folder for it."""

    path: str
    """Relative to the item's artifact folder (`ctx.artifact_dir`)."""
    type: str = "text/plain"
    """Media type, such as `text/markdown`."""


@dataclass(frozen=True, slots=True)
class Done:
    """The stage is finished."""

    output: Mapping[str, Any] = field(default_factory=dict)
    """JSON values, at most 1 MiB when encoded."""
    _: KW_ONLY
    cost_usd_micros: int = 0
    """Money spent, in millionths of a dollar, beside what `ctx.paid` said as it was spent."""
    artifacts: tuple[Artifact, ...] = ()
    emit: tuple[tuple[str, Candidate], ...] = ()
    """(job, candidate) pairs that are stored with this outcome; those for the same job are children of this item,
    unless they name another `parent_key`."""
    signals: Mapping[str, Any] = field(default_factory=dict)
    """Facts about the item that its priority and eligibility follow from; merged with those that are known.

    `priority` (0 to 3) is the priority that a stage gives, and `priority_why` says why in one line. What the policy of
    the job, the source or a person says stands above it.
    """


@dataclass(frozen=True, slots=True)
class Later:
    """Try again later; no attempt is burned. One of `after` and `when` says how much later."""

    why: str
    _: KW_ONLY
    after: float | str | timedelta | None = None
    """Seconds, or a duration with its unit, such as `10m`."""
    when: datetime | None = None
    """A time with its zone."""


@dataclass(frozen=True, slots=True)
class Skip:
    """This stage does not apply to this item."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person has to say something first; the stage waits and starts again when they have."""

    question: str
    choices: Sequence[str] = ()
    """What is offered; a person may answer something else."""


@dataclass(frozen=True, slots=True)
class Fail:
    """This item cannot pass this stage; no retry."""

    why: str
    _: KW_ONLY
    kind: str = ""
    """A name for failures of this sort, such as `SessionRejected`: the doctor judges them as it judges exceptions of
    that type. Without one it looks at what fails in internal jobs only."""


Outcome = Done | Later | Skip | Ask | Fail
