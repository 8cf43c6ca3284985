"""Rows for tests of the control room: factories with defaults, and a small project with every state in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from engine.contracts.history import HourView
from engine.contracts.incident import IncidentView
from engine.contracts.since import SinceView
from engine.contracts.staleness import BlessingView, StaleView, SymbolChange
from engine.contracts.states import ItemState, JobState, StageState
from engine.contracts.view import (
    AttemptView,
    ComingView,
    EngineView,
    EventView,
    ItemDetail,
    ItemStageView,
    ItemView,
    JobView,
    LimitUse,
    LimitView,
    RunView,
    StageView,
    StatusView,
)
from engine.rules.holds import QueueNow, job_holds
from tests.tui.incidents import incidents

NOW: Final = 1_767_276_432_000
"""2026-01-01 14:07:12 UTC."""
MINUTE: Final = 60_000
HOUR: Final = 3_600_000

ENGINE: Final = EngineView(pid=4711, epoch="e1", started_at=NOW - HOUR, mode="app", state="running")


def status(**changes: Any) -> StatusView:
    """Return the status of the sample project."""
    view = StatusView(
        project="atlas",
        engine=ENGINE,
        running=3,
        ready=128,
        failed=7,
        waiting=14,
        failed_external=5,
        problem=None,
        badges={"triage": 14, "doctor": 5},
    )
    return replace(view, **changes)


def run(job: str, **changes: Any) -> RunView:
    """Return a finished run."""
    view = RunView(
        id=1,
        job=job,
        state="done",
        started_at=NOW - 8 * MINUTE,
        ended_at=NOW - 8 * MINUTE + 840,
        found=42,
        new=3,
        changed=1,
        gone=0,
        problems=0,
        error=None,
    )
    return replace(view, **changes)


def stage(name: str, position: int, counts: Mapping[StageState, int] | None = None, **changes: Any) -> StageView:
    """Return one stage of a job."""
    view = StageView(
        name=name,
        position=position,
        handler=f"plugins.sample.{name}",
        after=(),
        gate=None,
        enabled=True,
        concurrency=4,
        counts=counts or {},
    )
    return replace(view, **changes)


def job(name: str, *stages: StageView, state: JobState = "active", **changes: Any) -> JobView:
    """Return a job."""
    view = JobView(
        name=name,
        title=name.replace("-", " ").capitalize(),
        emoji="",
        internal=False,
        is_check=False,
        findings_to=None,
        state=state,
        why=None,
        stages=stages,
        items={},
        every_s=600.0,
        cron=None,
        next_run_at=NOW + 2 * MINUTE,
        last_run=run(name),
        oldest_ready_at=None,
        last_error=None,
    )
    view = replace(view, **changes)
    return (
        view if "holds" in changes else replace(view, holds=tuple(job_holds(view.state, view.why, _queues(view), NOW)))
    )


def _queues(view: JobView) -> list[QueueNow]:
    """The queues of a job as the reader sees them; nothing limits them."""
    return [
        QueueNow(
            stage=one.name,
            gate=one.gate,
            enabled=one.enabled,
            counts=one.counts,
            concurrency=one.concurrency,
            buckets=(),
            resources=(),
            next_later_at=NOW + 4 * MINUTE,
        )
        for one in view.stages
    ]


def item(number: int, title: str, state: ItemState = "pending", **changes: Any) -> ItemView:
    """Return an item."""
    view = ItemView(
        id=number,
        key=f"k{number:04d}",
        job="todos",
        title=title,
        state=state,
        stage="brief",
        stage_state="ready" if state == "pending" else "waiting" if state == "waiting" else None,
        priority=None,
        attempts=0,
        why=None,
        path="TODO.md",
        line=10 + number,
        headings=("Engine", "Leases"),
        origin="scan",
        source="todos",
        confidence="high",
        created_at=NOW - 3 * HOUR,
        updated_at=NOW - 20 * MINUTE,
        due_at=None,
        data={"text": title},
    )
    return replace(view, **changes)


def item_stage(name: str, position: int, state: StageState, **changes: Any) -> ItemStageView:
    """Return one item at one stage."""
    view = ItemStageView(
        stage=name,
        position=position,
        state=state,
        gate=None,
        after=(),
        attempts=0,
        max_attempts=3,
        fence=0,
        due_at=None,
        started_at=None,
        ended_at=None,
        why=None,
        choices=(),
        output=None,
        artifacts=(),
        cost_usd_micros=0,
    )
    return replace(view, **changes)


CONTEXT: Final[Mapping[str, Any]] = {
    "summary": "Retry logic swallows CancelledError, so a shutdown waits for the whole timeout.",
    "facts": [["age", "9 days"], ["author", "git blame knows"], ["similar", "none"]],
    "snippet": {
        "path": "src/net.py",
        "start": 202,
        "here": 204,
        "lines": [
            "    try:",
            "        await send()",
            "    except BaseException:  # TODO: swallows it",
            "        log.warning('x')",
        ],
    },
}


def detail(view: ItemView, *stages: ItemStageView, **changes: Any) -> ItemDetail:
    """Return an item with its stages; without any: a context that is done and a gate that waits."""
    if not stages:
        done = item_stage(
            "context", 0, "done", output=CONTEXT, attempts=1, started_at=NOW - HOUR, ended_at=NOW - HOUR + 80
        )
        gate: StageState = "waiting" if view.state == "waiting" else "ready"
        stages = (done, item_stage("brief", 1, gate, gate="accept", after=("context",)))
    found = ItemDetail(
        item=view,
        stages=stages,
        attempts=(),
        events=(event(1, "found by todos", kind="item.found", job=view.job, key=view.key),),
    )
    return replace(found, **changes)


def attempt(stage_name: str, number: int, error_type: str, message: str) -> AttemptView:
    """Return an attempt that failed."""
    call = 'File "check.py", line 88, in check'
    trace = f"Traceback (most recent call last):\n  {call}\n    out.append(x)\n{error_type}: {message}"
    return AttemptView(
        stage=stage_name,
        attempt=number,
        fence=number,
        started_at=NOW - 5 * MINUTE,
        ended_at=NOW - 5 * MINUTE + 2_200,
        error_type=error_type,
        message=message,
        traceback=trace,
    )


def event(number: int, text: str, **changes: Any) -> EventView:
    """Return an event."""
    level: Literal["info"] = "info"
    view = EventView(
        id=number,
        at=NOW - HOUR + number * 1_000,
        level=level,
        kind="stage.done",
        actor="engine",
        job="todos",
        key=None,
        stage=None,
        text=text,
    )
    return replace(view, **changes)


@dataclass(kw_only=True)
class Sample:
    """Rows of a small project."""

    status: StatusView
    jobs: list[JobView]
    details: dict[tuple[str, str], ItemDetail]
    events: list[EventView]
    """Oldest first."""
    incidents: list[IncidentView] = field(default_factory=list)
    runs: list[RunView] = field(default_factory=list)
    """Runs before the last one of each job, newest first."""
    limits: list[LimitView] = field(default_factory=list)
    coming: list[ComingView] = field(default_factory=list)
    stale: list[StaleView] = field(default_factory=list)
    history: dict[str, list[HourView]] = field(default_factory=dict)
    kept: list[BlessingView] = field(default_factory=list)
    judged: dict[int, tuple[SymbolChange, ...]] = field(default_factory=dict)
    """What differs between the versions of a judgement."""
    since: SinceView | None = None
    costly: set[str] = field(default_factory=set)
    """Jobs whose work costs something."""


def sample() -> Sample:
    """Return a project with every state in it."""
    jobs = [
        job(
            "todos",
            stage("context", 0, {"done": 1204}),
            stage("brief", 1, {"waiting": 14, "done": 1180, "skipped": 10}, gate="accept", after=("context",)),
            internal=True, title="TODOs", items={"waiting": 14, "done": 1180, "dropped": 10},
        ),
        job(
            "doc-health", internal=True, is_check=True, findings_to="todos", every_s=86_400.0,
            next_run_at=NOW + 18 * HOUR, items={"waiting": 3, "done": 9},
        ),
        job(
            "docs",
            stage("read", 0, {"ready": 120, "running": 2, "done": 310}),
            stage("outline", 1, {"blocked": 122, "ready": 8, "running": 1, "failed": 5, "done": 304}, after=("read",)),
            stage("index", 2, {"blocked": 131, "done": 303, "later": 2}, after=("outline",)),
            title="Documents", items={"pending": 131, "failed": 5, "done": 303}, oldest_ready_at=NOW - 130_000,
            last_run=run("docs", found=439, new=12, problems=2),
        ),
        job(
            "feeds", stage("fetch", 0, {"ready": 18, "failed": 2, "done": 912}), state="paused",
            why="paused by a person: the provider is down", paused_by="person",
            items={"pending": 18, "failed": 2, "done": 912},
            last_error="fetch: HTTPStatusError: 503 Service Unavailable",
        ),
        job("link-check", stage("process", 0, {"done": 912}), items={"done": 912}, every_s=None, next_run_at=None),
        job(
            "scanner", stage("scan", 0, {}), state="broken", next_run_at=None, last_run=None,
            why="handler plugins.convention.scan: no module of that name; did you mean plugins.conventions.scan?",
        ),
    ]  # fmt: skip
    titles = (
        "retry logic swallows CancelledError", "rename cfg to settings", "add --json to list", "flaky test_lease on CI",
        "drop Python 3.10", "speed up scan: rglob is called twice", "say which file was skipped, and why",
        "漢字のファイル名で列が崩れる", "emoji 👩‍🚀 in a heading moves the border", "document the exit codes",
    )  # fmt: skip
    details: dict[tuple[str, str], ItemDetail] = {}
    for number, title in enumerate(titles, start=1):
        priority = {1: 1, 4: 2}.get(number)
        view = item(number, title, "waiting", why="waits at gate accept", priority=priority)
        details["todos", view.key] = detail(view)
    for number, title in ((11, "maybe: look at the log format"), (12, "cleanup"), (13, "see the note above")):
        view = item(number, title, "waiting", confidence="low", path="docs/TODO.md", headings=())
        details["todos", view.key] = detail(view)
    done = item(20, "cache grep hits", "done", stage=None, stage_state=None, priority=2)
    details["todos", done.key] = detail(
        done,
        item_stage("context", 0, "done", output=CONTEXT, attempts=1, started_at=NOW - HOUR, ended_at=NOW - HOUR + 80),
        item_stage(
            "brief", 1, "done", attempts=1, started_at=NOW - 900_000, ended_at=NOW - 895_900, after=("context",)
        ),
    )
    failed = item(
        30, "docs/guide/install.md", "failed", key="docs/guide/install.md", job="docs", stage="outline",
        stage_state="failed", attempts=3, why="KeyError: 'section'", path="docs/guide/install.md", line=None,
        headings=(), source="docs", confidence=None,
    )  # fmt: skip
    details["docs", failed.key] = detail(
        failed,
        item_stage(
            "read", 0, "done", attempts=1, started_at=NOW - 5 * MINUTE - 4_100, ended_at=NOW - 5 * MINUTE - 3_200,
            output={"words": 1204},
        ),
        item_stage(
            "outline", 1, "failed", attempts=3, started_at=NOW - 5 * MINUTE, ended_at=NOW - 5 * MINUTE + 2_200,
            why="KeyError: 'section'", after=("read",),
        ),
        item_stage("index", 2, "blocked", after=("outline",)),
        attempts=(attempt("outline", 3, "KeyError", "'section'"), attempt("outline", 2, "KeyError", "'section'")),
    )  # fmt: skip
    running = item(
        31, "docs/guide/upgrade.md", "pending", key="docs/guide/upgrade.md", job="docs", stage="read",
        stage_state="running", attempts=1, path="docs/guide/upgrade.md", line=None, headings=(), source="docs",
    )  # fmt: skip
    details["docs", running.key] = detail(
        running,
        item_stage("read", 0, "running", attempts=1, started_at=NOW - 4_000),
        item_stage("outline", 1, "blocked", after=("read",)),
        item_stage("index", 2, "blocked", after=("outline",)),
    )
    asking = item(
        32, "docs/ref/errors.md", "waiting", key="docs/ref/errors.md", job="docs", stage="outline",
        why="Two headings have the same name: which one is meant?", path="docs/ref/errors.md", line=7, headings=(),
    )  # fmt: skip
    details["docs", asking.key] = detail(
        asking,
        item_stage("read", 0, "done", attempts=1, started_at=NOW - 9_900, ended_at=NOW - 9_000, output={"words": 99}),
        item_stage(
            "outline", 1, "waiting", attempts=1, why="Two headings have the same name: which one is meant?",
            choices=("the first", "the second", "both"), after=("read",),
        ),
        item_stage("index", 2, "blocked", after=("outline",)),
    )  # fmt: skip
    texts = (
        ("engine started (pid 4711)", "engine.started", "info", "engine"),
        ("todos: 42 found, 3 new", "run.done", "info", "discovery"),
        ("docs/guide/install.md: outline failed, KeyError: 'section'", "stage.failed", "error", "engine"),
        ("feeds paused: the provider is down", "job.paused", "warning", "person"),
        ("accepted 'cache grep hits'", "item.accepted", "info", "person"),
        ("docs/ref/cli.md: read done", "stage.done", "info", "engine"),
    )
    events = [
        event(number, text, kind=kind, level=level, actor=actor)
        for number, (text, kind, level, actor) in enumerate(texts * 5, start=1)
    ]
    found = (9, 12, 12, 7, 15, 14, 3, 3, 5, 11)
    runs = [
        run(
            "doc-health", id=number, found=many, new=many // 4, gone=many // 3,
            started_at=NOW - number * 24 * HOUR, ended_at=NOW - number * 24 * HOUR + 2_400,
        )
        for number, many in enumerate(found, start=2)
    ]  # fmt: skip
    runs.insert(4, run("doc-health", id=99, state="failed", error="git: not a repository", started_at=NOW - 60 * HOUR))
    return Sample(
        status=status(),
        jobs=jobs,
        details=details,
        events=events,
        incidents=incidents(),
        runs=runs,
        limits=limits(),
        coming=coming(),
        history={
            "docs": hours(8, 21, 34, 30, 12, 0, 4, 18, 60, 44, 31, 25, spent=12_000),
            "todos": hours(3, 0, 0, 9, 14, 2),
            "feeds": hours(40, 41, 39, 44, 12, 0, 0, 0, 0, 0),
        },
    )


def hours(*settled: int, spent: int = 0) -> list[HourView]:
    """Return hours of a job, the last one passes: so much settled in each, `spent` micro-dollars for each of them."""
    return [
        HourView(
            hour=NOW - NOW % HOUR - back * HOUR, settled=many, usd_micros=many * spent, state="active",
            ready=100 + 10 * back, running=2, done=300 - back, failed=5,
        )
        for back, many in zip(range(len(settled) - 1, -1, -1), settled, strict=True)
    ]  # fmt: skip


def with_finding(rows: Sample) -> Sample:
    """Return rows with something that a check has found."""
    broken = item(
        40, "docs/guide/install.md: link to #setup leads nowhere", "waiting", source="doc-health", origin="check",
        path="docs/guide/install.md", line=31, headings=(), data={"rule": "broken-anchor", "check": "doc-health"},
        created_at=NOW - HOUR,
    )  # fmt: skip
    rows.details["todos", broken.key] = detail(broken)
    return rows


def limits() -> list[LimitView]:
    """Return a resource that is full, one with a pace, a pace alone, and the slots of a stage."""
    read = LimitUse(job="docs", stage="read", running=2, ready=120, ready_since=NOW - 130_000)
    fetch = LimitUse(job="feeds", stage="fetch", running=0, ready=18, ready_since=NOW - 3 * HOUR)
    outline = LimitUse(job="docs", stage="outline", running=1, ready=8, ready_since=NOW - 12_000)

    def limit(name: str, kind: Literal["resource", "pace", "slots"], *uses: LimitUse, **more: Any) -> LimitView:
        plain = LimitView(name=name, kind=kind, capacity=None, held=0, pace=None, next_at=None, uses=uses)
        return replace(plain, **more)

    return [
        limit("disk", "resource", read, capacity=2, held=2),
        limit("provider", "resource", fetch, capacity=4, held=0, pace="60/h", next_at=NOW + 48_000),
        limit("feeds.fetch", "pace", fetch, pace="5/10m", next_at=NOW - 1),
        limit("docs.outline", "slots", outline, capacity=4, held=1),
    ]


def coming() -> list[ComingView]:
    """Return what waits before the stage that reads documents."""
    return [
        ComingView(
            job="docs", stage="read", key=f"docs/{name}.md", title=f"docs/{name}.md", priority=priority,
            ready_at=NOW - 130_000 + number * 9_000, holds=(),
        )
        for number, (name, priority) in enumerate((("auth", 1), ("tokens", None), ("limits", None)))
    ]  # fmt: skip
