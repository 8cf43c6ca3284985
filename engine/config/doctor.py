"""The shape of the keys that say how failures are treated."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from engine.config.steering import HoursOfDay
from engine.config.values import Keys, Line, Money, Name, Span, Wait, listed
from engine.contracts.doctor import Action, Rung, Tier
from engine.contracts.verdict import FailureClass

_NESTED: Final = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)[+*{]")


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if _NESTED.search(value):
        raise ValueError("repeats what repeats; on a hostile text that takes for ever")
    return value.lower()


def _share(value: object) -> object:
    match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) < 100:
        raise ValueError("needs a share above 0% and below 100%, such as `30%`")
    return float(match[1]) / 100


Pattern = Annotated[str, StringConstraints(max_length=500), AfterValidator(_pattern)]
Share = Annotated[
    float, BeforeValidator(_share, json_schema_input_type=Annotated[str, Field(pattern=r"^\d{1,3}(\.\d+)? ?%$")])
]
Actions = Annotated[list[Action], BeforeValidator(listed, json_schema_input_type=Action | list[Action])]


class RuleKeys(Keys):
    """A rule of this job; all that is given must hold, and it comes before the built-in ones."""

    id: Name
    """Its name; shown with each verdict."""
    verdict: FailureClass
    """What it says: transient, throttled, systemic, code_bug, item."""
    type: Pattern = ""
    """Regular expression for the whole bare type of the exception, in lower case."""
    text: Pattern = ""
    """Regular expression that is searched for in the message, in lower case."""
    status: Annotated[list[int], BeforeValidator(lambda value: [value] if isinstance(value, int) else value)] = Field(
        default=[]
    )
    """HTTP statuses: a number, or a list."""
    fix: Line = ""
    """What a person should do."""
    example: str = ""
    """An error that it is for."""


class ExampleKeys(Keys):
    """An error with its class, shown to the model."""

    text: Annotated[str, StringConstraints(max_length=500)]
    """The error."""
    verdict: FailureClass
    """Its class."""


class JobDoctorKeys(Keys):
    """How failures of this job are treated."""

    classifiers: Annotated[list[Rung], BeforeValidator(lambda value: [] if value == "none" else listed(value))] = Field(
        default=["rules", "cache", "model"]
    )
    """Who is asked, in this order: `rules`, `cache`, `model`; or `none`."""
    rules: list[RuleKeys] = Field(default=[])
    """Rules of this job."""
    examples: list[ExampleKeys] = Field(default=[])
    """Examples for the model."""
    on: dict[FailureClass, Actions] = Field(default={})
    """What is done about a class: `later`, `slow`, `fail`, `pause`, `notify`, `todo`, or a list of them."""
    thresholds: dict[FailureClass, Annotated[float, Field(gt=0)]] = Field(default={})
    """So many failures of a class at a stage pause the job: transient 10, systemic 3, code_bug 2."""
    fixes: dict[FailureClass, Line] = Field(default={})
    """What a person should do, by class: a command or a sentence."""
    cache: Span = 1_800.0
    """How long a model's verdict is used again."""
    probe: Span = 300.0
    """How long a paused job waits before one item is tried; doubles with each that fails."""


class DoctorKeys(Keys):
    """How failures of all jobs are treated."""

    tiers: dict[Action, Tier] = Field(default={})
    """Risk of actions: `low` at once, `medium` after `grace`, `high` in `hours`; both can be vetoed before."""
    grace: Wait = 600.0
    """How long an action of medium risk waits for a veto."""
    hours: HoursOfDay = "09:00-17:00"
    """Business hours, Monday to Friday, in which actions of high risk are taken."""
    notify: Annotated[list[Line], BeforeValidator(listed)] = Field(default=[])
    """Addresses for apprise, such as `pover://${PUSH_USER}@${PUSH_TOKEN}`; secrets come from the environment."""
    notify_per_hour: int = Field(default=20, ge=1, le=1_000)
    """So many messages in an hour at most."""
    quiet: HoursOfDay | None = None
    """Hours in which nobody is told anything, such as `22:00-07:00`; what comes up then is told when they are over."""
    bell: bool = False
    """true rings the terminal's bell when an incident opens."""
    model: Name | None = None
    """The model that is asked about what rules and cache do not know."""
    max_cost: Money = 20_000
    """Most that one question may cost."""
    prompt: Annotated[str, StringConstraints(max_length=5_000)] = ""
    """Instruction for the model, in place of the built-in one."""


class ErrorRateKeys(Keys):
    """Pauses the job when too many of its attempts fail."""

    over: Share
    """The share of failed attempts at a stage that is too much, such as `30%`."""
    window: Span = 900.0
    """Over which time it is counted."""
