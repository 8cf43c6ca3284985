"""Money is booked with the result it bought, and a daily limit pauses until the next day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.contracts.spec import ProjectSpec, Settings
from engine.rules.budget import day_bounds, dollars
from engine.store import cost_rows, job_rows, spend
from tests.factories import Ground, finished, job

UTC = ZoneInfo("UTC")


def guard(ground: Ground, total: int | None = None) -> set[int]:
    settings = Settings(timezone="UTC", daily_cost_usd_micros=total)
    jobs = tuple(plan.spec for plan in ground.plan.jobs.values())
    project = ProjectSpec(root=Path(), source=None, settings=settings, jobs=jobs)
    return ground.do(spend.guard, ground.plan, project, ground.now)


def buy(ground: Ground, usd_micros: int, name: str = "docs") -> None:
    ground.add(f"item {ground.now}", job=name)
    ground.end(*(finished(claim, cost_usd_micros=usd_micros) for claim in ground.claim(job=name)))
    ground.clock.advance(1)


def test_what_results_cost_is_booked_by_job(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"), job("feeds"))
    buy(ground, 300)
    buy(ground, 200)
    buy(ground, 50, "feeds")

    assert spend.since(ground.db, 0) == {ground.job("docs").id: 500, ground.job("feeds").id: 50}


def test_a_limit_pauses_its_own_job_until_the_day_ends(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(replace(job("docs"), daily_cost_usd_micros=1_000), job("feeds"))
    buy(ground, 999)
    buy(ground, 5_000, "feeds")
    assert guard(ground) == set()

    buy(ground, 1)

    assert guard(ground) == {ground.job("docs").id}
    (row,) = ground.rows("SELECT * FROM jobs WHERE name = 'docs'")
    assert (row["state"], row["paused_by"]) == ("paused", "guard")
    assert row["paused_until"] == day_bounds(ground.now, UTC)[1]
    assert "$0.0010 of $0.0010" in row["why"]
    (view,) = (view for view in job_rows.read(ground.db, ground.now) if view.name == "docs")
    assert (view.paused_until, view.holds[0].until) == (row["paused_until"], row["paused_until"])


def test_the_pause_ends_by_itself_when_the_day_does(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(replace(job("docs"), daily_cost_usd_micros=1_000))
    buy(ground, 1_000)
    guard(ground)
    end = day_bounds(ground.now, UTC)[1]

    assert ground.wake() == end
    ground.clock.advance((end - ground.now) / 1000)
    ground.wake()

    assert ground.rows("SELECT state FROM jobs") == [{"state": "active"}]
    assert guard(ground) == set()


def test_a_person_who_resumes_sets_the_guard_aside_for_that_day(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(replace(job("docs"), daily_cost_usd_micros=1_000))
    buy(ground, 1_000)
    guard(ground)
    assert ground.command("resume").ok
    buy(ground, 1_000)

    assert guard(ground) == set()
    ground.clock.advance(86_400)
    buy(ground, 1_000)
    assert guard(ground) == {ground.job("docs").id}


def test_the_limit_of_all_pauses_those_that_spent(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"), job("feeds"), job("free"))
    buy(ground, 600)
    buy(ground, 500, "feeds")

    assert guard(ground, total=1_000) == {ground.job("docs").id, ground.job("feeds").id}


def test_days_follow_the_local_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = day_bounds(1_774_774_800_000, berlin)  # 2026-03-29, the short day

    assert (end - start) // 3_600_000 == 23


def test_small_amounts_are_not_rounded_away() -> None:
    assert [dollars(n) for n in (0, 1_200, 1_840_000)] == ["$0.00", "$0.0012", "$1.84"]


def test_a_paused_job_that_leaves_the_configuration_is_not_waited_for(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(replace(job("docs"), daily_cost_usd_micros=1_000), job("feeds"))
    buy(ground, 1_000)
    guard(ground)
    ground.sync(job("feeds"))

    assert spend.next_end(ground.db) is None


def test_costs_tell_which_stages_took_the_money_and_when(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"), job("feeds"))
    buy(ground, 300)
    buy(ground, 50, "feeds")
    ground.clock.advance(3_600)
    buy(ground, 200)

    view = cost_rows.costs(ground.db, 0, ground.now)

    assert [(row.name.split(".")[0], row.calls, row.usd_micros) for row in view.stages] == [
        ("docs", 2, 500), ("feeds", 1, 50),
    ]  # fmt: skip
    assert [usd_micros for _, usd_micros in view.quarters] == [350, 200]
    (one, other) = (at for at, _ in view.quarters)
    assert other - one == 3_600_000


def test_a_request_tells_which_stage_asked(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"))
    (stage_id, name) = ground.db.execute("SELECT id, name FROM stages ORDER BY position LIMIT 1").fetchone()
    told = (ground.job("docs").id, stage_id)
    ground.db.execute(
        "INSERT INTO model_calls (at, ended_at, epoch, job_id, stage_id, alias, backend, mode, purpose, state, "
        "worst_usd_micros) VALUES (1, 2, 1, ?, ?, 'fast', 'house', 'plain', 'ask', 'settled', 5)",
        told,
    )

    assert [(call.job, call.stage, call.model) for call in cost_rows.calls(ground.db, 0, 9)] == [
        ("docs", name, "house/plain"),
    ]  # fmt: skip
