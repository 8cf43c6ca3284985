"""Money that attempts spend by themselves: reserved, booked with their end or after a crash, and never twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store import checkpoints, model_calls, outlays, spend
from engine.store.budgets import Budget, Refusal
from engine.store.claims import Claim
from engine.store.model_calls import Asker, NewCall
from tests.factories import Ground, finished, job, left


def reserve(ground: Ground, claim: Claim, worst: int, owed: int = 0) -> Refusal | None:
    return ground.do(outlays.reserve, claim, owed=owed, worst=worst, epoch=ground.epoch, now=ground.now)


def claimed(ground: Ground, key: str) -> Claim:
    ground.add(key)
    return ground.claim_one()


def limit(ground: Ground, usd_micros: int, job_id: int = 0) -> None:
    ground.db.execute("INSERT INTO budgets VALUES (?, ?, 'UTC')", (job_id, usd_micros))


def spent(ground: Ground) -> int:
    return sum(spend.since(ground.db, 0).values())


def open_outlays(ground: Ground) -> list[int]:
    return [row["usd_micros"] for row in ground.rows("SELECT usd_micros FROM outlays ORDER BY item_id")]


def test_end_books_what_was_spent_and_nothing_else(ground: Ground) -> None:
    done, failed = claimed(ground, "a"), claimed(ground, "b")
    for claim in (done, failed):
        assert reserve(ground, claim, 1_000) is None
    ground.end(finished(done, cost_usd_micros=200), left(failed, "fail", cost_usd_micros=1_000))
    assert (spent(ground), open_outlays(ground)) == (1_200, [])
    assert ground.do(outlays.lose, ground.epoch + 1, ground.now) == 0
    assert spent(ground) == 1_200


def test_late_end_settles_what_was_reserved(ground: Ground) -> None:
    claim = claimed(ground, "a")
    reserve(ground, claim, 1_000)
    ground.db.execute("UPDATE item_stages SET fence = fence + 1")
    ground.end(left(claim, "late", cost_usd_micros=300))
    assert (spent(ground), open_outlays(ground)) == (300, [])


def test_crash_leaves_the_most_that_may_be_spent(ground: Ground) -> None:
    first, second = claimed(ground, "a"), claimed(ground, "b")
    reserve(ground, first, 1_000)
    reserve(ground, second, 1_000)
    ground.do(outlays.owe, second, 250)
    assert ground.do(outlays.lose, ground.epoch, ground.now) == 0, "its own attempts live"
    assert ground.do(outlays.lose, ground.epoch + 1, ground.now) == 2
    assert (spent(ground), open_outlays(ground)) == (1_250, [])
    told = ground.rows("SELECT text FROM events WHERE kind = 'attempt.lost' ORDER BY id")
    assert [row["text"].rpartition("(")[2] for row in told] == ["$0.0010)", "$0.0003)"]


def test_who_has_lost_its_row_reserves_nothing(ground: Ground) -> None:
    claim = claimed(ground, "a")
    ground.db.execute("UPDATE item_stages SET fence = fence + 1")
    with pytest.raises(checkpoints.Superseded):
        reserve(ground, claim, 1_000)
    assert open_outlays(ground) == []


def test_daily_limit_counts_what_others_may_be_spending(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"), job("feeds"))
    ground.add("a", "b", "c")
    first, second, third = ground.claim(job="docs")
    limit(ground, 2_500)
    assert reserve(ground, first, 1_000) is None
    assert reserve(ground, first, 1_000, owed=200) is None, "its own are not counted twice"
    assert reserve(ground, second, 1_000) is None
    refusal = reserve(ground, third, 1_000)
    assert refusal is not None
    assert refusal.what == "budget"
    assert refusal.until == 86_400_000 * (ground.now // 86_400_000 + 1)
    assert refusal.why.startswith("daily cost of all jobs: $0.0022 of $0.0025 spent or reserved, the attempt may cost")
    costly = reserve(ground, third, 3_000)
    assert costly is not None
    assert (costly.what, costly.until) == ("cost", None)
    call = NewCall(
        asker=Asker(job="docs", job_id=ground.job("docs").id), alias="m", backend="b", mode="m", purpose="p",
        worst_usd_micros=1_000, epoch=ground.epoch, quotas=(),
    )  # fmt: skip
    budget = Budget(job_usd_micros=None, all_usd_micros=2_500, day_from=0, day_until=1)
    assert isinstance(ground.do(model_calls.reserve, call, budget, ground.now), Refusal), "nor do models overrun it"
