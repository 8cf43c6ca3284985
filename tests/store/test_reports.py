"""Reports read sums that are kept with each attempt that ends, and say what the attempts themselves would say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store import sql
from engine.store.reader import Reader
from engine.store.rollups import KEPT_MS
from engine.store.upkeep import prune
from tests.factories import Ground, chain, finished, job, left
from tests.store.test_sql import explain

Make = Callable[..., Ground]
HOUR = 3_600_000


@pytest.fixture
def ground(make_ground: Make) -> Ground:
    return make_ground(job("docs", *chain("read", "sum")))


def reader(ground: Ground) -> Reader:
    return Reader(ground.state, project="test", clock=ground.clock)


def test_attempts_are_counted_as_they_end(ground: Ground) -> None:
    ground.add(*(f"k{number}" for number in range(10)))
    claims = ground.claim("read")
    ground.end(
        *(finished(claim, ms=100, cost_usd_micros=1_000) for claim in claims[:7]),
        left(claims[7], "fail"),
        left(claims[8], "retry_later", due_at=ground.now + 9 * HOUR),
        left(claims[9], "release", due_at=ground.now),
    )
    (report,) = reader(ground).report("docs", ground.now - HOUR)
    read, summed = report.stages
    assert read.ended == {"done": 7, "failed": 1, "retried": 1}
    assert read.success == pytest.approx(7 / 9)
    assert read.p50_ms == pytest.approx(100, rel=0.2)
    assert (read.open, read.usd_micros) == (2, 7_000)
    assert (summed.ended, summed.p95_ms, summed.open) == ({}, None, 10)
    assert (report.usd_micros, sum(report.per_day.values())) == (7_000, 7_000)
    assert report.eta_s is None  # nothing has passed the last stage yet


def test_a_result_that_was_refused_counts_for_nothing(ground: Ground) -> None:
    ground.add("a")
    claim = ground.claim_one("read")
    ground.command("drop", "a")
    ground.end(finished(claim))
    assert ground.rows("SELECT * FROM rollups") == []


def test_pace_and_the_time_that_is_left(ground: Ground) -> None:
    ground.add(*(f"k{number}" for number in range(12)))
    for claim in ground.claim("read", 8):
        ground.end(finished(claim), free={"sum": 0})
    ground.end(*(finished(claim) for claim in ground.claim("sum", 4)))
    ground.clock.advance(2 * 3_600)
    (report,) = reader(ground).report("docs", ground.now - 24 * HOUR)
    read, summed = report.stages
    assert (read.per_hour, summed.per_hour) == (4.0, 2.0)
    assert (read.open, summed.open) == (4, 8)
    assert report.eta_s == 4 * 3_600
    assert read.oldest_ready_at == ground.now - 2 * HOUR


def test_only_what_ended_since_then_counts(ground: Ground) -> None:
    ground.add("old", "new")
    ground.end(finished(ground.claim_one("read")))
    ground.clock.advance(3 * 3_600)
    ground.end(finished(ground.claim_one("read")))
    (report,) = reader(ground).report("docs", ground.now - HOUR)
    assert report.stages[0].ended == {"done": 1}


def test_rows_follow_from_hours_and_stages_not_from_items(ground: Ground) -> None:
    ground.add(*(f"k{number}" for number in range(100)))
    ground.finish("read")
    ground.finish("sum")
    assert ground.db.execute("SELECT count(*), sum(n) FROM rollups").fetchone() == (2, 200)
    assert ground.rows("SELECT count(*) AS n FROM events WHERE kind = 'stage.done'") == [{"n": 200}]


def test_old_hours_go(ground: Ground) -> None:
    ground.add("a")
    ground.finish("read")
    ground.clock.advance(KEPT_MS / 1000 + 7_200)
    ground.do(prune, ground.now)
    assert ground.rows("SELECT * FROM rollups") == []


@pytest.mark.parametrize("name", ["ended", "recent", "prune"])
def test_a_report_reads_a_range_of_hours(ground: Ground, name: str) -> None:
    lines = [row[3] for row in explain(ground.db, "EXPLAIN QUERY PLAN " + sql.load("rollups")[name])]
    assert any("SEARCH rollups USING PRIMARY KEY (hour" in line for line in lines), lines


@pytest.mark.parametrize("name", sorted(sql.load("rollups")))
def test_no_statement_of_reports_touches_items(name: str) -> None:
    text = sql.load("rollups")[name]
    assert "items" not in text
    assert "item_stages" not in text
