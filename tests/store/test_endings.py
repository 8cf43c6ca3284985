from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine.store import claims
from engine.store.checksum import hash_output
from engine.store.claims import Lease
from tests.factories import LEASE_MS, Ground, candidate, chain, finished, job, left, stage


@pytest.fixture
def two(make_ground: Callable[..., Ground]) -> Ground:
    """A job of two stages in a row, and one item at the first."""
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("a")
    return ground


def test_good_end_stores_its_result_with_a_checksum(two: Ground) -> None:
    two.end(finished(two.claim_one("read"), {"n": 1}, cost_usd_micros=12, artifacts='[{"path": "x", "type": "y"}]'))
    (result,) = two.rows("SELECT * FROM results")
    assert (json.loads(result["output"]), result["cost_usd_micros"], result["fence"]) == ({"n": 1}, 12, 1)
    assert result["output_hash"] == hash_output(result["output"])
    assert two.states("a") == {"a": "pending", "read": "done", "sum": "ready"}


def test_item_is_done_when_its_last_stage_is(two: Ground) -> None:
    two.finish("read")
    two.finish("sum")
    assert two.states("a") == {"a": "done", "read": "done", "sum": "done"}
    assert [event["kind"] for event in two.events()] == ["stage.done", "stage.done"]


def test_next_stage_is_taken_along_where_there_is_room(two: Ground) -> None:
    two.add("b")
    answer = two.end(*(finished(claim, {"of": claim.item.key}) for claim in two.claim("read")), free={"sum": 1})
    (claim,) = answer.claims
    assert (claim.stage.spec.name, claim.fence, claim.attempt) == ("sum", 1, 1)
    assert claim.upstream == {"read": {"of": claim.item.key}}
    other = "b" if claim.item.key == "a" else "a"
    assert (two.at(claim.item.key, "sum")["state"], two.at(other, "sum")["state"]) == ("running", "ready")


@pytest.mark.parametrize(
    ("transition", "state", "item", "attempts"),
    [
        ("skip", "skipped", "pending", 1),
        ("ask", "waiting", "waiting", 0),
        ("fail", "failed", "failed", 1),
        ("retry_later", "later", "pending", 1),
        ("postpone", "later", "pending", 0),
        ("release", "ready", "pending", 0),
    ],
)
def test_other_ends_lead_where_they_should(two: Ground, transition: str, state: str, item: str, attempts: int) -> None:
    due: dict[str, Any] = {"due_at": two.now + 9} if state in ("later", "ready") else {}
    two.leave(transition, "read", **due)
    row = two.at("a", "read")
    assert (row["state"], row["attempts"], row["owner"], row["lease_until"]) == (state, attempts, None, None)
    assert two.item("a")["state"] == item
    assert two.at("a", "sum")["state"] == ("ready" if transition == "skip" else "blocked")


def test_failure_leaves_its_evidence(two: Ground) -> None:
    two.leave("fail", "read", "no such page")
    (attempt,) = two.rows("SELECT * FROM attempts")
    assert (attempt["error_type"], attempt["message"], attempt["attempt"]) == ("ValueError", "no such page", 1)
    assert two.item("a")["why"] == "no such page"
    assert [event["kind"] for event in two.events()] == ["stage.failed"]


def test_reason_of_a_failure_is_over_when_the_item_is_retried(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage("a"), stage("b")))
    ground.add("x")
    ground.leave("fail", "a", "no such page")
    ground.command("retry", "x")
    assert (ground.item("x")["state"], ground.item("x")["why"]) == ("pending", None)
    ground.finish("a")
    ground.finish("b")
    assert (ground.item("x")["state"], ground.item("x")["why"]) == ("done", None)


def test_question_keeps_its_choices_until_it_is_answered(two: Ground) -> None:
    two.leave("ask", "read", "which?", choices='["x", "y"]')
    assert (two.at("a", "read")["why"], two.at("a", "read")["choices"]) == ("which?", '["x", "y"]')
    two.command("answer", "a", answer="x")
    assert (two.at("a", "read")["why"], two.at("a", "read")["choices"]) == (None, None)
    (claim,) = two.claim("read")
    assert (claim.answer, claim.attempt) == ("x", 1)


def test_emitted_items_come_with_the_end_of_their_attempt(two: Ground) -> None:
    claim = two.claim_one("read")
    two.end(finished(claim, emit=[("docs", candidate("child", parent_key="a")), ("docs", candidate("other"))]))
    assert two.item("child")["parent_id"] == claim.item.id
    assert (two.item("child")["origin"], two.states("child")["read"]) == ("emit", "ready")
    assert two.item("other")["parent_id"] == claim.item.id


def test_item_that_tells_of_itself_anew_starts_at_its_first_stage(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add(candidate("x", revision="1"), origin="emit")
    (claim,) = ground.claim("read")
    ground.end(finished(claim, emit=[("docs", candidate("x", revision="2"))]), free={"sum": 4})
    assert ground.states("x") == {"x": "pending", "read": "ready", "sum": "blocked"}


def test_refused_attempt_emits_nothing(two: Ground) -> None:
    claim = two.claim_one("read")
    two.command("cancel", "a")
    two.end(finished(claim, emit=[("docs", candidate("child"))]))
    assert two.rows("SELECT key FROM items") == [{"key": "a"}]


def test_stages_side_by_side_are_joined(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(
        job("docs", stage("a"), stage("b", after=["a"]), stage("c", after=["a"]), stage("d", after=["b", "c"]))
    )
    ground.add("x")
    ground.finish("a", {"n": 1})
    assert ground.states("x") == {"x": "pending", "a": "done", "b": "ready", "c": "ready", "d": "blocked"}
    ground.finish("b", {"n": 2})
    assert ground.states("x")["d"] == "blocked"
    ground.leave("skip", "c")
    (claim,) = ground.claim("d")
    assert claim.upstream == {"a": {"n": 1}, "b": {"n": 2}}
    ground.end(finished(claim))
    assert ground.item("x")["state"] == "done"


def test_gate_after_a_stage_waits_for_a_person(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage("a"), stage("b", after=["a"], gate="accept")))
    ground.add("x")
    answer = ground.end(finished(ground.claim_one("a")), free={"b": 4})
    assert answer.claims == []
    assert ground.states("x") == {"x": "waiting", "a": "done", "b": "waiting"}


def test_item_whose_next_stage_ran_before_is_settled_even_without_room(two: Ground) -> None:
    two.leave("skip", "read")
    two.finish("sum")
    for _ in range(3):
        two.complete_run()
    assert two.item("a")["state"] == "gone"
    two.add("a")
    assert two.states("a") == {"a": "pending", "read": "ready", "sum": "done"}
    two.end(finished(two.claim_one("read")), free={})
    assert two.states("a") == {"a": "done", "read": "done", "sum": "done"}


def test_group_of_ends_is_stored_as_one(two: Ground) -> None:
    two.add(*(f"k{number}" for number in range(20)))
    claimed = two.claim("read")
    answer = two.end(*(finished(claim) for claim in claimed[::2]), *(left(claim, "fail") for claim in claimed[1::2]))
    assert answer.refused == []
    assert two.counts() == two.recount()
    states = {row["state"]: row["n"] for row in two.rows("SELECT state, count(*) AS n FROM items GROUP BY 1")}
    assert states == {"pending": 11, "failed": 10}


def test_attempt_that_lost_its_row_to_a_later_one_of_the_same_engine_stores_nothing(ground: Ground) -> None:
    ground.add("a")
    first = ground.claim_one()
    ground.clock.advance(LEASE_MS / 1000 + 1)
    ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)
    second = ground.claim_one()
    assert ground.end(finished(first, {"of": "first"})).refused == [first]
    assert ground.end(left(first, "fail")).refused == [first]
    assert ground.at("a")["state"] == "running"
    ground.end(finished(second, {"of": "second"}))
    assert [row["output"] for row in ground.rows("SELECT output FROM results")] == ['{"of": "second"}']


def test_what_is_put_off_is_not_claimed_and_a_stage_taken_along_has_a_fence_of_its_own(two: Ground) -> None:
    two.add("a", "b")
    first, second = two.claim("read", 2)
    two.end(left(first, "retry_later", due_at=two.now + 1_000))
    assert two.claim("read") == []
    (along,) = two.end(finished(second), free={"sum": 1}).claims
    assert along.fence == 1
    assert two.do(claims.heartbeat, Lease(two.epoch + 1, 1), [(along.item.id, along.stage.id, along.fence)]) == 0


def test_stage_taken_along_again_has_a_higher_fence(two: Ground) -> None:
    two.add(candidate("a", revision="1"))
    for fence, revision in ((1, "1"), (2, "2")):
        two.add(candidate("a", revision=revision))
        (along,) = two.end(finished(two.claim_one("read")), free={"sum": 1}).claims
        assert along.fence == fence
        assert two.end(finished(along)).refused == []
