"""Rows that were running in several crashes run alone, so that the guilty one is told from the innocent."""

from __future__ import annotations

from collections.abc import Callable

from engine.store import claims, suspects
from engine.store.claims import Claim
from tests.factories import Ground, candidate, chain, finished, job, left, stage


def crash(ground: Ground) -> None:
    """The engine dies with what runs, and a new one starts."""
    ground.epoch += 1
    ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)


def claim_suspect(ground: Ground, *, alone: bool = True) -> list[Claim]:
    stages = list(ground.plan.stages)
    return ground.do(suspects.claim, ground.plan, stages, ground.lease, ground.now, alone=alone)


def interrupted_twice(ground: Ground, *keys: str) -> None:
    ground.add(*keys)
    for _ in range(2):
        assert len(ground.claim()) == len(keys)
        crash(ground)


def test_second_interruption_takes_a_row_out_of_the_queue(ground: Ground) -> None:
    ground.add("a")
    ground.claim()
    crash(ground)
    assert ground.states("a") == {"a": "pending", "work": "ready"}
    assert not ground.do(suspects.any_left)
    ground.claim()
    crash(ground)
    assert ground.at("a")["state"] == "later"
    assert ground.at("a")["why"] == "interrupted 2 times while it ran; it runs alone next"
    assert ground.claim() == []
    ground.wake()
    assert ground.at("a")["state"] == "later"
    assert ground.do(suspects.any_left)


def test_one_suspect_runs_at_a_time_and_the_guilty_one_is_held(ground: Ground) -> None:
    interrupted_twice(ground, "a", "bad", "c")
    ended: list[str] = []
    for _ in range(3):
        (claim,) = claim_suspect(ground)
        assert claim.alone
        assert claim_suspect(ground) == []
        if claim.item.key == "bad":
            crash(ground)
        else:
            ground.end(finished(claim))
            ended.append(claim.item.key)
    assert sorted(ended) == ["a", "c"]
    assert ground.states("bad") == {"bad": "waiting", "work": "waiting"}
    assert ground.at("bad")["why"] == "interrupted 3 times while it ran; it may be what stops the engine"
    assert ground.counts() == ground.recount()
    ground.command("answer", "bad", answer="go on")
    assert ground.at("bad")["interruptions"] == 0
    assert [claim.item.key for claim in ground.claim()] == ["bad"]


def test_suspect_beside_which_others_ran_is_not_held_before_long(ground: Ground) -> None:
    interrupted_twice(ground, "a")
    for number in (3, 4, 5):
        (claim,) = claim_suspect(ground, alone=False)
        assert not claim.alone
        crash(ground)
        assert ground.at("a")["interruptions"] == number
        assert ground.at("a")["state"] == "later"
    claim_suspect(ground, alone=False)
    crash(ground)
    assert ground.at("a")["state"] == "waiting"


def test_suspect_that_has_proved_itself_has_company(ground: Ground) -> None:
    interrupted_twice(ground, "a")
    (claim,) = claim_suspect(ground)
    ground.do(suspects.accompany, claim)
    crash(ground)
    assert ground.at("a")["state"] == "later"


def test_suspect_that_fails_or_is_released_is_no_suspect_any_more(ground: Ground) -> None:
    interrupted_twice(ground, "a")
    (claim,) = claim_suspect(ground)
    ground.end(left(claim, "retry_later", due_at=ground.now + 1))
    assert (ground.at("a")["interruptions"], ground.at("a")["alone"]) == (0, 0)


def test_time_of_a_suspect_does_not_keep_the_timers_busy(ground: Ground) -> None:
    interrupted_twice(ground, "a")
    assert ground.wake() is None
    ground.command("snooze", "a", until=ground.now + 5_000)
    assert ground.wake() == ground.now + 5_000
    assert claim_suspect(ground) == []


def test_stage_that_runs_at_most_once_is_held_at_the_first_interruption(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage(on_interrupt="hold")))
    ground.add("a")
    ground.claim()
    crash(ground)
    assert ground.states("a") == {"a": "waiting", "work": "waiting"}
    assert "`on_interrupt: hold`" in ground.at("a")["why"]
    assert ground.at("a")["attempts"] == 0
    ground.command("answer", "a", answer="again")
    assert len(ground.claim()) == 1


def test_handler_may_put_off_only_so_often(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage(later_times=2)))
    ground.add("a")
    for number in (1, 2):
        ground.leave("postpone", why="busy", due_at=ground.now + 1_000)
        assert ground.at("a")["postponed"] == number
        ground.clock.advance(2)
        ground.wake()
    ground.leave("postpone", why="busy", due_at=ground.now + 1_000)
    row = ground.at("a")
    assert (row["state"], row["attempts"]) == ("waiting", 0)
    assert row["why"] == "put off 2 times, which is as often as it may be (`later_times`); it says: busy"
    assert ground.events("stage.held")
    ground.command("answer", "a", answer="go on")
    assert ground.at("a")["postponed"] == 0


def test_handler_may_put_off_only_for_so_long(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage(later_for_s=3_600.0)))
    ground.add("a")
    ground.leave("postpone", due_at=ground.now + 1_000)
    ground.clock.advance(3_700)
    ground.wake()
    ground.leave("postpone", due_at=ground.now + 1_000)
    assert ground.at("a")["why"].startswith("put off for 1 hour")


def test_good_end_forgets_how_often_it_was_put_off(ground: Ground) -> None:
    ground.add("a")
    ground.leave("postpone", due_at=ground.now + 1_000)
    ground.clock.advance(2)
    ground.wake()
    ground.finish()
    assert (ground.at("a")["postponed"], ground.at("a")["postponed_since"]) == (0, None)


def test_suspect_of_an_item_that_may_not_start_waits_with_it(ground: Ground) -> None:
    interrupted_twice(ground, "a")
    ground.add(candidate("first"), candidate("a", needs=("first",)))
    assert claim_suspect(ground) == []
    assert ground.at("a")["state"] == "blocked"
    ground.end(*(finished(claim) for claim in ground.claim()))
    assert ground.at("a")["state"] == "ready"
    assert ground.counts() == ground.recount()


def test_damaged_suspect_fails_and_the_next_one_runs_at_once(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("read", "work")))
    ground.add("bad", "good")
    ground.finish("read", {"n": 1})
    for _ in range(2):
        assert len(ground.claim()) == 2
        crash(ground)
    bad = ground.item("bad")["id"]
    ground.db.execute("UPDATE results SET output = '{\"n\":2}' WHERE item_id = ?", (bad,))
    ground.db.execute("UPDATE item_stages SET due_at = 1 WHERE item_id = ? AND state = 'later'", (bad,))
    assert [claim.item.key for claim in claim_suspect(ground)] == ["good"]
    assert ground.states("bad")["work"] == "failed"
