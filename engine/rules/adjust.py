"""A configuration with the limits that a person has set in place of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.contracts.adjustment import Adjustment, LimitKind
from engine.contracts.rate import Rate
from engine.contracts.spec import JobSpec, ProjectSpec, ResourceSpec, StageSpec


def adjusted(project: ProjectSpec, adjustments: Sequence[Adjustment]) -> ProjectSpec:
    """Return the configuration with these limits; one that is not there any more changes nothing."""
    if not adjustments:
        return project
    wanted = {(one.kind, one.name): one.value for one in adjustments}

    def number(kind: LimitKind, name: str, configured: int) -> int:
        value = wanted.get((kind, name))
        return value if isinstance(value, int) else configured

    def pace(kind: LimitKind, name: str, configured: Rate | None) -> Rate | None:
        value = wanted.get((kind, name))
        return value if isinstance(value, Rate) else configured

    def resource(spec: ResourceSpec) -> ResourceSpec:
        capacity = number("resource", spec.name, spec.capacity)
        return replace(spec, capacity=capacity, pace=pace("resource pace", spec.name, spec.pace))

    def stage(job: JobSpec, spec: StageSpec) -> StageSpec:
        name = f"{job.name}.{spec.name}"
        return replace(spec, concurrency=number("slots", name, spec.concurrency), pace=pace("pace", name, spec.pace))

    def job(spec: JobSpec) -> JobSpec:
        stages = tuple(stage(spec, one) for one in spec.stages)
        return replace(spec, stages=stages, pace=pace("pace", spec.name, spec.pace))

    return replace(
        project,
        resources=tuple(resource(one) for one in project.resources),
        jobs=tuple(job(one) for one in project.jobs),
    )


def limits(project: ProjectSpec) -> dict[tuple[LimitKind, str], str | None]:
    """Return every limit of a configuration that can be set, with its value; None where it sets none."""
    found: dict[tuple[LimitKind, str], str | None] = {}
    for resource in project.resources:
        found["resource", resource.name] = str(resource.capacity)
        found["resource pace", resource.name] = str(resource.pace) if resource.pace else None
    for job in project.jobs:
        found["pace", job.name] = str(job.pace) if job.pace else None
        for stage in job.stages:
            found["slots", f"{job.name}.{stage.name}"] = str(stage.concurrency)
            found["pace", f"{job.name}.{stage.name}"] = str(stage.pace) if stage.pace else None
    return found
