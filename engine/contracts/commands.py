"""Commands as data: the specs that command line, app, undo and (later) the socket share.

A command is a name and arguments; `EngineApi.command` runs it. Danger levels: 0 look, 1 reversible (runs at once),
2 costs money or loses work (asks), 3 the whole engine or filter (asks, with the count).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandSpec:
    """One command."""

    name: str
    """The verb: one word, the same as in the command line and on the screens."""
    args: tuple[str, ...]
    """Names of its required arguments."""
    optional: tuple[str, ...] = ()
    danger: int
    undo: bool
    """Whether `undo` can take it back."""
    summary: str


SETS_GOING: Final = frozenset({"accept", "answer", "retry", "reset", "start"})
"""Commands after which work runs, unless something holds it: where its job is paused, that is said beside."""

COMMANDS: Final[Mapping[str, CommandSpec]] = {
    spec.name: spec
    for spec in (
        CommandSpec(
            name="accept",
            args=("job", "keys"),
            danger=1,
            undo=True,
            summary="Open the gate that these items wait at.",
        ),
        CommandSpec(
            name="drop",
            args=("job", "keys"),
            optional=("why",),
            danger=1,
            undo=True,
            summary="Won't do: skip what is left; only a person brings the item back.",
        ),
        CommandSpec(
            name="snooze",
            args=("job", "keys", "until"),
            optional=("why",),
            danger=1,
            undo=True,
            summary="Look at these items again later (`until` in ms UTC); `why` is shown beside that time.",
        ),
        CommandSpec(
            name="prioritise",
            args=("job", "keys", "priority"),
            danger=1,
            undo=True,
            summary="Set the priority, 0 to 3; null takes it away.",
        ),
        CommandSpec(
            name="answer",
            args=("job", "keys", "answer"),
            danger=1,
            undo=True,
            summary="Answer what a stage asked; it starts again with the answer.",
        ),
        CommandSpec(
            name="retry",
            args=("job", "keys"),
            danger=1,
            undo=True,
            summary="Try the failed stages of these items again, with fresh attempts.",
        ),
        CommandSpec(
            name="cancel",
            args=("job", "keys"),
            danger=2,
            undo=True,
            summary="Skip what is left of these items; what runs is stopped.",
        ),
        CommandSpec(
            name="add",
            args=("job", "title"),
            optional=("priority",),
            danger=1,
            undo=True,
            summary="Put in an item of your own; it waits at the gate like every other.",
        ),
        CommandSpec(
            name="import",
            args=("job", "items"),
            danger=1,
            undo=False,
            summary="Put in items from elsewhere: maps of key, title, priority, closed, signals, data.",
        ),
        CommandSpec(
            name="edit",
            args=("job", "keys", "title"),
            danger=1,
            undo=True,
            summary="Call these items otherwise; what their source says stays with them.",
        ),
        CommandSpec(
            name="amend",
            args=("job", "keys", "fields"),
            danger=1,
            undo=True,
            summary="Set fields of these items' data (null takes one away); they stay whatever their source says.",
        ),
        CommandSpec(
            name="merge",
            args=("job", "keys", "into"),
            danger=1,
            undo=True,
            summary="These items are the same as `into`: drop them, and let it remember where they stood.",
        ),
        CommandSpec(
            name="triage",
            args=("job", "keys"),
            danger=1,
            undo=True,
            summary="Do what the rules of this job propose for these items: one operation, so that one undo is enough.",
        ),
        CommandSpec(
            name="start",
            args=("job", "keys"),
            danger=1,
            undo=True,
            summary="Let these items go before all others; what keeps them from starting is said.",
        ),
        CommandSpec(
            name="bulk",
            args=("name", "targets"),
            optional=("why", "until", "priority", "stage"),
            danger=3,
            undo=True,
            summary="Give a command (`name`) to a set of items (`targets`, packed, as it was shown), in batches.",
        ),
        CommandSpec(
            name="bless",
            args=("job", "stage"),
            optional=("why", "version"),
            danger=1,
            undo=True,
            summary="Keep the stale results of this stage: the change of its code means nothing for them.",
        ),
        CommandSpec(
            name="revoke",
            args=("judgement",),
            danger=1,
            undo=True,
            summary="Take back that two versions of a stage count as the same.",
        ),
        CommandSpec(
            name="judge",
            args=("job", "stage"),
            optional=("version", "model", "price"),
            danger=2,
            undo=False,
            summary="Ask a model what the change of a stage's code means; `price`: only say what that costs at most.",
        ),
        CommandSpec(
            name="reset",
            args=("job", "stage"),
            optional=("sample", "keys", "version"),
            danger=2,
            undo=True,
            summary="Run this stage again where its result is stale, and what depends on it; `sample`: so many items.",
        ),
        CommandSpec(
            name="pause",
            args=("job",),
            optional=("stage", "why", "until"),
            danger=1,
            undo=True,
            summary="Claim nothing of this job, or of one stage of it, until it is resumed (or `until`, in ms UTC).",
        ),
        CommandSpec(
            name="resume",
            args=("job",),
            optional=("stage",),
            danger=1,
            undo=True,
            summary="Let a paused job, or a paused stage of it, go on.",
        ),
        CommandSpec(
            name="run",
            args=("job",),
            danger=1,
            undo=False,
            summary="Run the discovery or the check of this job now.",
        ),
        CommandSpec(
            name="overrule",
            args=("incident", "class"),
            optional=("why",),
            danger=1,
            undo=True,
            summary="Say what an incident is; the doctor keeps to it until you say otherwise.",
        ),
        CommandSpec(
            name="apply",
            args=("incident",),
            danger=1,
            undo=False,
            summary="Do at once what the doctor would do: planned actions, a canary, or a replay of what failed.",
        ),
        CommandSpec(
            name="dismiss",
            args=("incident",),
            danger=1,
            undo=True,
            summary="Veto what the doctor has planned; with nothing planned, put the incident aside.",
        ),
        CommandSpec(
            name="send",
            args=("incident",),
            danger=1,
            undo=False,
            summary="Send an incident to the TODO list.",
        ),
        CommandSpec(
            name="probe",
            args=("job",),
            danger=1,
            undo=False,
            summary="Let a job that the doctor has paused try one item now.",
        ),
        CommandSpec(
            name="clear-errors",
            args=("job",),
            danger=1,
            undo=False,
            summary="Close the breakers of a job, let it go on, and replay what failed.",
        ),
        CommandSpec(
            name="reload",
            args=(),
            danger=1,
            undo=False,
            summary="Read jobs.yaml and the code of its handlers again, and apply what changed.",
        ),
        CommandSpec(
            name="stop",
            args=(),
            optional=("drain",),
            danger=3,
            undo=False,
            summary="Stop the engine: what runs may end within the grace period, or is released (`drain` false).",
        ),
        CommandSpec(
            name="ask",
            args=("prompt",),
            optional=("model", "system", "schema"),
            danger=1,
            undo=False,
            summary="Ask a model one question.",
        ),
        CommandSpec(
            name="review",
            args=("name", "text", "reviewers"),
            optional=("deadline_s",),
            danger=1,
            undo=False,
            summary="Let several models review a document and write one report.",
        ),
        CommandSpec(
            name="advise",
            args=(),
            optional=("forget",),
            danger=1,
            undo=False,
            summary="Ask a model for advice on the weights between queues, or forget it.",
        ),
        CommandSpec(
            name="undo",
            args=(),
            optional=("operation",),
            danger=1,
            undo=False,
            summary="Take back the last command of a person that can be taken back.",
        ),
        CommandSpec(
            name="adjust",
            args=("kind", "name"),
            optional=("value",),
            danger=1,
            undo=True,
            summary="Set slots, capacity or pace in place of what jobs.yaml says; without `value`: as it says again.",
        ),
        CommandSpec(
            name="redo",
            args=(),
            danger=1,
            undo=True,
            summary="Do again what was taken back last.",
        ),
    )
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandOutcome:
    """What a command did."""

    ok: bool
    """False: nothing changed, and `message` says why."""
    message: str
    """One sentence for a person, such as `accepted 3 items` or `accepted 2 items, 1 was not waiting`."""
    changed: tuple[str, ...] = ()
    """Keys (or the job) that changed."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Keys that did not change, with why."""
    operation: int | None = None
    """Number in the journal, for `undo`."""
    data: Mapping[str, Any] = field(default_factory=dict)
