"""What may be claimed: nothing beyond slots, pace and resources, and turns for those who share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.contracts.rate import Rate
from engine.contracts.spec import JobSpec, ProjectSpec, ResourceSpec, Settings, StageSpec
from engine.services.allowance import Allowance, Limits
from engine.store.plan import Plan, make_plan

NOW = 1_800_000_000_000


def stage(name: str, **more: object) -> StageSpec:
    return replace(StageSpec(name=name, handler="x.y", is_async=True), **more)  # type: ignore[arg-type]


def project(*jobs: JobSpec, resources: tuple[ResourceSpec, ...] = ()) -> tuple[ProjectSpec, Plan]:
    spec = ProjectSpec(root=Path(), source=None, settings=Settings(), resources=resources, jobs=jobs)
    rows = []
    number = 0
    for job_id, job in enumerate(jobs, start=1):
        names = {}
        for part in job.stages:
            number += 1
            names[part.name] = number
        rows.append((job_id, job, names))
    return spec, make_plan(rows)


def limits(*jobs: JobSpec, resources: tuple[ResourceSpec, ...] = ()) -> Limits:
    found = Limits({})
    found.configure(*project(*jobs, resources=resources))
    return found


def job(name: str, *stages: StageSpec, pace: Rate | None = None) -> JobSpec:
    return JobSpec(name=name, title=name, stages=stages, pace=pace)


def claim_all(allowance: Allowance, queued: dict[int, int], weights: dict[int, float] | None = None) -> dict[int, int]:
    """Claim as the writer does, from queues of these lengths; returns stage → claimed."""
    got = dict.fromkeys(queued, 0)
    for number, n in allowance.turns(tuple(queued), weights or {}):
        took = min(n, queued[number] - got[number])
        allowance.take(number, took)
        got[number] += took
    return got


def test_a_stage_without_limits_gets_its_slots() -> None:
    allowance = limits(job("a", stage("s"))).open({1: 4}, lambda _: 0, NOW)

    assert claim_all(allowance, {1: 100}) == {1: 4}


def test_pace_gives_its_burst_and_then_waits() -> None:
    found = limits(job("a", stage("s", pace=Rate(count=60, per_s=3_600, burst=3))))
    allowance = found.open({1: 50}, lambda _: 0, NOW)

    assert claim_all(allowance, {1: 100}) == {1: 3}
    found.adopt(allowance)
    assert found.open({1: 50}, lambda _: 0, NOW).limit(1) == 0
    assert found.next_at({1}, NOW) == NOW + 60_000


def test_a_group_that_was_not_committed_uses_up_nothing() -> None:
    found = limits(job("a", stage("s", pace=Rate(count=1, per_s=60))))
    claim_all(found.open({1: 1}, lambda _: 0, NOW), {1: 1})

    assert found.open({1: 1}, lambda _: 0, NOW).limit(1) == 1


def test_the_pace_of_a_job_holds_for_all_its_stages_together() -> None:
    pace = Rate(count=1, per_s=60, burst=3)
    allowance = limits(job("a", stage("s"), stage("t"), pace=pace)).open({1: 9, 2: 9}, lambda _: 0, NOW)

    assert sum(claim_all(allowance, {1: 100, 2: 100}).values()) == 3


def test_a_resource_counts_what_every_stage_holds_of_it() -> None:
    shared = (ResourceSpec(name="host", capacity=5),)
    found = limits(
        job("a", stage("s", resources=("host",))), job("b", stage("s", resources=("host",))), resources=shared
    )

    allowance = found.open({1: 9, 2: 9}, {1: 2, 2: 2}.__getitem__, NOW)

    assert sum(claim_all(allowance, {1: 100, 2: 100}).values()) == 1


def test_jobs_that_share_a_resource_take_turns() -> None:
    shared = (ResourceSpec(name="host", capacity=6),)
    found = limits(
        job("a", stage("s", resources=("host",))), job("b", stage("s", resources=("host",))), resources=shared
    )

    assert claim_all(found.open({1: 9, 2: 9}, lambda _: 0, NOW), {1: 1_000, 2: 1_000}) == {1: 3, 2: 3}


def test_a_single_slot_goes_round() -> None:
    shared = (ResourceSpec(name="host", capacity=1),)
    found = limits(
        job("a", stage("s", resources=("host",))), job("b", stage("s", resources=("host",))), resources=shared
    )
    order = []
    for _ in range(4):
        allowance = found.open({1: 9, 2: 9}, lambda _: 0, NOW)
        got = claim_all(allowance, {1: 1_000, 2: 1_000})
        order += [number for number, n in got.items() if n]
        found.adopt(allowance)

    assert order == [1, 2, 1, 2]


def test_an_empty_queue_leaves_its_turn_to_the_others() -> None:
    shared = (ResourceSpec(name="host", capacity=4),)
    found = limits(
        job("a", stage("s", resources=("host",))), job("b", stage("s", resources=("host",))), resources=shared
    )

    assert claim_all(found.open({1: 9, 2: 9}, lambda _: 0, NOW), {1: 0, 2: 1_000}) == {1: 0, 2: 4}


def test_a_limited_stage_is_never_taken_along_directly() -> None:
    found = limits(job("a", stage("s"), stage("t", pace=Rate(count=1, per_s=1))))

    assert found.open({1: 4, 2: 4}, lambda _: 0, NOW).direct(set()) == {1: 4}


def test_queues_share_by_their_weights_and_one_that_comes_back_catches_nothing_up() -> None:
    shared = (ResourceSpec(name="host", capacity=4),)
    found = limits(
        job("a", stage("s", resources=("host",))), job("b", stage("s", resources=("host",))), resources=shared
    )

    def go(queued: dict[int, int], weights: dict[int, float]) -> dict[int, int]:
        allowance = found.open({1: 9, 2: 9}, lambda _: 0, NOW)
        got = claim_all(allowance, queued, weights)
        found.adopt(allowance)
        return got

    assert go({1: 1_000, 2: 1_000}, {1: 3.0, 2: 1.0}) == {1: 3, 2: 1}
    for _ in range(50):
        assert go({1: 1_000}, {1: 3.0}) == {1: 4}
    both = go({1: 1_000, 2: 1_000}, {1: 1.0, 2: 1.0})
    assert both[1] in (1, 2)  # not none, though the other one has had fifty turns less
    assert sum(both.values()) == 4


def test_clock_that_was_years_ahead_holds_nobody_back_for_years() -> None:
    found, years = limits(job("a", stage("s"))), 3_650 * 86_400_000
    found.open({1: 4}, lambda _: 0, NOW + years)
    found.slow(1, NOW + years + 60_000)
    assert claim_all(found.open({1: 4}, lambda _: 0, NOW), {1: 9}) == {1: 0}
    assert claim_all(found.open({1: 4}, lambda _: 0, NOW + 60_001), {1: 9}) == {1: 4}
