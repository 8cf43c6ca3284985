"""What was made for an older revision never passes as new, and only its source says what an item is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine.contracts.steering import RecurSpec
from engine.store import recurrence
from engine.store.checksum import hash_output
from tests.factories import Ground, candidate, chain, finished, job, left, stage

Make = Callable[..., Ground]


@pytest.fixture
def two(make_ground: Make) -> Ground:
    """A job of two stages in a row; item `a` is done at revision 1."""
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add(candidate("a", revision="1"))
    ground.finish("read", {"of": 1})
    ground.finish("sum")
    return ground


AGAIN = {"a": "pending", "read": "ready", "sum": "blocked"}


def test_item_that_is_open_again_with_a_new_revision_runs_again(two: Ground) -> None:
    two.add(candidate("a", revision="1", closed="done"))
    assert two.add(candidate("a", revision="2")).changed == 1
    assert two.states("a") == AGAIN
    assert [event["kind"] for event in two.events()][-2:] == ["item.reopened", "item.changed"]


def test_revision_that_came_with_the_closing_counts_when_it_is_open_again(two: Ground) -> None:
    two.add(candidate("a", revision="2", closed="done"))
    assert two.states("a") == {"a": "done", "read": "done", "sum": "done"}
    two.add(candidate("a", revision="2"))
    assert two.states("a") == AGAIN


def test_item_that_is_open_again_as_it_was_does_not_run_again(two: Ground) -> None:
    two.add(candidate("a", revision="2", closed="done"))
    two.add(candidate("a", revision="1"))
    assert two.states("a") == {"a": "done", "read": "done", "sum": "done"}


def test_gone_item_that_is_back_with_a_new_revision_runs_again(two: Ground) -> None:
    two.complete_run(gone_after=1)
    two.add(candidate("a", revision="2"))
    assert two.states("a") == AGAIN


def test_revision_that_is_not_given_once_is_not_forgotten(two: Ground) -> None:
    two.add("a")
    assert two.item("a")["revision"] == "1"
    two.add(candidate("a", revision="1"))
    assert two.item("a")["state"] == "done"
    two.add(candidate("a", revision="2"))
    assert two.states("a") == AGAIN


def test_revision_that_came_while_an_item_was_dropped_counts_when_that_is_undone(two: Ground) -> None:
    two.command("drop", "a")
    two.add(candidate("a", revision="2"))
    assert two.item("a")["state"] == "dropped"
    assert two.command("undo").ok
    two.add(candidate("a", revision="2"))
    assert two.states("a") == AGAIN


def test_stage_that_was_skipped_for_the_new_revision_hands_nothing_on(two: Ground) -> None:
    two.add(candidate("a", revision="2"))
    two.leave("skip", "read")
    (claim,) = two.claim("sum")
    assert claim.upstream == {}


def test_stage_that_is_not_done_hands_nothing_on(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("a")
    ground.finish("read", {"of": 1})
    # As a state file of an earlier version may have it: skipped, and an output of before is still there.
    ground.db.execute(
        "UPDATE item_stages SET state = 'skipped', due_at = NULL WHERE stage_id = ?", (ground.stage_id("read"),)
    )
    (claim,) = ground.claim("sum")
    assert claim.upstream == {}


def test_skip_of_the_new_revision_does_not_become_done_with_the_old_output(two: Ground) -> None:
    two.add(candidate("a", revision="2"))
    assert two.rows("SELECT * FROM results") == []
    two.add(candidate("a", revision="2", closed="done"))
    two.add(candidate("a", revision="2"))
    assert two.states("a") == AGAIN


def test_undo_leaves_no_output_at_a_stage_that_has_to_run_again(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read", gate="ok"), stage("sum", after=["read"])))
    ground.add("a")
    ground.command("accept", "a")
    ground.finish("read", {"of": 1})
    ground.command("undo")
    ground.add(candidate("a", closed="done"))
    ground.add("a")
    assert ground.states("a") == {"a": "waiting", "read": "waiting", "sum": "blocked"}


def test_result_of_a_second_run_replaces_output_and_checksum(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("read"), recur=RecurSpec(each="day")))
    ground.add("a")
    for n in (1, 2):
        ground.finish("read", {"of": n})
        (row,) = ground.rows("SELECT output, output_hash, fence FROM results")
        assert json.loads(row["output"]) == {"of": n}
        assert (row["output_hash"], row["fence"]) == (hash_output(row["output"]), n)
        ground.clock.advance(2 * 86_400)
        ground.do(recurrence.bring_back, ground.plan, ground.now)


def test_emitted_candidate_only_fills_what_an_item_of_a_scan_lacks(two: Ground) -> None:
    two.add(candidate("a", title="A", data={"n": 1}, path="a.md", line=3, headings=("H",), revision="1"))
    emitted = candidate("a", title="B", data={"n": 2, "m": 3}, path="b.md", line=9, revision="9", confidence="low")
    two.add(emitted, origin="emit")
    item = two.item("a")
    assert (item["title"], json.loads(item["data"]), item["path"], item["line"]) == ("A", {"n": 1, "m": 3}, "a.md", 3)
    assert (item["headings"], item["revision"], item["confidence"], item["origin"]) == ('["H"]', "1", "low", "scan")
    assert two.states("a")["a"] == "done"


def test_emitted_candidate_neither_closes_nor_opens_an_item_of_a_scan(two: Ground) -> None:
    two.add(candidate("b"), candidate("c", closed="done"))
    two.add(candidate("b", closed="done"), candidate("c"), origin="emit")
    assert (two.item("b")["closed"], two.item("c")["closed"]) == (None, "done")


def test_emitted_item_is_replaced_by_a_later_emission(two: Ground) -> None:
    two.add(candidate("e", title="one", data={"n": 1}), origin="emit")
    two.add(candidate("e", title="two", data={"m": 2}), origin="emit")
    assert (two.item("e")["title"], two.item("e")["data"]) == ("two", '{"m":2}')


@pytest.mark.parametrize("is_check", [True, False])
def test_event_of_an_item_that_is_let_go_carries_the_job_of_the_item(make_ground: Make, is_check: bool) -> None:
    ground = make_ground(job("todos"), job("lint", is_check=True, findings_to="todos"))
    ground.add("f", job="todos", source="lint", origin="check")
    ground.complete_run(gone_after=1, is_check=is_check, job="lint")
    (event,) = ground.events("item.fixed" if is_check else "item.gone")
    assert event["job_id"] == ground.job("todos").id


def test_emission_for_an_unknown_job_keeps_the_rest_of_its_group(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("a", "b")
    first, second = ground.claim("read")
    lost = [("tpyo\x1b", candidate("x")), ("tpyo\x1b", candidate("y")), ("docs", candidate("z"))]
    ground.end(finished(first, {"n": 1}, emit=lost), left(second, "fail"))
    assert ground.states(first.item.key)["read"] == "done"
    assert ground.item("z")["state"] == "pending"
    (event,) = ground.events("emit.refused")
    assert (event["item_id"], event["text"]) == (first.item.id, "there is no job `tpyo␛`; not stored for it: 2")
