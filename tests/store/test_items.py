from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine.store import items
from tests.factories import Ground, candidate, chain, finished, job, stage


@pytest.fixture
def two(make_ground: Callable[..., Ground]) -> Ground:
    """A job of two stages in a row."""
    return make_ground(job("docs", *chain("read", "sum")))


def test_new_item_starts_at_its_first_stage(two: Ground) -> None:
    merged = two.add(candidate("a", title="A\x1b[2J", data={"n": 1}, path="a.md", line=2, headings=("H",), priority=1))
    assert (merged.new, merged.changed, len(merged.seen)) == (1, 0, 1)
    item = two.item("a")
    assert (item["title"], json.loads(item["data"]), item["path"], item["line"]) == ("A␛[2J", {"n": 1}, "a.md", 2)
    assert (item["priority"], item["priority_by"], item["origin"]) == (1, "source", "scan")
    assert two.states("a") == {"a": "pending", "read": "ready", "sum": "blocked"}


def test_same_candidate_again_changes_nothing(two: Ground) -> None:
    two.add(candidate("a", title="A", revision="1"))
    before = two.item("a"), two.at("a", "read")
    merged = two.add(candidate("a", title="A", revision="1"))
    assert (merged.new, merged.changed) == (0, 0)
    assert (two.item("a"), two.at("a", "read")) == before
    assert two.events() == []


def test_key_twice_in_one_batch_is_one_item(two: Ground) -> None:
    merged = two.add(candidate("a", title="first"), candidate("a", title="second"))
    assert (merged.new, two.item("a")["title"]) == (1, "second")


def test_merge_takes_the_place_but_not_state_or_results(two: Ground) -> None:
    two.add(candidate("a", title="old", line=1))
    two.finish("read", {"n": 1})
    two.leave("fail", "sum")
    two.add(candidate("a", title="new", line=9, data={"x": 1}))
    item = two.item("a")
    assert (item["title"], item["line"], item["data"]) == ("new", 9, '{"x":1}')
    assert two.states("a") == {"a": "failed", "read": "done", "sum": "failed"}
    assert len(two.rows("SELECT * FROM results")) == 1


def test_priority_of_a_person_stays(two: Ground) -> None:
    two.add(candidate("a", priority=3))
    two.add(candidate("a", priority=2))
    assert two.item("a")["priority"] == 2
    two.command("prioritise", "a", priority=0)
    two.add(candidate("a", priority=3, title="other"))
    assert (two.item("a")["priority"], two.item("a")["priority_by"]) == (0, "person")


def test_priority_that_is_not_given_takes_none_away(two: Ground) -> None:
    two.add(candidate("a", priority=1))
    two.add(candidate("a", title="other"))
    assert two.item("a")["priority"] == 1


def test_new_revision_runs_the_stages_again(two: Ground) -> None:
    two.add(candidate("a", revision="1"))
    two.finish("read")
    two.finish("sum")
    merged = two.add(candidate("a", revision="2"))
    assert merged.changed == 1
    assert two.states("a") == {"a": "pending", "read": "ready", "sum": "blocked"}
    assert two.at("a", "read")["attempts"] == 0
    assert [event["kind"] for event in two.events()][-1] == "item.changed"


def test_new_revision_takes_the_row_from_what_runs(two: Ground) -> None:
    two.add(candidate("a", revision="1"))
    claim = two.claim_one("read")
    two.add(candidate("a", revision="2"))
    assert two.end(finished(claim)).refused == [claim]
    (again,) = two.claim("read")
    assert again.fence > claim.fence


def test_first_revision_of_a_known_item_runs_nothing_again(two: Ground) -> None:
    two.add("a")
    two.finish("read")
    assert two.add(candidate("a", revision="1")).changed == 0
    assert two.states("a")["read"] == "done"


def test_opened_gate_stays_open_when_the_content_changes(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", stage("read", gate="accept")))
    ground.add(candidate("a", revision="1"))
    ground.command("accept", "a")
    ground.finish("read")
    ground.add(candidate("a", revision="2"))
    assert ground.states("a") == {"a": "pending", "read": "ready"}


@pytest.mark.parametrize(("closed", "state"), [("done", "done"), ("cancelled", "skipped")])
def test_item_closed_at_its_source_runs_no_further(two: Ground, closed: str, state: str) -> None:
    two.add("a")
    claim = two.claim_one("read")
    assert two.add(candidate("a", closed=closed, why="ticked")).changed == 1
    assert two.states("a") == {"a": state, "read": "skipped", "sum": "skipped"}
    assert two.item("a")["why"] == "ticked"
    assert two.end(finished(claim)).refused == [claim]
    assert two.add(candidate("a", closed=closed, why="ticked")).changed == 0
    assert [event["kind"] for event in two.events()] == ["item.closed", "attempt.refused"]


def test_item_that_is_new_and_closed_never_runs(two: Ground) -> None:
    two.add(candidate("a", closed="done", why="ticked"))
    assert two.states("a") == {"a": "done", "read": "skipped", "sum": "skipped"}
    assert two.claim("read") == []


def test_reopened_item_goes_on_where_it_was(two: Ground) -> None:
    two.add("a")
    two.finish("read", {"n": 1})
    two.leave("fail", "sum")
    two.add(candidate("a", closed="done"))
    assert two.states("a") == {"a": "done", "read": "done", "sum": "skipped"}
    two.add("a")
    assert two.states("a") == {"a": "pending", "read": "done", "sum": "ready"}
    assert (two.item("a")["closed"], two.at("a", "sum")["attempts"]) == (None, 0)
    assert [event["kind"] for event in two.events()][-1] == "item.reopened"


def test_item_is_gone_after_enough_complete_runs(two: Ground) -> None:
    two.add("a", "b")
    claim = two.claim_one("read")
    assert [two.complete_run("b") for _ in range(3)] == [0, 0, 1]
    assert two.states("a") == {"a": "gone", "read": "skipped", "sum": "skipped"}
    assert two.states("b")["b"] == "pending"
    assert two.end(finished(claim)).refused == [claim]
    assert two.complete_run("b") == 0


def test_item_seen_in_between_is_not_gone(two: Ground) -> None:
    two.add("a")
    assert [two.complete_run(), two.complete_run()] == [0, 0]
    two.add("a")
    assert [two.complete_run(), two.complete_run()] == [0, 0]
    assert two.item("a")["missed"] == 2


def test_gone_item_comes_back_and_keeps_what_was_done(two: Ground) -> None:
    two.add("a")
    two.finish("read", {"n": 1})
    two.complete_run(gone_after=1)
    two.add("a")
    assert two.states("a") == {"a": "pending", "read": "done", "sum": "ready"}
    assert [event["kind"] for event in two.events()][-2:] == ["item.gone", "item.back"]


def test_gone_item_that_comes_back_ticked_is_closed(two: Ground) -> None:
    two.add("a")
    two.complete_run(gone_after=1)
    two.add(candidate("a", closed="done"))
    assert two.states("a") == {"a": "done", "read": "skipped", "sum": "skipped"}


def test_closed_and_dropped_items_are_never_gone(two: Ground) -> None:
    two.add(candidate("ticked", closed="done"), "dropped")
    two.command("drop", "dropped")
    assert two.complete_run(gone_after=1) == 0
    assert (two.item("ticked")["state"], two.item("dropped")["state"]) == ("done", "dropped")


def test_dropped_item_stays_dropped_whatever_its_source_says(two: Ground) -> None:
    two.add(candidate("a", revision="1"))
    two.command("drop", "a")
    for again in (candidate("a", revision="2"), candidate("a", closed="done"), candidate("a", title="new")):
        two.add(again)
        assert two.states("a") == {"a": "dropped", "read": "skipped", "sum": "skipped"}


def test_finding_that_a_check_finds_no_more_is_fixed(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("todos"), job("lint", is_check=True, findings_to="todos"))
    ground.add("f", job="todos", source="lint", origin="check")
    ground.add("own", job="todos")
    assert ground.complete_run(gone_after=1, is_check=True, job="lint") == 1
    assert ground.item("f", "todos")["state"] == "done"
    assert ground.item("own", "todos")["state"] == "pending"
    ground.add("f", job="todos", source="lint", origin="check")
    assert ground.states("f", "todos") == {"f": "pending", "work": "ready"}
    assert [event["kind"] for event in ground.events()] == ["item.fixed", "item.reopened"]


def test_emitted_items_do_not_go_with_a_scan(two: Ground) -> None:
    two.add("child", origin="emit")
    assert two.complete_run(gone_after=1) == 0


def test_parent_is_found_in_the_batch_and_in_the_state(two: Ground) -> None:
    two.add("old")
    two.add(candidate("c1", parent_key="old"), candidate("p"), candidate("c2", parent_key="p"))
    assert two.item("c1")["parent_id"] == two.item("old")["id"]
    assert two.item("c2")["parent_id"] == two.item("p")["id"]


def test_known_items_are_told_by_place(two: Ground) -> None:
    two.add(
        candidate("b", path="x.md", line=9, headings=("H",)),
        candidate("a", path="x.md", line=2, data={"n": 1}),
        candidate("c", path="a.md", line=5),
    )
    known = items.known(two.db, two.job().id)
    assert [(one.key, one.path, one.line, one.headings) for one in known] == [
        ("c", "a.md", 5, ()),
        ("a", "x.md", 2, ()),
        ("b", "x.md", 9, ("H",)),
    ]
    assert (known[1].data, known[1].state) == ({"n": 1}, "pending")


def test_job_of_gates_and_switched_off_stages_starts_right(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(
        job("docs", stage("off", enabled=False), stage("gated", after=["off"], gate="accept"), stage("free"))
    )
    ground.add("a")
    assert ground.states("a") == {"a": "waiting", "off": "skipped", "gated": "waiting", "free": "ready"}


def test_item_that_a_person_cancelled_stays_cancelled_whatever_its_source_says(two: Ground) -> None:
    two.add(candidate("a", revision="1"))
    two.command("cancel", "a")
    for again in (candidate("a", revision="2"), candidate("a", closed="done"), candidate("a", title="new")):
        two.add(again)
        assert two.states("a") == {"a": "skipped", "read": "skipped", "sum": "skipped"}
    assert two.complete_run(gone_after=1) == 0


@pytest.mark.parametrize(("ask_again", "state"), [(True, "waiting"), (False, "ready")])
def test_source_in_doubt_closes_the_gates_again(
    make_ground: Callable[..., Ground], ask_again: bool, state: str
) -> None:
    ground = make_ground(job("docs", stage("read", gate="accept")))
    ground.add(candidate("a", revision="1"))
    ground.command("accept", "a")
    ground.finish("read")
    ground.add(candidate("a", revision="2", ask_again=ask_again))
    assert ground.states("a")["read"] == state
