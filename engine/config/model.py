"""The shape of jobs.yaml: one model per mapping, a docstring under each key; the JSON Schema is made from it.

What a single key can say stands here. What keys say about each other (stages in a circle, a check with stages) stands
in `engine.config.build`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from engine.config.doctor import DoctorKeys, ErrorRateKeys, JobDoctorKeys
from engine.config.models import BackendKeys, Model
from engine.config.steering import EligibilityKeys, Recur, Rule, TriageKeys
from engine.config.values import (
    Burst,
    Cron,
    Dotted,
    Interval,
    Keys,
    Line,
    Money,
    Name,
    Pace,
    Size,
    Span,
    Wait,
    listed,
    zone,
)
from engine.contracts.spec import SOURCE_TIMEOUT_S

PROXY_PATTERN = r"^https?://[^/@ ]+/?$"
HOST_PATTERN = r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$"


def _stage(value: object) -> object:
    if isinstance(value, str):
        return {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a stage is a name, or one name with its keys: `- read: {handler: …}`")
    return {name: {} if body is None else body for name, body in value.items()}


class HttpKeys(Keys):
    """What handlers and discoveries may ask over HTTP beside public hosts."""

    allow: list[Annotated[str, StringConstraints(pattern=HOST_PATTERN, max_length=253)]] = Field(default=[])
    """Hosts on this machine or its network that may be asked: `localhost`, `wiki.intranet:8080`."""
    proxy: Annotated[str, StringConstraints(pattern=PROXY_PATTERN, max_length=300)] | None = None
    """Proxy for all of it, such as `http://proxy:3128`; the environment's (`HTTPS_PROXY`, `NO_PROXY`) without it."""


class IdleKeys(Keys):
    """Who tells how long the user has done nothing. Every other key here is a param of the probe."""

    model_config = ConfigDict(extra="allow")

    use: Dotted = "plugins.idle.activity"
    """Dotted name of the probe: `plugins.idle.activity` reads a file, `plugins.idle.terminals` looks at terminals."""


class SettingsKeys(Keys):
    """What holds for the whole project."""

    timezone: Annotated[str, AfterValidator(zone)] = ""
    """Time zone of cron expressions, such as `Europe/Berlin`; the machine's own without it."""
    daily_cost: Money | None = None
    """When all jobs together have spent so much in a day, those that spend pause until the next: `5 USD`."""
    repositories: list[Line] = Field(default=["."], min_length=1)
    """Folders that internal jobs look at, relative to the project's folder."""
    idle: IdleKeys = Field(default=IdleKeys())
    """Who tells how long the user has done nothing; without it, the last key in the control room."""
    durability: Literal["normal", "full"] = "normal"
    """`normal` survives any crash of the process; `full` survives power loss too, and is slower."""
    workers: int = Field(default=2, ge=1, le=64)
    """Worker processes for handlers that are plain functions, at most."""
    worker_memory: Size = 4 << 30
    """Memory (address space) that one worker process may have, such as `2 GB`; a handler that wants more fails."""
    http: HttpKeys = HttpKeys()
    """What handlers and discoveries may ask over HTTP; without it, public hosts only."""
    grace: Wait = 20.0
    """How long running work may go on after a stop was asked, such as `20s`."""
    doctor: DoctorKeys = Field(default=DoctorKeys())
    """How failures of all jobs are treated."""
    stale_model: Name | None = None
    """Alias below `models` that is asked what a change of code means: the strongest you have; the first without it."""
    weight_model: Name | None = None
    """Alias below `models` that advises on the weights between queues when one of them starves beside another, for a
    twentieth of `daily_cost` at most; without it, only `rivus plan --advise` asks."""


class DiscoveryKeys(Keys):
    """Where the items of a job come from. Every other key here is a param of the discovery itself."""

    model_config = ConfigDict(extra="allow")

    use: Dotted
    """Dotted name of the discovery, such as `plugins.todos.scan`."""
    every: Interval | None = None
    """Time between two runs, such as `10m`; with neither this nor `cron` the discovery runs only when asked."""
    cron: Cron | None = None
    """When it runs, as a cron expression in place of `every`, such as `30 6 * * 1-5`."""
    on_commit: bool = False
    """true: it also runs when a commit was made (HEAD of a repository has moved)."""
    on_idle: Span | None = None
    """It also runs when the user has done nothing for so long, such as `30m`; once each time."""
    timeout: Span = SOURCE_TIMEOUT_S
    """A run in which it yields nothing for so long is given up, and tried again later."""


class StageKeys(Keys):
    """One step of a job."""

    handler: Dotted | None = None
    """Dotted name of the function that does the work; the job's `handler` when it is missing."""
    runs: Literal["loop", "process", "thread"] | None = None
    """Where the handler runs: `loop` (an `async def`, without it), `process` (a plain function, without it) or `thread`
    (a plain function that must share memory with the engine, and that nothing can stop)."""
    after: Annotated[list[Name], BeforeValidator(listed, json_schema_input_type=Name | list[Name])] | None = None
    """Stages that must be finished first: a name, a list, or `[]` to start at once. Without it: the stage above."""
    gate: Name | None = None
    """Name of a decision that a person takes before this stage starts, such as `accept`."""
    enabled: bool = True
    """false skips this stage."""
    concurrency: int = Field(default=4, ge=1, le=1_000)
    """How many items may be at this stage at once."""
    timeout: Span = 600.0
    """How long one attempt may take, such as `10m`."""
    attempts: int = Field(default=3, ge=1, le=1_000)
    """How often the stage is tried before it has failed."""
    backoff: Wait = 10.0
    """Wait before the second attempt; it doubles with each further one."""
    backoff_max: Wait = 3_600.0
    """Longest wait between two attempts."""
    later_times: int = Field(default=100, ge=1, le=1_000_000)
    """How often the handler may put an item off (`Later`); then it waits for a person."""
    later_for: Span = 7 * 86_400.0
    """For how long the handler may put an item off, such as `7d`; then it waits for a person."""
    on_interrupt: Literal["retry", "hold"] = "retry"
    """What becomes of an attempt that was cut off in the middle (a crash, a stop, a timeout): `retry`, or `hold` for
    what must not happen twice; then a person decides."""
    pace: Pace | None = None
    """How fast attempts of this stage may start, such as `60/h`."""
    burst: Burst | None = None
    """How many may start at once after a pause; 1 without it."""
    resource: Annotated[list[Name], BeforeValidator(listed, json_schema_input_type=Name | list[Name])] = Field(
        default=[]
    )
    """Shared capacity, named at the top under `resources`, that an attempt holds while it runs."""
    needs: Literal["llm"] | None = None
    """`llm`: the stage is held, with a reason, while no model can be asked."""
    model: Name | None = None
    """Alias, named at the top under `models`, that the handler asks when it names none."""
    max_cost: Money | None = None
    """Most that the model calls of one attempt may cost together: `0.02 USD`."""
    params: dict[str, Any] = Field(default={})
    """What the handler is told; which keys it knows is the handler's own matter."""
    reads: Annotated[list[str], BeforeValidator(listed, json_schema_input_type=str | list[str])] = Field(default=[])
    """Files that count as a part of the stage's code, such as `prompts/*.md`; results made with others are stale."""
    packages: Annotated[list[str], BeforeValidator(listed, json_schema_input_type=str | list[str])] = Field(default=[])
    """Installed packages whose version counts as a part of the stage's code."""
    deterministic: bool = False
    """true: the handler makes the same output from the same item and the same results before it, and does nothing else.
    When its code changes, the new code is tried on stored items, and equal outputs are kept."""
    outputs: dict[Line, Literal["str", "int", "float", "bool", "list", "dict"]] = Field(default={})
    """Fields that the handler's output must have, with their types."""


Stage = Annotated[
    dict[Name, StageKeys],
    BeforeValidator(_stage, json_schema_input_type=Name | dict[Name, StageKeys | None]),
]
"""One entry of `stages`: a name, or one name with its keys."""


class ValidateKeys(Keys):
    """A look at whether the job should work at all. Every other key here is a param of the function."""

    model_config = ConfigDict(extra="allow")

    use: Dotted
    """Dotted name of a function that reads only, and returns why the job should pause, or nothing."""
    every: Interval = 600.0
    """How long its word counts; when it has paused the job, it is asked again after as long."""


Validate = Annotated[
    ValidateKeys,
    BeforeValidator(
        lambda value: {"use": value} if isinstance(value, str) else value,
        json_schema_input_type=Dotted | ValidateKeys,
    ),
]
"""A dotted name, or its keys."""


class GuardKeys(Keys):
    """What pauses a job by itself."""

    check: Validate | None = Field(default=None, alias="validate")
    """The job's own look: a function that returns why it should pause, or nothing."""

    daily_cost: Money | None = None
    """When the job has spent so much in a day, it pauses until the next: `1 USD`."""
    error_rate: ErrorRateKeys | None = None
    """Pauses the job when too many attempts fail: `{over: 30%, window: 15m}`; then one item is tried at a time."""


class JobKeys(Keys):
    """One job: where its items come from, and the stages that each of them goes through."""

    title: Line | None = None
    """Name on the screens; the job's own name when it is missing."""
    emoji: Annotated[str, StringConstraints(max_length=16)] = ""
    """A sign before the title."""
    internal: bool = False
    """true for a job that looks after the codebase itself."""
    enabled: bool = True
    """false keeps the job and its items, and runs nothing of it."""
    discovery: DiscoveryKeys | None = None
    """Where the items come from."""
    check: Dotted | None = None
    """Dotted name of a check, in place of a discovery: what it finds becomes items of the job `findings_to`."""
    every: Interval | None = None
    """Time between two runs of the check."""
    cron: Cron | None = None
    """When the check runs, as a cron expression in place of `every`."""
    on_commit: bool = False
    """true: the check also runs when a commit was made."""
    on_idle: Span | None = None
    """The check also runs when the user has done nothing for so long, such as `30m`; once each time."""
    timeout: Span | None = None
    """A run of the check that yields nothing for so long is given up, and tried again later; `30m` without it."""
    findings_to: Name | None = None
    """Name of the job that receives what the check finds."""
    max_new: int | None = Field(default=None, ge=1)
    """So many new findings may one run of the check bring; the rest is held back, counted and shown."""
    max_open: int | None = Field(default=None, ge=1)
    """So many findings of the check may be open; the rest is held back, counted and shown."""
    params: dict[str, Any] = Field(default={})
    """What the check is told."""
    stages: list[Stage] | None = Field(default=None, min_length=1)
    """Steps in the order in which they run, unless `after` says otherwise."""
    handler: Dotted | None = None
    """Handler of every stage that names none; without `stages`, the job has one stage named `process`."""
    pace: Pace | None = None
    """How fast attempts of all its stages together may start, such as `60/h`."""
    burst: Burst | None = None
    """How many may start at once after a pause; 1 without it."""
    priority: list[Rule] = Field(default=[])
    """Rules from fields and signals of an item to P0 (urgent) to P3; the first that fits decides."""
    triage: list[TriageKeys] = Field(default=[])
    """What is proposed for items that wait at the gate `accept`; the first rule that fits decides."""
    eligibility: EligibilityKeys | None = None
    """When its work may start, and which of its items."""
    recur: Recur | None = None
    """When a finished item comes back: `daily`, `weekly`, a time such as `12h`, or `{cron: 0 6 * * 1}`."""
    still_true: Dotted | None = None
    """Dotted name of a function that is asked just before an item starts, and returns why it need not, or nothing."""
    limit: int | None = Field(default=None, ge=1)
    """The job pauses after so many items were started; resumed, it starts as many again."""
    backlog: int | None = Field(default=None, ge=1)
    """With so many items pending, its discovery (and checks that find for it) add no more."""
    doctor: JobDoctorKeys = Field(default=JobDoctorKeys())
    """How failures of this job are treated."""
    guards: GuardKeys = Field(default=GuardKeys())
    """What pauses this job by itself."""
    detail_columns: list[Line] = Field(default=[])
    """Fields of data and outputs that are shown as columns."""
    keep: Span | None = None
    """How long a finished item is kept, with its results and files, after it was last changed or seen: `90d`; without
    it for ever. What its source gives again later is new then."""
    gone_after: int | None = Field(default=None, ge=1, le=1_000)
    """Complete runs without seeing an item until it counts as gone: 3; for a check 1."""


class ResourceKeys(Keys):
    """Capacity that stages of different jobs share."""

    capacity: int = Field(ge=1, le=10_000)
    """How many attempts may hold it at once."""
    pace: Pace | None = None
    """How fast attempts may start with it, such as `60/h`."""
    burst: Burst | None = None
    """How many may start at once after a pause; 1 without it."""


Resource = Annotated[
    ResourceKeys,
    BeforeValidator(
        lambda value: {"capacity": value} if isinstance(value, int) and not isinstance(value, bool) else value,
        json_schema_input_type=Annotated[int, Field(ge=1)] | ResourceKeys,
    ),
]
"""A resource: its capacity, or its keys."""


class ProjectKeys(Keys):
    """jobs.yaml."""

    version: Literal[1] = 1
    """Version of this format."""
    settings: SettingsKeys = Field(default=SettingsKeys())
    """What holds for the whole project."""
    resources: dict[Name, Resource] = Field(default={})
    """Capacity that stages share: `docs-host: 4`, or `docs-host: {capacity: 4, pace: 60/h}`."""
    backends: dict[Name, BackendKeys] = Field(default={})
    """Ways to reach models that need more than a key: an own server, limits, prices, a backend of your own."""
    models: dict[Name, Model] = Field(default={})
    """Aliases for models: `fast: [openai/gpt-5-mini]`, or `deep: {models: [openai/o3], per_day: 20}`."""
    jobs: dict[Name, JobKeys]
    """The jobs by name."""
