from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.contracts.errors import UseError
from engine.rules.order import due_at
from engine.services import commands
from engine.store import people, redo
from tests.factories import Ground, candidate, chain, finished, job, stage

Make = Callable[..., Ground]


@pytest.fixture
def gated(make_ground: Make) -> Ground:
    """A job with facts, a gate, and something beside it; item `a` waits at the gate."""
    ground = make_ground(
        job(
            "docs",
            stage("facts"),
            stage("brief", after=["facts"], gate="accept"),
            stage("beside", after=["facts"]),
            stage("end", after=["brief"]),
        )
    )
    ground.add(candidate("a", priority=1))
    ground.finish("facts")
    return ground


def whole(ground: Ground) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Everything that undo must put back; fences and the time of the last change move on."""
    items = ground.rows("SELECT * FROM items ORDER BY id")
    rows = ground.rows("SELECT * FROM item_stages ORDER BY item_id, stage_id")
    return (
        [{name: value for name, value in row.items() if name != "updated_at"} for row in items],
        [{name: value for name, value in row.items() if name != "fence"} for row in rows],
    )


def test_accepting_opens_the_gate(gated: Ground) -> None:
    outcome = gated.command("accept", "a")
    assert (outcome.ok, outcome.message, outcome.changed) == (True, "accepted 1 item", ("a",))
    assert gated.states("a") == {"a": "pending", "facts": "done", "brief": "ready", "beside": "ready", "end": "blocked"}
    row = gated.at("a", "brief")
    assert (row["due_at"], row["opened_at"]) == (due_at(gated.now, 1), gated.now)
    assert gated.item("a")["accepted_at"] == gated.now
    (event,) = gated.events("item.accepted")
    assert event["actor"] == "person"


def test_what_cannot_be_done_is_said_for_each_item(gated: Ground) -> None:
    gated.add("b")
    outcome = gated.command("accept", "a", "b", "nobody")
    assert outcome.changed == ("a",)
    assert outcome.skipped == {"b": "it does not wait, it is pending", "nobody": "no item with this key in docs"}
    assert outcome.message == "accepted 1 item; 2 not: it does not wait, it is pending"
    again = gated.command("accept", "a")
    assert (again.ok, again.message) == (False, "nothing changed: a: it does not wait, it is pending")
    assert again.operation is None


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("accept", {}),
        ("drop", {"why": "no"}),
        ("cancel", {}),
        ("snooze", {"until": 2_000_000_000_000}),
        ("prioritise", {"priority": 3}),
        ("prioritise", {"priority": None}),
    ],
)
@pytest.mark.parametrize("running", [False, True])
def test_undo_puts_everything_back(gated: Ground, name: str, args: dict[str, Any], running: bool) -> None:
    claim = gated.claim_one("beside") if running else None
    before = whole(gated)
    assert gated.command(name, "a", **args).ok
    assert whole(gated) != before
    gated.clock.advance(5)
    outcome = gated.command("undo")
    assert outcome.message == f"undid {name} of 1 item"
    assert gated.counts() == gated.recount()
    if claim is None:
        assert whole(gated) == before
        return
    if name in ("drop", "cancel"):
        # It was stopped; it starts again, and what the stopped attempt brings is refused.
        row = gated.at("a", "beside")
        assert (row["state"], row["attempts"], row["owner"]) == ("ready", 0, None)
        assert gated.end(finished(claim)).refused == [claim]
    else:
        assert whole(gated) == before
        assert gated.end(finished(claim)).refused == []


def test_undo_of_accept_takes_back_what_ran_since(gated: Ground) -> None:
    gated.command("accept", "a")
    gated.finish("brief", {"n": 1})
    claim = gated.claim_one("end")
    gated.command("undo")
    assert gated.states("a") == {
        "a": "waiting",
        "facts": "done",
        "brief": "waiting",
        "beside": "ready",
        "end": "blocked",
    }
    assert gated.item("a")["accepted_at"] is None
    assert gated.end(finished(claim)).refused == [claim]
    gated.command("accept", "a")
    gated.finish("brief", {"n": 2})
    (again,) = gated.claim("end")
    assert (again.upstream["brief"], again.attempt) == ({"n": 2}, 1)


def test_undo_of_accept_leaves_alone_what_ran_beside_it(gated: Ground) -> None:
    gated.command("accept", "a")
    gated.finish("beside", {"n": 1})
    gated.command("undo")
    assert gated.states("a")["beside"] == "done"


@pytest.mark.parametrize(("name", "args"), [("prioritise", {"priority": 3}), ("snooze", {"until": 1_900_000_000_000})])
def test_undo_of_what_only_moves_in_time_runs_nothing_again(gated: Ground, name: str, args: dict[str, Any]) -> None:
    gated.command(name, "a", **args)
    gated.clock.advance((1_900_000_000_000 - gated.now) / 1000)
    gated.wake()
    gated.finish("beside", {"n": 1})
    gated.command("undo")
    assert gated.states("a")["beside"] == "done"
    assert gated.item("a")["state"] == "waiting"


@pytest.mark.parametrize(("why", "said"), [("", "by a person"), ("tea", "tea")])
def test_retry_at_a_paused_job_says_that_it_waits(gated: Ground, why: str, said: str) -> None:
    gated.leave("fail", "beside", "no such page")
    gated.command("pause", why=why)
    told = gated.command("retry", "a").message
    assert told.startswith("will retry 1 item; ")
    assert told.endswith(f" is paused: {said}")


def test_undo_of_a_retry_lets_it_fail_again(gated: Ground) -> None:
    gated.leave("fail", "beside", "no such page")
    before = whole(gated)
    assert gated.command("retry", "a").message == "will retry 1 item"
    assert gated.states("a")["beside"] == "ready"
    gated.command("undo")
    assert whole(gated) == before


def test_undo_of_an_answer_asks_again(gated: Ground) -> None:
    gated.leave("ask", "beside", "which?", choices='["x"]')
    before = whole(gated)
    gated.command("answer", "a", answer="x")
    assert gated.at("a", "beside")["answer"] == "x"
    gated.command("undo")
    assert whole(gated) == before


def test_pause_that_is_done_again_keeps_its_reason_and_its_end(ground: Ground) -> None:
    ground.command("pause", stage="work", why="too warm", until=ground.now + 60_000)
    ground.command("undo")
    again = ground.do(redo.find)
    assert again is not None
    assert again.args == {"job": "docs", "stage": "work", "why": "too warm", "until": ground.now + 60_000}


def test_undo_of_pause_and_resume(ground: Ground) -> None:
    ground.command("pause", why="later")
    assert ground.command("undo").message == "undid pause docs"
    assert ground.rows("SELECT state FROM jobs") == [{"state": "active"}]
    ground.command("pause")
    ground.command("resume")
    ground.command("undo")
    assert ground.rows("SELECT state FROM jobs") == [{"state": "paused"}]
    assert ground.command("pause").message == "docs is not active"


def test_undo_goes_back_one_command_at_a_time(gated: Ground) -> None:
    start = whole(gated)
    gated.command("prioritise", "a", priority=0)
    gated.command("accept", "a")
    gated.command("drop", "a")
    for name in ("drop", "accept", "prioritise"):
        assert gated.command("undo").message == f"undid {name} of 1 item"
    assert whole(gated) == start
    assert gated.command("undo").message == "there is nothing to undo"


def test_undo_of_one_operation_by_its_number(gated: Ground) -> None:
    gated.add("b")
    first = gated.command("prioritise", "a", priority=0)
    gated.command("prioritise", "b", priority=0)
    assert gated.command("undo", operation=first.operation).changed == ("a",)
    assert (gated.item("a")["priority"], gated.item("b")["priority"]) == (1, 0)
    assert not gated.command("undo", operation=first.operation).ok


def test_one_command_on_many_items_is_undone_as_one(gated: Ground) -> None:
    gated.add(*(f"k{number}" for number in range(50)))
    before = whole(gated)
    assert gated.command("drop", *(f"k{number}" for number in range(50))).message == "dropped 50 items"
    assert gated.command("undo").message == "undid drop of 50 items"
    assert whole(gated) == before


def test_cancelled_item_is_skipped_unless_something_of_it_was_done(gated: Ground) -> None:
    gated.add("b")
    gated.command("cancel", "a", "b")
    assert (gated.item("a")["state"], gated.item("b")["state"]) == ("done", "skipped")
    assert gated.command("cancel", "b").skipped == {"b": "nothing is left of it, it is skipped"}


def test_snoozed_item_rests_until_its_time(gated: Ground) -> None:
    until = gated.now + 60_000
    gated.command("snooze", "a", until=until, why="until\x1b the pump is mended")
    assert (gated.item("a")["state"], gated.item("a")["snoozed_until"]) == ("snoozed", until)
    assert gated.item("a")["why"] == "until␛ the pump is mended"
    assert gated.claim("beside") == []
    assert gated.wake() == until
    gated.clock.advance(60)
    gated.wake()
    assert gated.states("a")["beside"] == "ready"
    assert (gated.item("a")["state"], gated.item("a")["snoozed_until"]) == ("waiting", None)
    assert gated.item("a")["why"] is None


def test_reason_of_a_snooze_is_taken_back_and_set_again_with_it(gated: Ground) -> None:
    gated.command("snooze", "a", until=gated.now + 60_000, why="first")
    gated.command("snooze", "a", until=gated.now + 90_000, why="second")
    assert gated.command("undo").ok
    assert gated.item("a")["why"] == "first"
    assert gated.command("undo").ok
    assert (gated.item("a")["state"], gated.item("a")["why"]) == ("waiting", None)


def test_snooze_brings_nothing_forward(gated: Ground) -> None:
    later = gated.now + 900_000
    gated.leave("postpone", "beside", due_at=later)
    gated.command("snooze", "a", until=gated.now + 60_000)
    assert gated.at("a", "beside")["due_at"] == later


def test_acting_on_a_snoozed_item_wakes_it(gated: Ground) -> None:
    gated.leave("fail", "beside")
    for name in ("accept", "retry"):
        gated.command("snooze", "a", until=gated.now + 60_000)
        assert gated.item("a")["state"] == "snoozed"
        assert gated.command(name, "a").ok
        assert gated.item("a")["state"] != "snoozed"


def test_answering_a_snoozed_item_wakes_it(gated: Ground) -> None:
    gated.command("accept", "a")
    gated.leave("ask", "brief", "which?")
    gated.command("snooze", "a", until=gated.now + 60_000)
    gated.command("answer", "a", answer="this")
    assert gated.item("a")["state"] == "pending"


def test_priority_of_a_person_moves_the_item_in_the_queue(ground: Ground) -> None:
    ground.add("a", "b")
    ground.command("prioritise", "b", priority=0)
    assert ground.command("prioritise", "b", priority=0).skipped == {"b": "it has this priority already"}
    assert ground.claim_one().item.key == "b"
    ground.command("prioritise", "b", priority=None)
    assert (ground.item("b")["priority"], ground.item("b")["priority_by"]) == (None, None)


def test_answer_and_accept_do_not_take_each_others_place(gated: Ground) -> None:
    assert gated.command("answer", "a", answer="x").skipped == {"a": "nothing was asked"}
    gated.leave("ask", "beside", "which?")
    gated.command("accept", "a")
    assert gated.command("accept", "a").skipped == {"a": "it waits for an answer, not at a gate"}
    assert gated.command("answer", "a", answer="x").ok


def test_words_of_a_person_are_stored_harmless(gated: Ground) -> None:
    gated.command("drop", "a", why="no\x1b]0;x\x07\nmore")
    assert gated.item("a")["why"] == "no␛]0;x␇ more"


def test_undo_when_a_stage_was_removed_since(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("a")
    ground.command("drop", "a")
    ground.sync(job("docs", *chain("read")))
    assert ground.command("undo").ok
    assert ground.states("a") == {"a": "pending", "read": "ready"}


def test_undo_when_its_job_was_removed_since(make_ground: Make) -> None:
    ground = make_ground(job("docs"), job("other"))
    ground.add("a", job="docs")
    ground.command("drop", "a", job="docs")
    ground.sync(job("other"))
    assert ground.command("undo").message == "its job is not in the configuration any more"


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("fly", {}, "there is no command `fly`"),
        ("accept", {"job": "docs"}, "`accept` needs keys"),
        ("accept", {"job": "docs", "keys": ["a"], "colour": 1}, "`accept` does not take colour"),
        ("accept", {"job": "docs", "keys": "a"}, "keys must be a list"),
        ("accept", {"job": "docs", "keys": 5}, "keys must be a list"),
        ("accept", {"job": "docs", "keys": [5]}, "keys must be a list"),
        ("prioritise", {"job": "docs", "keys": ["a"], "priority": 4}, "the priority is 0, 1, 2, 3 or null"),
        ("prioritise", {"job": "docs", "keys": ["a"], "priority": True}, "the priority is 0, 1, 2, 3 or null"),
        ("snooze", {"job": "docs", "keys": ["a"], "until": "tomorrow"}, "until is a time in ms UTC"),
        ("snooze", {"job": "docs", "keys": ["a"], "until": -1}, "until is a time in ms UTC"),
        ("snooze", {"job": "docs", "keys": ["a"], "until": 2**63}, "until is a time in ms UTC"),
        ("undo", {"operation": "last"}, "operation is a number of the journal"),
        ("undo", {"operation": 2**63}, "operation is a number of the journal"),
    ],
)
def test_wrong_command_is_refused_with_a_reason(name: str, args: dict[str, Any], message: str) -> None:
    with pytest.raises(UseError, match=message):
        commands.check(name, args)


def test_command_on_an_unknown_job_names_those_there_are(ground: Ground) -> None:
    with pytest.raises(UseError, match="there is no job `nope`; there are: docs"):
        commands.transition(ground.plan, "accept", {"job": "nope", "keys": []})


def test_reset_begins_with_all_its_patience(ground: Ground) -> None:
    ground.add("a")
    ground.leave("postpone", due_at=ground.now)
    ground.wake()
    ground.leave("fail")
    outcome = ground.do(people.reset, ground.plan, ground.job(), ground.stage_id("work"), ["a"], ground.now)
    assert outcome.ok, outcome
    row = ground.db.execute("SELECT state, postponed, postponed_since FROM item_stages").fetchone()
    assert tuple(row) == ("ready", 0, None)
