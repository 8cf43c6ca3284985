"""What a verdict means: pure choice of what happens to the rows, and the acts that are stored with the verdict."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import field
from typing import Final
from zoneinfo import ZoneInfo

from engine.contracts.doctor import Action, DoctorSpec
from engine.contracts.spec import ProjectSpec, StageSpec
from engine.contracts.values import dataclass
from engine.contracts.verdict import Verdict
from engine.kit.safe_text import safe_line
from engine.rules.breaker import trips
from engine.rules.tiers import due_at
from engine.store import breakers, doctor_acts
from engine.store.incidents import Judged
from engine.store.plan import Plan

THROTTLED_S: Final = 60.0
"""How long to wait when the other side does not say."""
LONGEST_WAIT_S: Final = 86_400.0
PATIENCE: Final = 100
"""So many claims of one row, and being throttled counts as an attempt."""


@dataclass(slots=True)
class Acted:
    """What was done about a batch, for those who are not the store."""

    paused: set[int] = field(default_factory=set)
    """Jobs."""
    hot: set[int] = field(default_factory=set)
    """Stages whose breaker has counted something."""
    slowed: dict[int, int] = field(default_factory=dict)
    """Stage → until when nothing of its buckets starts."""
    next_later: int | None = None
    """When the first of the rows that were put off comes back."""
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """(key, title, text) of messages to people."""


def fate(verdict: Verdict, actions: Sequence[Action], stage: StageSpec, now: int) -> tuple[str, int | None]:
    """What happens to the rows: `leave` them to their backoff, `fail` them, or `later` with the time."""
    if "fail" in actions:
        return "fail", None
    if verdict.cls == "throttled" and "later" in actions:
        return "later", asked_for(verdict, stage, now)
    return "leave", None


def asked_for(verdict: Verdict, stage: StageSpec, now: int) -> int:
    """When a throttled row comes back: when the other side said, else after a minute; ms UTC."""
    wait = max(THROTTLED_S, stage.backoff_s) if verdict.retry_after_s is None else max(1.0, verdict.retry_after_s)
    at = now + round(min(wait, LONGEST_WAIT_S) * 1_000)
    if verdict.retry_at is not None and now < verdict.retry_at <= now + LONGEST_WAIT_S * 1_000:
        return max(verdict.retry_at, at) if verdict.retry_after_s is not None else verdict.retry_at
    return at


def enact(
    connection: sqlite3.Connection,
    plan: Plan,
    project: ProjectSpec,
    group: Judged,
    incident: int,
    acted: Acted,
    now: int,
) -> None:
    """Count, pause, and plan what a group of equal failures asks for; in the transaction that stores the verdict."""
    stage = plan.stages[group.stage_id]
    spec = plan.jobs[stage.job].spec.doctor
    actions = spec.actions.get(group.verdict.cls, ())
    plans = _Plans(connection, project, incident, stage.job_id, stage.id, now)
    if group.fate != "leave":
        plans.note(group.fate, _rows(group))
    if "slow" in actions and group.due_at is not None:
        acted.slowed[stage.id] = max(group.due_at, acted.slowed.get(stage.id, 0))
        plans.note("slow", "nothing of its buckets starts before it is allowed again")
    if "pause" in actions:
        _count(connection, plan, group, spec, plans, acted, now)
    text = f"{group.verdict.reason}. {group.verdict.fix}".strip()
    title = safe_line(f"{stage.job}: {group.verdict.cls}: {group.label}", 200)
    if "notify" in actions and plans.begin("notify", title) and plans.tier("notify") == "low":
        acted.told.append((f"incident:{incident}", title, text))
    if "todo" in actions:
        plans.begin("todo", title)


def _count(
    connection: sqlite3.Connection,
    plan: Plan,
    group: Judged,
    spec: DoctorSpec,
    plans: _Plans,
    acted: Acted,
    now: int,
) -> None:
    stage, cls = plan.stages[group.stage_id], group.verdict.cls
    score = breakers.count(connection, stage.id, cls, len(group.failures), now)
    acted.hot.add(stage.id)
    if not trips(score, spec.thresholds.get(cls)):
        return
    why = safe_line(f"{cls}, {round(score)} failures at {stage.spec.name}: {group.label}", 200)
    if plans.tier("pause") != "low":
        if plans.begin("pause", why):
            acted.told.append((f"pause:{stage.job}", f"{stage.job} will be paused", why))
        return
    if breakers.trip(connection, plan, stage.id, cls, why=why, probe_s=spec.probe_s, now=now):
        acted.paused.add(stage.job_id)
        plans.note("pause", why)
        acted.told.append((f"pause:{stage.job}", f"{stage.job} is paused", why))


def _rows(group: Judged) -> str:
    n = len(group.failures)
    return f"{n} {'item' if n == 1 else 'items'}"


class _Plans:
    """Notes what was done about an incident, and plans what has to wait for a veto."""

    def __init__(
        self, connection: sqlite3.Connection, project: ProjectSpec, incident: int, job: int, stage: int, now: int
    ) -> None:
        self._connection = connection
        self._settings = project.settings.doctor
        self._zone = ZoneInfo(project.settings.timezone)
        self._incident = incident
        self._job = job
        self._stage = stage
        self._now = now

    def tier(self, action: Action) -> str:
        """The risk of an action."""
        return self._settings.tiers.get(action, "low")

    def note(self, action: Action | str, text: str) -> None:
        """It was done; told once an incident and job, not for each failure."""
        doctor_acts.note(self._connection, self._incident, self._job, self._stage, action, text, self._now)

    def begin(self, action: Action, text: str) -> bool:
        """Plan an action for its time; False when it is planned, or was done lately."""
        settings = self._settings
        tier = settings.tiers.get(action, "low")
        at = due_at(tier, self._now, grace_s=settings.grace_s, hours=settings.hours, zone=self._zone)
        return doctor_acts.plan(
            self._connection, self._incident, self._job, self._stage, action, tier, text, at, self._now
        )
