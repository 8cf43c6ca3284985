"""The doctor's words: a failure as evidence, and the verdict on it."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal, get_args

from engine.contracts.values import dataclass

FailureClass = Literal["transient", "throttled", "systemic", "code_bug", "item", "unknown"]
"""What would make the next attempt pass: nothing · time or fewer requests · an operator · a developer · nothing, this
input is bad · nobody knows."""
CLASSES: Final[tuple[FailureClass, ...]] = get_args(FailureClass)
Confidence = Literal["high", "medium", "low"]
VerdictSource = Literal["rule", "cache", "model", "person", "own", "none"]
"""Who said it: a rule, an earlier answer, a model, a person, the job's own classifier; `none` when nobody could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt as the doctor sees it: untrusted text, bounded by whoever made it."""

    job: str = ""
    stage: str = ""
    exc_type: str
    """Type of the exception, dotted or bare."""
    message: str
    traceback_tail: str = ""
    """The end of the traceback as Python prints it, with what was raised before it and what a command printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """What happened at the same stage lately; decides where one error alone cannot."""

    same_items: int = 0
    """Items that failed with the same signature and have not passed since."""
    passed: int = 0
    """Items that passed the stage since the first of those failures, or in the quarter of an hour before now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the doctor says about a failure."""

    cls: FailureClass
    confidence: Confidence
    by: VerdictSource
    rule: str | None = None
    """Id of the rule; None when none decided."""
    reason: str = ""
    """One sentence for a person."""
    fix: str = ""
    """What to do about it; empty when there is nothing to do."""
    retry_after_s: float | None = None
    """What the other side asked for."""
    retry_at: int | None = None
    """The same as a moment, ms UTC."""
    neighbours: Neighbourhood | None = field(default=None)
    """The evidence from around it, where it decided."""
