"""What happened since a time, and what is still to be paid for."""

from __future__ import annotations

from collections.abc import Callable

from engine.contracts.rate import Rate
from engine.store import forecasts, rollups, since_views
from tests.factories import Ground, chain, finished, job, left, stage

HOUR = 3_600_000


def run(ground: Ground, stage_name: str, ms: int, cost: int) -> None:
    """Let everything that is ready at a stage end well, after so long, at so much."""
    claims = ground.claim(stage_name)
    ground.clock.advance(ms / 1000)
    ground.end(*(finished(claim, {"n": 1}, cost_usd_micros=cost, ms=ms) for claim in claims))


def test_sums_are_of_what_came_after(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("fetch", "read")), job("feeds"))
    ground.add("a", "b")
    run(ground, "fetch", 1_000, 0)
    run(ground, "read", 1_000, 500)
    ground.clock.advance(2 * 3_600)
    began = ground.now
    assert since_views.read(ground.db, began).is_quiet
    ground.add("c", "d")
    run(ground, "fetch", 1_000, 200)
    (one, other) = ground.claim("read")
    ground.end(finished(one, cost_usd_micros=300), left(other, "fail", "boom"))
    ground.command("prioritise", "d", priority=1)
    ground.command("pause", job="feeds", why="a look")
    view = since_views.read(ground.db, began)
    (docs,) = view.jobs
    assert (docs.job, docs.finished, docs.failed, docs.usd_micros) == ("docs", 1, 1, 700)
    assert (view.failed, view.waiting, view.paused) == (1, 0, {"feeds": "a look"})
    assert view.deeds == {"prioritise": 1, "pause": 1}


def test_forecast_is_by_what_was_and_the_slowest_stage_decides(make_ground: Callable[..., Ground]) -> None:
    pace = Rate(count=60, per_s=3_600)
    ground = make_ground(
        job(
            "docs",
            stage("fetch", concurrency=2),
            stage("read", after=("fetch",), pace=pace),
            stage("new", after=("read",)),
        )
    )
    ground.add("a")
    run(ground, "fetch", 4_000, 1_000)
    run(ground, "read", 1_000, 2_000)
    ground.add(*(f"k{number}" for number in range(10)))
    found = ground.do(forecasts.of_job, ground.job().id)
    assert (found.usd_micros, found.ms, found.unknown) == (10 * 1_000 + 10 * 2_000, 10 * 60_000, ("docs.new",))


def test_paces_are_read_as_they_are_stored() -> None:
    for rate, ms in ((Rate(count=60, per_s=3_600, burst=5), 60_000), (Rate(count=0.5, per_s=10), 20_000)):
        assert forecasts._interval_ms(str(rate)) == ms
    assert rollups.OUTCOMES["fail"] == "failed"
