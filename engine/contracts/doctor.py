"""What jobs.yaml says about the doctor, as values; and the seam of those who are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal, Protocol

from engine.contracts.values import dataclass
from engine.contracts.verdict import FailureClass

Action = Literal["later", "slow", "fail", "pause", "notify", "todo"]
ACTIONS: Final[tuple[Action, ...]] = ("later", "slow", "fail", "pause", "notify", "todo")
"""Try again later · slow the bucket · fail the item · pause the job at the threshold, and probe it · tell a person ·
send it to the TODO list."""
Tier = Literal["low", "medium", "high"]
Rung = Literal["rules", "cache", "model"]

DEFAULT_ACTIONS: Final[Mapping[FailureClass, tuple[Action, ...]]] = {
    "transient": ("later", "pause"),
    "throttled": ("slow", "later"),
    "systemic": ("fail", "pause", "notify"),
    "code_bug": ("fail", "pause", "notify"),
    "item": ("fail",),
    "unknown": ("fail", "notify"),
}
DEFAULT_THRESHOLDS: Final[Mapping[FailureClass, float]] = {"transient": 10, "systemic": 3, "code_bug": 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnRule:
    """A rule of a job; all that is given must hold. Patterns are searched for in lower case."""

    id: str
    cls: FailureClass
    type: str = ""
    """Pattern for the bare type."""
    text: str = ""
    """Pattern in the message."""
    status: tuple[int, ...] = ()
    fix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorSpec:
    """How a job wants its failures treated."""

    rungs: tuple[Rung, ...] = ("rules", "cache", "model")
    """Who is asked, in this order; empty: nobody, failures are tried again and then failed."""
    rules: tuple[OwnRule, ...] = ()
    examples: tuple[tuple[str, FailureClass], ...] = ()
    """(error text, class) pairs for the model."""
    actions: Mapping[FailureClass, tuple[Action, ...]] = field(default_factory=lambda: DEFAULT_ACTIONS)
    thresholds: Mapping[FailureClass, float] = field(default_factory=lambda: DEFAULT_THRESHOLDS)
    fixes: Mapping[FailureClass, str] = field(default_factory=dict)
    """What a person should do, by class; in place of the rule's own words."""
    cache_s: float = 1_800.0
    """How long a verdict of a model is used again."""
    probe_s: float = 300.0
    """How long a paused job waits for its first canary; doubles with each that fails."""
    error_rate: float | None = None
    """Share of attempts (0 to 1) above which the job pauses; None: no such guard."""
    error_window_s: float = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorSettings:
    """What holds for all jobs."""

    tiers: Mapping[Action, Tier] = field(default_factory=dict)
    """Risk of actions; those not named are low and are taken at once."""
    grace_s: float = 600.0
    """How long an action of medium risk waits for a veto."""
    hours: tuple[int, int] = (9 * 60, 17 * 60)
    """Business hours, in minutes of the day, Monday to Friday: when actions of high risk are taken."""
    notify: tuple[str, ...] = ()
    """Addresses for apprise, such as `pover://user@token`; secrets stand as `${NAME}` and come from the environment."""
    notify_per_hour: int = 20
    quiet: tuple[int, int] | None = None
    """Hours in which nobody is told anything, in minutes of the day."""
    bell: bool = False
    """Ring the terminal's bell when an incident opens."""
    model: str | None = None
    """Alias that is asked when rules and cache know nothing; None: the first alias there is."""
    model_cost_usd_micros: int = 20_000
    """Most that one question may cost."""
    prompt: str = ""
    """Instruction for the model, in place of the built-in one."""


class Notifier(Protocol):
    """Somebody who can tell a person; must not block the loop."""

    async def tell(self, title: str, text: str) -> None:
        """Send one message; raises when it could not be sent."""
        ...
