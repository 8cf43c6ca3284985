"""Rows that screens and the command line read. Frozen, already cleaned, made by the reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, Literal

from engine.contracts.filter import Term
from engine.contracts.states import ItemState, JobState, RunState, StageState
from engine.contracts.values import dataclass

if TYPE_CHECKING:
    from engine.contracts.bulk import BulkView
    from engine.contracts.costs import BudgetView

Order = Literal["created", "updated", "key", "place", "priority"]
Scope = Literal["external", "internal", "all"]
"""Whose jobs: those of the user, those that look after the codebase, or both."""
EVENTS_LOOKED_AT: Final = 2_000
"""Events of a job among which those of a stage or an incident are looked for, the newest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineView:
    """The engine that owns the state directory, as its lock and heartbeat tell it."""

    pid: int
    epoch: str
    started_at: int
    """ms UTC."""
    mode: Literal["app", "serve", "once", "command"]
    state: Literal["starting", "running", "draining", "stopped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunView:
    """One discovery or one check."""

    id: int
    job: str
    state: RunState
    started_at: int
    ended_at: int | None
    found: int
    """Candidates seen."""
    new: int
    changed: int
    gone: int
    problems: int
    """Partial failures (unreadable files)."""
    error: str | None
    """Why the run failed; None unless state is `failed`."""
    held_back: int = 0
    """New findings that the limits of their check kept out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageView:
    """One stage of a job, with how many items are in which state there."""

    name: str
    position: int
    handler: str
    after: tuple[str, ...]
    gate: str | None
    enabled: bool
    concurrency: int
    counts: Mapping[StageState, int]
    """States with no items are absent."""
    id: int = 0
    weight: str | None = None
    """How much of what it shares with other stages it gets, and why; None where nothing waits, or nothing is shared."""
    oldest_ready_at: int | None = None
    """ms UTC since when the one that waits longest for its turn has been ready."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldView:
    """One reason why work of a job waits."""

    stage: str | None
    """None: the job as a whole."""
    gate: Literal[
        "job", "eligibility", "items", "backlog", "limit", "disabled", "paused", "person", "time", "throttled", "pace",
        "resource", "model", "concurrency",
    ]  # fmt: skip
    why: str
    """A short sentence with the number that blocks."""
    until: int | None
    """When it frees by itself, ms UTC; None: not known, or a person has to act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """One job."""

    name: str
    title: str
    emoji: str
    internal: bool
    is_check: bool
    findings_to: str | None
    state: JobState
    why: str | None
    """Why it is paused or broken."""
    stages: tuple[StageView, ...]
    items: Mapping[ItemState, int]
    """Items by state; for a check, the findings it gave, in the job that received them."""
    every_s: float | None
    cron: str | None
    """Cron expression in place of an interval."""
    next_run_at: int | None
    """ms UTC; None when nothing is scheduled."""
    last_run: RunView | None
    """Newest finished or running run."""
    oldest_ready_at: int | None
    """ms UTC since when the longest waiting ready stage has been ready."""
    last_error: str | None
    id: int = 0
    paused_until: int | None = None
    """When its pause ends by itself, ms UTC; None: it does not, or it is not paused."""
    paused_by: str | None = None
    """Who paused it: `person`, `doctor`, or the guard that tripped, such as `daily_cost`."""
    holds: tuple[HoldView, ...] = ()
    """Why its work waits, in the order in which the gates are passed; empty when nothing waits."""

    def count(self, *states: StageState) -> int:
        """Item stages in any of these states, over all stages."""
        return sum(stage.counts.get(state, 0) for stage in self.stages for state in states)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemView:
    """One item in a list."""

    id: int
    key: str
    job: str
    title: str
    """Never empty: the key where no title was given."""
    state: ItemState
    stage: str | None
    """The stage that decides the state: failed, waiting, running, then the first open one; None: all are settled."""
    stage_state: StageState | None
    priority: int | None
    attempts: int
    """Attempts used at that stage."""
    why: str | None
    """Why it waits, failed or was skipped; first line of the error for failures."""
    path: str | None
    line: int | None
    headings: tuple[str, ...]
    origin: str
    """`scan`, `check`, `manual`, `doctor` or `emit`."""
    source: str
    """Name of the job whose discovery or check gave it."""
    confidence: str | None
    created_at: int
    updated_at: int
    due_at: int | None
    """When a `later` stage comes back, or until when the item is snoozed; ms UTC."""
    data: Mapping[str, Any]
    cost_usd_micros: int = 0
    """What its stored results cost."""
    proposed: str | None = None
    """What a rule of triage proposes for it, a `Deed`; only while it waits to be accepted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SteeringView:
    """What steers an item: where its priority comes from, why it is held, and when it comes back."""

    signals: Mapping[str, Any] = field(default_factory=dict)
    priority_by: Literal["person", "rule", "source"] | None = None
    priority_why: str | None = None
    """What the priority policy of its job says; None: there is no policy."""
    held: str | None = None
    """Why nothing of it may start."""
    proposed_why: str | None = None
    """Which rule of triage proposes something for it, and why."""
    needs: Mapping[str, ItemState | None] = field(default_factory=dict)
    """Keys of the items that it waits for, with the state of each; None: it has not been found."""
    last_completed_at: int | None = None
    next_due_at: int | None = None
    """When it comes back, finished as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactView:
    """A file that a stage left."""

    path: str
    """Absolute."""
    type: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressView:
    """How far a running attempt is, as of about a second ago."""

    done: int
    total: int | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemStageView:
    """One item at one stage."""

    stage: str
    position: int
    state: StageState
    gate: str | None
    after: tuple[str, ...]
    attempts: int
    max_attempts: int
    fence: int
    due_at: int | None
    started_at: int | None
    ended_at: int | None
    why: str | None
    choices: tuple[str, ...]
    """Answers offered by a handler that asked."""
    output: Mapping[str, Any] | None
    artifacts: tuple[ArtifactView, ...]
    cost_usd_micros: int
    progress: ProgressView | None = None
    """None: it does not run, or says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptView:
    """An attempt that did not end well."""

    stage: str
    attempt: int
    fence: int
    started_at: int
    ended_at: int
    error_type: str
    message: str
    traceback: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EventView:
    """Something that happened."""

    id: int
    at: int
    level: Literal["debug", "info", "warning", "error"]
    kind: str
    """Dotted, past tense: `stage.done`, `stage.failed`, `run.done`, `item.accepted`, `engine.started`."""
    actor: Literal["engine", "person", "discovery"]
    job: str | None
    key: str | None
    """Item key."""
    stage: str | None
    text: str
    """One line for people."""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogView:
    """The newest lines that one attempt logged."""

    stage: str
    fence: int
    lines: tuple[tuple[int, str, str], ...]
    """(ms UTC, level, text), oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkView:
    """A conversation with a model that a stage of an item holds, or has held."""

    name: str
    alias: str
    """The model that is asked."""
    state: str
    """`open`, `asking`, `paused`, `waiting`, `doubt` or `closed`."""
    why: str | None
    turns: tuple[tuple[int, str, str | None], ...]
    """(ms UTC, question, answer; None: it has not come), oldest first; the newest twenty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RelativeView:
    """A parent or a child of an item."""

    key: str
    title: str
    state: ItemState


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplacedView:
    """A result that was replaced, or dropped with what it was made of."""

    stage: str
    fence: int
    version: str | None
    output_hash: str
    """SHA-256, hex."""
    ended_at: int
    replaced_by: int | None
    """Fence of the attempt that replaced it; None: it was dropped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginView:
    """Where an item comes from, what belongs to it, and what its attempts left behind."""

    provenance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What led to it beside its first discovery: name (`discovery`, `topic`, …) → values."""
    last_seen_at: int | None = None
    """When a discovery saw it again; None: not since it was created."""
    parent: RelativeView | None = None
    children: tuple[RelativeView, ...] = ()
    """The first hundred."""
    logs: tuple[LogView, ...] = ()
    """Newest first."""
    replaced: tuple[ReplacedView, ...] = ()
    """Newest first, at most fifty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemDetail:
    """One item with everything that is known of it."""

    item: ItemView
    stages: tuple[ItemStageView, ...]
    attempts: tuple[AttemptView, ...]
    """Newest first."""
    events: tuple[EventView, ...]
    """Newest first, at most 200."""
    steering: SteeringView = field(default_factory=SteeringView)
    origin: OriginView = field(default_factory=OriginView)
    talks: tuple[TalkView, ...] = ()
    """Newest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComingView:
    """One item stage that would run next."""

    job: str
    stage: str
    key: str
    title: str
    priority: int | None
    ready_at: int
    """Since when it is ready, ms UTC."""
    holds: tuple[HoldView, ...]
    """What keeps it from running now; empty: nothing but the others before it."""
    weight: str | None = None
    """The weight of its queue among those that it shares something scarce with, and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitUse:
    """One stage that a limit stands before."""

    job: str
    stage: str
    running: int
    ready: int
    ready_since: int | None
    """Since when the first in its queue is ready, ms UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitView:
    """A shared resource, a pace, or the slots of a stage."""

    name: str
    kind: Literal["resource", "pace", "slots"]
    capacity: int | None
    """None for a pace."""
    held: int
    pace: str | None
    """As written, such as `60/h`."""
    next_at: int | None
    """When its bucket gave out the next grant, ms UTC, as of the last one; None: never used."""
    uses: tuple[LimitUse, ...]
    instead_of: str | None = None
    """What jobs.yaml says, where a person has set another value; empty: it says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusView:
    """The whole project at a glance; read in one go."""

    project: str
    engine: EngineView | None
    """None: no engine runs on this state directory."""
    running: int
    ready: int
    failed: int
    """Items, not stages."""
    waiting: int
    """Items that wait for a person."""
    failed_external: int
    problem: str | None
    """What a person should know at once (jobs.yaml broken and the last good one runs, …)."""
    badges: Mapping[str, int] = field(default_factory=dict)
    """What waits for a person on which screen, by its name (`triage`, `doctor`, …); absent: nothing."""
    bulk: BulkView | None = None
    """A command on many items that goes on, or has ended a moment ago."""
    budget: BudgetView | None = None
    """The daily limit of all jobs together; None: there is none."""
    rings: int | None = None
    """How often an incident has opened; when it rises, the terminal's bell rings. None: it does not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemQuery:
    """What a list of items shows, and in which order."""

    job: str | None = None
    """None: every job in `scope`."""
    scope: Scope = "all"
    terms: tuple[Term, ...] = ()
    """What must hold, as `engine.rules.filters` reads it."""
    order: Order = "created"
    """`created`: oldest first; `updated`: newest first; `place`: by file and line; `priority`: P0 first, none last."""
    reverse: bool = False
    """The other way round."""
