"""The jobs as the store works with them: numbers of rows, and who comes after whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from engine.contracts.spec import JobSpec, StageSpec
from engine.contracts.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage with its row number."""

    id: int
    job_id: int
    job: str
    spec: StageSpec
    before: tuple[int, ...]
    """Stages directly before it."""
    ancestors: tuple[int, ...]
    """All stages before it, in topological order."""
    next: int | None = None
    """The one stage after it, where the job is a chain and that stage has no gate: then no other row of the item has to
    be looked at when this stage is done."""
    still_true: str | None = None
    """Dotted name of what is asked just before a start."""
    internal: bool = False
    """Its job looks after the codebase itself."""
    last: bool = False
    """The end of a chain: when it is done, the item is."""
    version: int | None = None
    """Number of the version of its code; an attempt keeps the one that held when it was claimed. None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """One job with its row number."""

    id: int
    spec: JobSpec
    stages: tuple[int, ...]
    """Row numbers in topological order."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All jobs."""

    jobs: Mapping[str, JobPlan] = field(default_factory=dict)
    stages: Mapping[int, StagePlan] = field(default_factory=dict)
    order: Mapping[int, int] = field(default_factory=dict)
    """Stage number → position in the topological order of its job."""
    timezone: str = "UTC"
    """Where the user lives."""
    by_id: Mapping[int, JobPlan] = field(default_factory=dict)
    """The jobs by row number."""

    def job_of(self, job_id: int) -> JobPlan:
        """Return the job with this row number."""
        return self.by_id[job_id]

    def has_job(self, job_id: int) -> bool:
        """Whether the job with this row number is configured."""
        return job_id in self.by_id


def make_plan(rows: Iterable[tuple[int, JobSpec, Mapping[str, int]]], timezone: str = "UTC") -> Plan:
    """Build the plan from (job number, spec, stage name → stage number)."""
    jobs: dict[str, JobPlan] = {}
    stages: dict[int, StagePlan] = {}
    for job_id, spec, numbers in rows:
        jobs[spec.name] = JobPlan(id=job_id, spec=spec, stages=tuple(numbers[stage.name] for stage in spec.stages))
        chain = _is_chain(spec)
        ancestors: dict[str, tuple[int, ...]] = {}
        for position, stage in enumerate(spec.stages):
            seen: dict[int, None] = {}
            for name in stage.after:
                seen |= dict.fromkeys((*ancestors[name], numbers[name]))
            ancestors[stage.name] = tuple(number for number in jobs[spec.name].stages if number in seen)
            following = spec.stages[position + 1] if chain and position + 1 < len(spec.stages) else None
            stages[numbers[stage.name]] = StagePlan(
                id=numbers[stage.name],
                job_id=job_id,
                job=spec.name,
                spec=stage,
                before=tuple(numbers[name] for name in stage.after),
                ancestors=ancestors[stage.name],
                next=numbers[following.name] if following and not following.gate else None,
                last=chain and following is None,
                still_true=spec.still_true,
                internal=spec.internal,
            )
    order = {number: position for job in jobs.values() for position, number in enumerate(job.stages)}
    return Plan(jobs, stages, order, timezone, {job.id: job for job in jobs.values()})


def _is_chain(spec: JobSpec) -> bool:
    return all(
        stage.enabled and stage.after == ((spec.stages[position - 1].name,) if position else ())
        for position, stage in enumerate(spec.stages)
    )
