"""Rules of triage in the state file: proposals, what a key does with them, and one undo for all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.contracts.steering import Condition, TriageRule
from engine.store import triage
from tests.factories import Ground, candidate, finished, job, stage
from tests.store.test_people import whole

Make = Callable[..., Ground]
HOUR = 3_600_000

RULES = (
    TriageRule(name="1", do="drop", when=(Condition(field="path", within=("vendor",)),)),
    TriageRule(name="2", do="snooze", when=(Condition(field="path", within=("docs",)),), for_s=3600),
    TriageRule(name="3", do="P1", when=(Condition(field="size", above=5),)),
    TriageRule(name="4", do="accept", when=(Condition(field="path", within=("src",)),)),
)
PLACES = {"a": "vendor/x.md", "b": "docs/y.md", "c": "lib/big.md", "d": "src/z.md", "e": "lib/none.md"}


def waiting(make_ground: Make, *rules: TriageRule) -> Ground:
    """A job whose five items wait to be accepted; `context` has measured them."""
    ground = make_ground(
        job("todos", stage("context"), stage("brief", after=["context"], gate="accept"), triage=rules or RULES)
    )
    ground.add(*(candidate(key, path=path) for key, path in PLACES.items()))
    for claim in ground.claim("context"):
        ground.end(finished(claim, {"size": 9 if claim.item.key == "c" else 1}))
    return ground


def judge(ground: Ground, since: int = 0) -> Any:
    return ground.do(triage.judge, ground.plan, ground.job(), since, ground.now)


def proposals(ground: Ground) -> dict[str, str | None]:
    return {row["key"]: row["proposed"] for row in ground.rows("SELECT key, proposed FROM items ORDER BY key")}


def test_what_waits_gets_proposals_and_nothing_else_happens(make_ground: Make) -> None:
    ground = waiting(make_ground)
    assert judge(ground) is None
    assert proposals(ground) == {"a": "drop", "b": "snooze", "c": "P1", "d": "accept", "e": None}
    assert ground.item("c")["proposed_why"] == "rule 3: size is 9 (more than 5)"
    assert {ground.item(key)["state"] for key in PLACES} == {"waiting"}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE items SET data = '{' WHERE key = 'd'",
        "UPDATE items SET signals = '[1]' WHERE key = 'd'",
        "UPDATE results SET output = '{\"size\":7}' WHERE item_id = (SELECT id FROM items WHERE key = 'd')",
    ],
)
def test_no_rule_judges_what_is_damaged_and_the_others_are_judged(make_ground: Make, damage: str) -> None:
    ground = waiting(make_ground)
    ground.do(lambda connection: connection.execute(damage))
    assert judge(ground) is None
    assert proposals(ground) == {"a": "drop", "b": "snooze", "c": "P1", "d": None, "e": None}


def test_one_key_does_what_was_proposed_and_one_undo_takes_all_of_it_back(make_ground: Make) -> None:
    ground = waiting(make_ground)
    judge(ground)
    before = whole(ground)
    outcome = ground.command("triage", *PLACES)
    assert outcome.message == (
        "by rule: accepted 1, dropped 1, put off 1, set P1 for 1; e: no rule proposes anything for it"
    )
    assert {key: ground.item(key)["state"] for key in PLACES} == {
        "a": "dropped", "b": "snoozed", "c": "waiting", "d": "pending", "e": "waiting",
    }  # fmt: skip
    assert ground.item("b")["snoozed_until"] == ground.now + HOUR
    assert (ground.item("c")["priority"], ground.item("c")["priority_by"]) == (1, "person")
    assert ground.at("d", "brief")["state"] == "ready"
    assert ground.events("item.dropped")[0]["text"] == "rule 1: path is vendor/x.md (within vendor)"
    undone = ground.command("undo")
    assert undone.message == "undid triage of 4 items"
    assert whole(ground) == before


def test_what_does_not_wait_any_more_is_left_alone(make_ground: Make) -> None:
    ground = waiting(make_ground)
    judge(ground)
    ground.command("accept", "a")
    outcome = ground.command("triage", "a", "nobody")
    assert not outcome.ok
    assert outcome.skipped == {
        "a": "it does not wait to be accepted, it is pending",
        "nobody": "no item with this key in todos",
    }


def test_only_what_changed_or_is_old_is_judged_again(make_ground: Make) -> None:
    ground = waiting(make_ground)
    stages = triage.gates(ground.plan, ground.job())
    assert ground.do(triage.has_new, stages, 0)
    judge(ground)
    assert not ground.do(triage.has_new, stages, 0)
    ground.clock.advance(1)
    ground.command("prioritise", "e", priority=2)
    assert ground.do(triage.has_new, stages, 0)
    judge(ground)
    assert not ground.do(triage.has_new, stages, 0)
    assert ground.do(triage.has_new, stages, ground.now + 1)


def test_rules_act_by_themselves_once_and_never_against_a_person(make_ground: Make) -> None:
    auto = TriageRule(name="1", do="drop", when=(Condition(field="path", within=("vendor",)),), auto=True)
    ground = waiting(make_ground, auto)
    done = judge(ground)
    assert done.message == "by rule: dropped 1"
    assert ground.item("a")["state"] == "dropped"
    assert ground.events("item.dropped")[0]["actor"] == "engine"
    assert (
        ground.events("rules.applied")[0]["text"] == f"by rule: dropped 1; `rivus undo {done.operation}` takes it back"
    )
    assert not ground.command("undo").ok, "a person's `u` is about what the person did"
    assert ground.command("undo", operation=done.operation).ok
    assert ground.item("a")["state"] == "waiting"
    ground.clock.advance(10)
    assert judge(ground, since=ground.now) is None
    assert (ground.item("a")["state"], ground.item("a")["proposed"]) == ("waiting", "drop")


def test_rules_know_no_other_gate_than_the_first(make_ground: Make) -> None:
    everything = TriageRule(name="1", do="accept", auto=True)
    ground = make_ground(
        job("todos", stage("work"), stage("merge", after=["work"], gate="approve"), triage=(everything,))
    )
    ground.add("a")
    ground.finish("work")
    assert judge(ground) is None
    assert ground.at("a", "merge")["state"] == "waiting"


def test_rules_that_are_gone_propose_nothing_any_more(make_ground: Make) -> None:
    ground = waiting(make_ground)
    judge(ground)
    ground.sync(job("todos", stage("context"), stage("brief", after=["context"], gate="accept")))
    assert ground.do(triage.is_left, ground.plan)
    ground.do(triage.forget, ground.plan)
    assert set(proposals(ground).values()) == {None}
    assert not ground.do(triage.is_left, ground.plan)


@pytest.mark.parametrize("deed", ["accept", "drop", "snooze"])
def test_a_deed_of_the_rules_can_be_done_again(make_ground: Make, deed: Any) -> None:
    rule = TriageRule(name="1", do=deed, for_s=60.0 if deed == "snooze" else 0.0)
    ground = waiting(make_ground, rule)
    judge(ground)
    ground.command("triage", "a", "b")
    after = ground.item("a")["state"]
    ground.command("undo")
    ground.command("triage", "a", "b")
    assert ground.item("a")["state"] == after
