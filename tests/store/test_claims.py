from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest

from engine.contracts.states import STAGE_STATES
from engine.contracts.view import ItemQuery
from engine.rules.order import SLACK_MS
from engine.store import claims, upkeep
from engine.store.claims import Lease
from engine.store.migrate import connect
from engine.store.reader import Reader
from tests.factories import LEASE_MS, Ground, candidate, chain, finished, job, left, stage


def test_claim_takes_the_most_due_first(ground: Ground) -> None:
    ground.add("none", *(candidate(f"p{number}", priority=number) for number in (3, 2, 1, 0)))
    assert [ground.claim_one().item.key for _ in range(5)] == ["p0", "p1", "p2", "p3", "none"]


def test_row_that_waited_long_overtakes_urgent_ones(ground: Ground) -> None:
    ground.add(candidate("patient", priority=3))
    ground.clock.advance(SLACK_MS[3] / 1000 + 1)
    ground.add(candidate("urgent", priority=0))
    assert ground.claim_one().item.key == "patient"


def test_claim_brings_what_a_handler_needs(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("read", "sum", "tell")))
    ground.add(candidate("a", title="A", data={"n": 1}, path="a.md", line=3, headings=("H",), priority=1))
    ground.finish("read", {"words": 7})
    ground.finish("sum", {"sum": 9})
    (claim,) = ground.claim("tell")
    assert claim.upstream == {"read": {"words": 7}, "sum": {"sum": 9}}
    item = claim.item
    assert (item.key, item.title, item.data, item.path, item.line) == ("a", "A", {"n": 1}, "a.md", 3)
    assert (item.headings, item.priority, claim.attempt, claim.fence) == (("H",), 1, 1, 1)


def test_claimed_row_is_leased_to_this_engine(ground: Ground) -> None:
    ground.add("a")
    ground.claim()
    row = ground.at("a")
    assert (row["state"], row["owner"], row["lease_until"]) == ("running", ground.epoch, ground.now + LEASE_MS)
    assert (row["fence"], row["attempts"], row["started_at"], row["due_at"]) == (1, 1, ground.now, None)


@pytest.mark.parametrize("connections", [8])
def test_nothing_is_claimed_twice(make_ground: Callable[..., Ground], connections: int) -> None:
    ground = make_ground(job("docs", stage(concurrency=1000)))
    ground.add(*(f"k{number}" for number in range(400)))
    claimed: list[tuple[int, int]] = []
    begin = threading.Barrier(connections)

    def race(epoch: int) -> None:
        connection = connect(ground.state.database)
        begin.wait()
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:  # somebody else writes, for longer than this one would wait
                continue
            lease = Lease(epoch, ground.now + LEASE_MS)
            taken = claims.claim(connection, ground.plan, ground.stage_id("work"), 3, lease, ground.now)
            connection.execute("COMMIT")
            claimed.extend((claim.item.id, epoch) for claim in taken)
            if not taken:
                break
        connection.close()

    threads = [threading.Thread(target=race, args=(epoch,)) for epoch in range(1, connections + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 400
    owners = ground.rows("SELECT item_id, owner FROM item_stages WHERE state = 'running' AND fence = 1")
    assert sorted(claimed) == sorted((row["item_id"], row["owner"]) for row in owners)


@pytest.mark.parametrize("transition", ["done", "fail", "retry_later", "postpone", "skip", "ask", "release"])
def test_attempt_that_lost_its_row_changes_nothing(ground: Ground, transition: str) -> None:
    ground.add("a")
    late = ground.claim_one()
    ground.clock.advance(LEASE_MS / 1000 + 1)
    assert ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now) == 1
    ground.claim_one()
    before = ground.at("a"), ground.item("a")
    due: dict[str, Any] = {"due_at": ground.now + 5} if transition in ("retry_later", "postpone", "release") else {}
    ending = finished(late, {"n": 1}) if transition == "done" else left(late, transition, **due)
    answer = ground.end(ending)
    assert answer.refused == [late]
    assert (ground.at("a"), ground.item("a")) == before
    assert ground.rows("SELECT * FROM results") == ground.rows("SELECT * FROM attempts") == []
    (event,) = ground.events("attempt.refused")
    assert (event["level"], event["item_id"]) == ("warning", late.item.id)
    assert f'"outcome": "{transition}"' in event["data"]


@pytest.mark.parametrize("transition", ["done", "fail"])
def test_engine_that_does_not_hold_the_lease_stores_nothing(ground: Ground, transition: str) -> None:
    ground.add("a")
    claim = ground.claim_one()
    ground.epoch += 1
    answer = ground.end(finished(claim) if transition == "done" else left(claim, transition))
    assert answer.refused == [claim]
    assert ground.at("a")["state"] == "running"


def test_row_of_a_dead_engine_goes_back_to_the_queue(ground: Ground) -> None:
    ground.add("a")
    ground.claim()
    assert ground.do(claims.reclaim, ground.plan, ground.epoch + 1, ground.now) == 1
    row = ground.at("a")
    assert (row["state"], row["attempts"], row["interruptions"], row["owner"]) == ("ready", 0, 1, None)
    assert len(ground.events("stage.interrupted")) == 1


def test_reclaiming_twice_is_reclaiming_once(ground: Ground) -> None:
    ground.add("a")
    ground.claim()
    assert [ground.do(claims.reclaim, ground.plan, ground.epoch + 1, ground.now) for _ in range(2)] == [1, 0]


def test_lease_that_ended_is_not_taken_from_what_is_alive(ground: Ground) -> None:
    ground.add("a")
    claim = ground.claim_one()
    ground.clock.advance(LEASE_MS / 1000 + 1)
    alive = [(claim.item.id, claim.stage.id, claim.fence)]
    assert ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now, running=alive) == 0
    assert ground.at("a")["state"] == "running"


def test_good_end_forgets_interruptions(ground: Ground) -> None:
    ground.add("a")
    ground.claim()
    ground.epoch += 1
    ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)
    ground.finish()
    assert ground.at("a")["interruptions"] == 0


def test_beat_extends_only_what_is_alive(ground: Ground) -> None:
    ground.add("alive", "forgotten")
    first, _ = ground.claim()
    before = ground.at("forgotten")["lease_until"]
    ground.clock.advance(15)
    alive = [(first.item.id, first.stage.id, first.fence)]
    assert ground.do(claims.heartbeat, ground.lease, alive) == 1
    assert ground.at("alive")["lease_until"] == ground.now + LEASE_MS
    assert ground.at("forgotten")["lease_until"] == before


def test_row_wakes_when_its_time_has_come(ground: Ground) -> None:
    ground.add(candidate("a", priority=0))
    at = ground.now + 5_000
    ground.leave("retry_later", due_at=at)
    assert ground.wake() == at
    ground.clock.advance(4.999)
    assert ground.wake() == at
    assert ground.at("a")["state"] == "later"
    ground.clock.advance(0.001)
    assert ground.wake() is None
    assert (ground.at("a")["state"], ground.at("a")["due_at"]) == ("ready", ground.now)


def test_whether_anything_is_left_to_run(ground: Ground) -> None:
    stages = [ground.stage_id("work")]
    assert not ground.do(claims.left, stages, stages, ground.now)
    ground.add("a")
    assert ground.do(claims.left, stages, stages, ground.now)
    assert not ground.do(claims.left, stages, [], ground.now)
    ground.leave("postpone", due_at=ground.now + 1_000)
    assert not ground.do(claims.left, stages, stages, ground.now + 999)
    assert ground.do(claims.left, stages, stages, ground.now + 1_000)


def test_attempts_whose_row_was_taken_away_are_named(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage("a"), stage("b")))
    ground.add("x", "y")
    alive = [(claim.item.id, claim.stage.id, claim.fence) for name in "ab" for claim in ground.claim(name)]
    assert ground.do(claims.lost, alive) == set()
    ground.command("cancel", "x")
    gone = ground.item("x")["id"]
    assert ground.do(claims.lost, alive) == {(gone, ground.stage_id("a")), (gone, ground.stage_id("b"))}


def test_damaged_result_fails_its_item_and_no_other(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("bad", "good")
    ground.finish("read", {"n": 1})
    ground.db.execute("UPDATE results SET output = '{\"n\":2}' WHERE item_id = ?", (ground.item("bad")["id"],))
    assert [claim.item.key for claim in ground.claim("sum")] == ["good"]
    assert ground.states("bad") == {"bad": "failed", "read": "done", "sum": "failed"}
    assert "does not match its checksum" in ground.at("bad", "sum")["why"]
    assert ground.events("stage.failed")[0]["item_id"] == ground.item("bad")["id"]


@pytest.mark.parametrize("field", ["data", "headings", "signals"])
def test_damaged_item_fails_alone(make_ground: Callable[..., Ground], field: str) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("bad", "good")
    bad = ground.item("bad")["id"]
    ground.db.execute(f"UPDATE items SET {field} = '{{\x01' WHERE id = ?", (bad,))
    assert [claim.item.key for claim in ground.claim("read")] == ["good"]
    assert ground.states("bad") == {"bad": "failed", "read": "failed", "sum": "blocked"}
    assert "the item is damaged" in ground.at("bad", "read")["why"]
    reader = Reader(ground.state, project="p")
    assert [view.key for view in reader.items_page(ItemQuery(), None, 10)] == ["bad", "good"]
    reader.close()
    assert f"item {bad} is damaged: what is stored of it cannot be read" in upkeep.check(ground.state.database)


def test_what_is_behind_a_damaged_row_has_its_place(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("bad", "good")
    ground.finish("read", {"n": 1})
    bad = ground.item("bad")["id"]
    ground.db.execute("UPDATE results SET output = '{\"n\":2}' WHERE item_id = ?", (bad,))
    ground.db.execute("UPDATE item_stages SET due_at = 1 WHERE item_id = ? AND state = 'ready'", (bad,))
    assert [claim.item.key for claim in ground.claim("sum", n=1)] == ["good"]


def test_every_state_of_a_row_can_be_stored(ground: Ground) -> None:
    ground.add("a")
    for state in STAGE_STATES:
        ground.db.execute(
            "UPDATE item_stages SET state = ?1, owner = iif(?1 = 'running', 1, NULL),"
            " lease_until = iif(?1 = 'running', 1, NULL), due_at = iif(?1 IN ('ready', 'later'), 1, NULL)",
            (state,),
        )
    assert ground.states("a") == {"a": "pending", "work": STAGE_STATES[-1]}
    ground.counts_are_kept = False


@pytest.mark.parametrize("how", ["close", "revise", "drop", "undo", "gone"])
def test_row_that_is_taken_from_a_running_attempt_gets_a_new_fence(ground: Ground, how: str) -> None:
    ground.add(candidate("a", revision="1"), candidate("b", revision="1"))
    if how == "undo":
        ground.command("drop", "a", "b")
        ground.command("undo")
        ground.leave("fail")
        ground.command("retry", "a", "b")
    claim = ground.claim_one()
    other = "b" if claim.item.key == "a" else "a"
    before = ground.at(other)["fence"]
    if how == "close":
        ground.add(candidate("a", closed="done"), candidate("b", closed="done"))
    elif how == "revise":
        ground.add(candidate("a", revision="2"), candidate("b", revision="2"))
    elif how == "gone":
        ground.complete_run(gone_after=1)
    else:
        ground.command(how, *(() if how == "undo" else ("a", "b")))
    assert ground.at(claim.item.key)["fence"] == claim.fence + 1
    assert ground.at(other)["fence"] == before
