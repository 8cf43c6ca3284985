"""What steers an item: priority by policy, items that are held, items that wait for others, items that come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.contracts.spec import JobSpec
from engine.contracts.steering import Condition, EligibilitySpec, PriorityRule, RecurSpec
from engine.rules.order import slack_ms
from engine.store import facts
from tests.factories import Ground, candidate, chain, finished, job, stage

Make = Callable[..., Ground]

BY_CAP = (
    PriorityRule(name="1", priority=0, when=(Condition(field="market_cap", at_least=10),)),
    PriorityRule(name="2", priority=3, when=(Condition(field="market_cap", below=1),)),
)
LOW_RISK = EligibilitySpec(fields=(Condition(field="risk", one_of=("low", None)),))


def policy(**more: Any) -> JobSpec:
    return job("docs", *chain("read", "sum"), priority=BY_CAP, **more)


def priority(ground: Ground, key: str) -> tuple[int | None, str | None]:
    item = ground.item(key)
    return item["priority"], item["priority_by"]


def test_a_policy_gives_priorities_and_says_why(make_ground: Make) -> None:
    ground = make_ground(policy())
    ground.add(candidate("large", signals={"market_cap": 20}), candidate("unknown", signals={"market_cap": None}))
    assert priority(ground, "large") == (0, "source")
    assert ground.item("large")["priority_why"] == "P0 by rule 1: market_cap is 20 (at least 10)"
    assert priority(ground, "unknown") == (None, None)
    assert "market_cap is missing" in ground.item("unknown")["priority_why"]
    assert [claim.item.key for claim in ground.claim("read")] == ["large", "unknown"]


def test_a_policy_falls_back_to_what_the_source_gave(make_ground: Make) -> None:
    ground = make_ground(policy())
    ground.add(candidate("a", priority=2), candidate("b", priority=2, signals={"market_cap": 0.5}))
    assert (priority(ground, "a"), priority(ground, "b")) == ((2, "source"), (3, "source"))


def test_a_second_sight_without_signals_or_priority_raises_and_lowers_nothing(make_ground: Make) -> None:
    ground = make_ground(policy())
    ground.add(candidate("a", signals={"market_cap": 20}), candidate("b", priority=1))
    before = ground.at("a", "read")["due_at"], ground.at("b", "read")["due_at"]
    ground.clock.advance(3_600)
    ground.add(candidate("a", title="A"), candidate("b", title="B"), candidate("a", signals={"market_cap": None}))
    assert (priority(ground, "a"), priority(ground, "b")) == ((0, "source"), (1, "source"))
    assert (ground.at("a", "read")["due_at"], ground.at("b", "read")["due_at"]) == before


def test_new_signals_move_an_item_in_the_queue_and_keep_since_when_it_waits(make_ground: Make) -> None:
    ground = make_ground(policy())
    ground.add(candidate("a", signals={"market_cap": 0.5}))
    ready_at = ground.at("a", "read")["due_at"] - slack_ms(3)
    ground.clock.advance(600)
    ground.add(candidate("a", signals={"market_cap": 20}))
    assert priority(ground, "a") == (0, "source")
    assert ground.at("a", "read")["due_at"] == ready_at


def test_a_persons_priority_stays_whatever_the_signals_say(make_ground: Make) -> None:
    ground = make_ground(policy())
    ground.add(candidate("a", signals={"market_cap": 0.5}))
    ground.command("prioritise", "a", priority=2)
    ground.add(candidate("a", signals={"market_cap": 20}))
    assert priority(ground, "a") == (2, "person")
    assert ground.item("a")["priority_why"].startswith("P0 by rule 1")


def test_an_internal_item_has_no_priority_before_a_stage_has_looked_at_it(make_ground: Make) -> None:
    ground = make_ground(policy(internal=True))
    ground.add(candidate("a", signals={"market_cap": 20}))
    assert priority(ground, "a") == (None, None)
    item = ground.item("a")["id"]
    ground.do(facts.add_signals, item, {"effort": "small", "market_cap": None}, ground.now)
    ground.do(facts.decide, ground.plan, [item], ground.now)
    assert priority(ground, "a") == (0, "source")


def renew(ground: Ground) -> None:
    while ground.do(facts.renew, ground.plan, ground.now):
        pass


def test_a_changed_policy_is_applied_to_known_items_once(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add(candidate("a", signals={"market_cap": 20}), candidate("b", priority=1))
    ground.sync(policy())
    renew(ground)
    assert (priority(ground, "a"), priority(ground, "b")) == ((0, "source"), (1, "source"))
    ground.sync(job("docs", *chain("read", "sum")))
    renew(ground)
    assert (priority(ground, "a"), priority(ground, "b")) == ((None, None), (1, "source"))
    assert ground.item("a")["priority_why"] is None
    assert not ground.do(facts.renew, ground.plan, ground.now)


def test_an_item_that_the_job_does_not_take_is_held_outside_the_queue(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum"), eligibility=LOW_RISK))
    ground.add(candidate("good", data={"risk": "low"}), candidate("bad", data={"risk": "high"}), "plain")
    assert [claim.item.key for claim in ground.claim("read")] == ["good", "plain"]
    assert ground.states("bad") == {"bad": "pending", "read": "blocked", "sum": "blocked"}
    assert ground.item("bad")["held"] == "risk is high; this job takes low or missing"
    ground.add(candidate("bad", data={"risk": "low"}))
    assert ground.states("bad")["read"] == "ready"
    assert ground.item("bad")["held"] is None


def test_an_item_is_held_in_the_middle_of_its_way_and_goes_on_later(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum"), eligibility=LOW_RISK))
    ground.add("a")
    claim = ground.claim_one("read")
    ground.add(candidate("a", data={"risk": "high"}))
    assert ground.states("a")["read"] == "running"
    ground.end(finished(claim), free={"sum": 1})
    assert ground.states("a") == {"a": "pending", "read": "done", "sum": "blocked"}
    ground.add(candidate("a", data={"risk": "low"}))
    assert ground.states("a")["sum"] == "ready"


@pytest.mark.parametrize("comes_back", ["wake", "retry", "accept"])
def test_nothing_brings_a_held_item_into_the_queue(make_ground: Make, comes_back: str) -> None:
    gate = {"gate": "accept"} if comes_back == "accept" else {}
    ground = make_ground(job("docs", stage("read", **gate), eligibility=LOW_RISK))
    ground.add("a")
    if comes_back == "wake":
        ground.leave("retry_later", "read", due_at=ground.now + 1_000)
    elif comes_back == "retry":
        ground.leave("fail", "read")
    ground.add(candidate("a", data={"risk": "high"}))
    if comes_back == "wake":
        ground.clock.advance(2)
        ground.wake()
    else:
        ground.command(comes_back, "a")
    assert ground.states("a") == {"a": "pending", "read": "blocked"}
    ground.add(candidate("a", data={"risk": "low"}))
    assert ground.states("a")["read"] == "ready"


def test_a_filter_that_is_taken_away_frees_what_it_held(make_ground: Make) -> None:
    held = job("docs", *chain("read"), eligibility=LOW_RISK)
    ground = make_ground(held)
    ground.add(candidate("a", data={"risk": "high"}))
    ground.sync(replace(held, eligibility=None))
    renew(ground)
    assert ground.states("a") == {"a": "pending", "read": "ready"}


def test_an_item_waits_for_those_that_it_needs_also_for_one_that_comes_later(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read")))
    ground.add(candidate("roof", needs=("walls", "beams")), "walls")
    assert ground.item("roof")["held"] == "it waits for beams and 1 more"
    ground.finish("read")
    assert ground.states("roof") == {"roof": "pending", "read": "blocked"}
    assert ground.item("roof")["held"] == "it waits for beams"
    ground.add("beams")
    ground.finish("read")
    assert ground.states("roof") == {"roof": "pending", "read": "ready"}


@pytest.mark.parametrize("end", ["drop", "cancel", "gone", "closed"])
def test_what_is_given_up_is_not_waited_for(make_ground: Make, end: str) -> None:
    ground = make_ground(job("docs", stage("read")))
    ground.add("walls", candidate("roof", needs=("walls",)))
    if end == "gone":
        ground.complete_run("roof", gone_after=1)
    elif end == "closed":
        ground.add(candidate("walls", closed="done"))
    else:
        ground.command(end, "walls")
    assert ground.states("roof")["read"] == "ready"


def test_a_needed_item_that_fails_holds_until_it_is_done_and_an_undo_holds_again(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read")))
    ground.add("walls", candidate("roof", needs=("walls",)))
    ground.leave("fail", "read")
    assert ground.item("roof")["held"] == "it waits for walls"
    ground.command("drop", "walls")
    assert ground.states("roof")["read"] == "ready"
    ground.command("undo")
    assert ground.states("roof")["read"] == "blocked"


def test_needs_that_are_not_named_any_more_do_not_hold(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read")))
    ground.add("walls", candidate("roof", needs=("walls",)))
    ground.add("roof")
    assert ground.states("roof")["read"] == "ready"


def test_a_circle_is_not_closed_and_strands_nobody(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read")))
    ground.add(candidate("a", needs=("b",)), candidate("b", needs=("c",)), candidate("c", needs=("a", "c")))
    (event,) = ground.events("item.circle")
    assert event["text"] == "it does not wait for a, which waits for it"
    for _ in range(3):
        ground.finish("read")
    assert {key: ground.item(key)["state"] for key in "abc"} == dict.fromkeys("abc", "done")


def test_a_finished_item_comes_back_once_however_many_times_have_passed(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum"), recur=RecurSpec(each="day")))
    ground.add("a")
    ground.finish("read")
    ground.finish("sum")
    assert ground.item("a")["last_completed_at"] == ground.now
    due = ground.item("a")["next_due_at"]
    assert due == ground.now + 86_400_000  # the clock starts at midnight
    ground.clock.advance(86_399)
    assert ground.wake() == due
    assert ground.states("a")["a"] == "done"
    ground.clock.advance(3 * 86_400)
    ground.wake()
    assert ground.states("a") == {"a": "pending", "read": "ready", "sum": "blocked"}
    assert ground.item("a")["next_due_at"] is None
    ground.finish("read")
    ground.finish("sum")
    assert ground.wake() == due + 3 * 86_400_000
    assert [event["text"] for event in ground.events("item.due")] == ["daily"]


def test_a_failed_item_comes_back_too_and_a_closed_one_does_not(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read"), recur=RecurSpec(after_s=60)))
    ground.add("bad", candidate("shut", closed="done"))
    ground.leave("fail", "read")
    assert (ground.item("bad")["last_completed_at"], ground.item("shut")["next_due_at"]) == (None, None)
    ground.clock.advance(60)
    ground.wake()
    assert ground.states("bad") == {"bad": "pending", "read": "ready"}
    assert ground.at("bad", "read")["attempts"] == 0


def test_retried_by_hand_it_does_not_come_back_twice_in_the_interval(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read"), recur=RecurSpec(after_s=3_600)))
    ground.add("a")
    ground.leave("fail", "read")
    ground.clock.advance(1_800)
    ground.command("retry", "a")
    assert ground.item("a")["next_due_at"] is None
    ground.finish("read")
    ground.clock.advance(1_800)
    ground.wake()
    assert ground.states("a")["a"] == "done"
    ground.clock.advance(1_800)
    ground.wake()
    assert ground.states("a")["a"] == "pending"


def test_each_item_comes_back_when_it_says_so_itself(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read"), recur=RecurSpec(by="rhythm", after_s=3_600)))
    said = {"hours": {"rhythm": 2}, "never": {"rhythm": "never"}, "odd": {"rhythm": "whenever"}, "none": {}}
    ground.add(*(candidate(key, data=data) for key, data in said.items()))
    ground.add(candidate("both", data={"rhythm": "never"}, signals={"rhythm": 3}))
    ground.finish("read")
    hour, end = 3_600_000, ground.now
    found = {row["key"]: row["next_due_at"] for row in ground.rows("SELECT key, next_due_at FROM items")}
    assert found == {
        "hours": end + 2 * hour, "never": None, "odd": end + hour, "none": end + hour, "both": end + 3 * hour,
    }  # fmt: skip
    ground.clock.advance(2 * 3_600)
    ground.wake()
    assert [event["text"] for event in ground.events("item.due")] == ["after 3600 s", "after 3600 s", "after 7200 s"]


def test_recurrence_that_is_added_changed_or_taken_away_holds_for_known_items(make_ground: Make) -> None:
    plain = job("docs", stage("read"))
    ground = make_ground(plain)
    ground.add("a")
    ground.finish("read")
    assert ground.item("a")["next_due_at"] is None
    for recur, due in (
        (RecurSpec(after_s=60), ground.now + 60_000),
        (RecurSpec(after_s=90), ground.now + 90_000),
        (None, None),
    ):
        ground.sync(replace(plain, recur=recur))
        renew(ground)
        assert ground.item("a")["next_due_at"] == due
