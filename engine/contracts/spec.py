"""What jobs.yaml says, as values. `engine.config` makes them; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from engine.contracts.doctor import DoctorSettings, DoctorSpec
from engine.contracts.models import BackendSpec, ModelSpec
from engine.contracts.rate import Rate
from engine.contracts.steering import EligibilitySpec, IdleSpec, PriorityRule, RecurSpec, TriageRule, ValidateSpec
from engine.contracts.values import dataclass

SOURCE_TIMEOUT_S: Final = 1_800.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceSpec:
    """Capacity that stages of different jobs share."""

    name: str
    capacity: int
    """How many attempts may hold it at once."""
    pace: Rate | None = None
    """How fast attempts may start with it, whichever stage they are of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSpec:
    """One step of a job."""

    name: str
    handler: str
    """Dotted name of a function that takes the context."""
    is_async: bool
    """Whether the handler is an `async def`."""
    runs: Literal["loop", "process", "thread"] | None = None
    """Where it runs; None: an `async def` on the engine's loop, a plain function in a worker process."""
    after: tuple[str, ...] = ()
    """Names of the stages that must be done or skipped before this one."""
    gate: str | None = None
    """Name of the decision a person takes before this stage starts, such as `accept`."""
    enabled: bool = True
    """A disabled stage is skipped."""
    concurrency: int = 4
    """How many items may be at this stage at once."""
    timeout_s: float = 600.0
    attempts: int = 3
    """How often the stage is tried before it has failed."""
    backoff_s: float = 10.0
    """Wait before the second attempt; doubles with each further one, with jitter."""
    backoff_max_s: float = 3600.0
    later_times: int = 100
    """How often its handler may put an item off (`Later`) before a person has to look."""
    later_for_s: float = 7 * 86_400.0
    """For how long it may."""
    on_interrupt: Literal["retry", "hold"] = "retry"
    """What becomes of an attempt that was cut off: another one, or (`hold`: at most once) a person decides."""
    pace: Rate | None = None
    """How fast attempts of this stage may start."""
    resources: tuple[str, ...] = ()
    """Shared capacity that an attempt holds while it runs."""
    model: str | None = None
    """Alias that the stage asks when it names none."""
    needs_model: bool = False
    """True: the stage is held while that alias (any, when it names none) cannot be asked."""
    max_cost_usd_micros: int | None = None
    """Most that the model calls of one attempt may cost together."""
    params: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    """Files, relative to the root, that are a part of its code: prompts, tables; `*` and `**` as in a shell."""
    packages: tuple[str, ...] = ()
    """Installed packages whose version is a part of its code."""
    deterministic: bool = False
    """The same item and results before it give the same output; new code may be tried on stored ones."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Declared output fields: name to type (`str`, `int`, `float`, `bool`, `list`, `dict`), checked when stored."""

    @property
    def place(self) -> Literal["loop", "process", "thread"]:
        """Where the handler runs."""
        return self.runs or ("loop" if self.is_async else "process")


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscoverySpec:
    """Where the items of a job come from. A check has one too; its findings go to another job."""

    use: str
    """Dotted name of an async generator function that takes the discovery context."""
    every_s: float | None = None
    """Interval between runs."""
    cron: str | None = None
    """Cron expression, in the project's time zone, in place of an interval. Neither: only when asked, or on commits."""
    on_commit: bool = False
    """Also runs when HEAD of one of the project's repositories has moved."""
    on_idle_s: float | None = None
    """Also runs when the user has done nothing for so long, once each time."""
    timeout_s: float = SOURCE_TIMEOUT_S
    """A run in which it yields nothing for so long is given up."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """One job."""

    name: str
    title: str
    emoji: str = ""
    internal: bool = False
    """Internal jobs look after the codebase itself; they have their own tab."""
    enabled: bool = True
    discovery: DiscoverySpec | None = None
    is_check: bool = False
    findings_to: str | None = None
    """Name of the job that receives what a check finds."""
    max_new: int | None = None
    """New findings that one run of a check may bring; more are counted and held back."""
    max_open: int | None = None
    """Open findings that a check may have; more are counted and held back."""
    stages: tuple[StageSpec, ...] = ()
    """In topological order."""
    pace: Rate | None = None
    """How fast attempts of all its stages together may start."""
    priority: tuple[PriorityRule, ...] = ()
    """From fields of an item to its priority; the first rule that fits decides. Empty: what the source gives."""
    triage: tuple[TriageRule, ...] = ()
    """What is proposed for items that wait at the gate `accept`; the first rule that fits decides."""
    eligibility: EligibilitySpec | None = None
    """When its work may start, and which of its items; None: always, and all."""
    recur: RecurSpec | None = None
    """When a finished item comes back; None: never by itself."""
    still_true: str | None = None
    """Dotted name of a function that is asked just before a start; what it returns is why the item is skipped."""
    limit: int | None = None
    """The job pauses after so many items were started; resumed, it starts as many again."""
    backlog: int | None = None
    """With so many items pending, its discovery adds no more."""
    validate: ValidateSpec | None = None
    """What may pause it by its own rules."""
    daily_cost_usd_micros: int | None = None
    """Spent so much in a day, the job pauses until the next; None: no limit of its own."""
    doctor: DoctorSpec = field(default_factory=DoctorSpec)
    """How its failures are treated."""
    keep_s: float | None = None
    """How long a finished item is kept that nothing has changed or seen since, with its files; None: for ever."""
    gone_after: int = 3
    """Complete runs without seeing an item until it is gone (a check's findings: 1, then it counts as fixed)."""
    detail_columns: tuple[str, ...] = ()
    broken: str | None = None
    """Why this job cannot run (its handler does not import, …); the other jobs do."""

    @property
    def steers(self) -> bool:
        """Whether facts of its items follow from their fields."""
        return bool(self.priority or (self.eligibility is not None and self.eligibility.fields))

    def stage(self, name: str) -> StageSpec | None:
        """Return the stage of that name, or None."""
        return next((stage for stage in self.stages if stage.name == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What holds for the whole project."""

    timezone: str = "UTC"
    """IANA name; cron expressions are read in it."""
    daily_cost_usd_micros: int | None = None
    """Spent so much in a day by all jobs together, those that spend pause until the next."""
    free_disk_bytes: int = 200_000_000
    """With less free space than this, nothing new is started."""
    doctor: DoctorSettings = field(default_factory=DoctorSettings)
    """How failures of all jobs are treated."""
    repositories: tuple[str, ...] = (".",)
    """Folders that internal jobs look at, relative to the root."""
    idle: IdleSpec = field(default_factory=IdleSpec)
    """Who tells how long the user has done nothing."""
    durability: Literal["normal", "full"] = "normal"
    """`full` survives power loss at the price of one fsync a group; `normal` survives any crash of the process."""
    workers: int = 2
    """Worker processes for plain functions, at most."""
    worker_memory: int = 4 << 30
    """Address space that a worker process may have, in bytes."""
    http_allow: tuple[str, ...] = ()
    """Hosts (`name` or `name:port`) on this machine or its network that handlers and discoveries may ask."""
    http_proxy: str | None = None
    """URL of the proxy for their requests; None: what the environment says."""
    stale_model: str | None = None
    """Alias that is asked what a change of code means; None: the first there is."""
    weight_model: str | None = None
    """Alias that advises on the weights between queues; None: nobody does unasked."""
    grace_s: float = 20.0
    """How long running attempts may go on after a stop was asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectSpec:
    """A whole configuration, valid as a whole."""

    root: Path
    """Folder that relative paths start from."""
    source: Path | None
    """The jobs.yaml; None for the built-in jobs."""
    settings: Settings
    resources: tuple[ResourceSpec, ...] = ()
    backends: tuple[BackendSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()
    """The aliases, in the order written; the first one is asked where none is named."""
    jobs: tuple[JobSpec, ...]
    trusted: bool = True
    """False: nobody has allowed the code of its folder; it names none, and a reload must not bring any."""

    @property
    def name(self) -> str:
        """Name of the project: that of its folder."""
        return self.root.name or "root"

    def job(self, name: str) -> JobSpec | None:
        """Return the job of that name, or None."""
        return next((job for job in self.jobs if job.name == name), None)
