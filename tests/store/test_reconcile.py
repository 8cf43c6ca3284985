from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.factories import Ground, candidate, chain, finished, job, left, stage

Make = Callable[..., Ground]


def test_new_stage_reopens_items(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read")))
    ground.add("done", "open")
    claim = ground.claim_one("read")
    assert claim.item.key == "done"
    ground.end(finished(claim))
    ground.sync(job("docs", *chain("read", "sum")))
    assert ground.states("done") == {"done": "pending", "read": "done", "sum": "ready"}
    assert ground.states("open") == {"open": "pending", "read": "ready", "sum": "blocked"}


def test_new_stage_runs_nothing_of_closed_dropped_or_gone_items(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read")))
    ground.add(candidate("closed", closed="done"), "dropped", "gone")
    ground.command("drop", "dropped")
    ground.complete_run("closed", gone_after=1)
    ground.sync(job("docs", *chain("read", "sum")))
    assert ground.claim("sum") == ground.claim("read") == []
    assert ground.states("closed") == {"closed": "done", "read": "skipped", "sum": "skipped"}
    assert (ground.item("dropped")["state"], ground.item("gone")["state"]) == ("dropped", "gone")


def test_switched_off_stage_is_skipped_and_what_runs_may_finish(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("running", "open")
    claim = ground.claim_one("read")
    off = stage("read", enabled=False), stage("sum", after=["read"])
    ground.sync(job("docs", *off))
    assert ground.states("running") == {"running": "pending", "read": "running", "sum": "blocked"}
    assert ground.states("open") == {"open": "pending", "read": "skipped", "sum": "ready"}
    ground.end(finished(claim))
    assert ground.states("running") == {"running": "pending", "read": "done", "sum": "ready"}


def test_switched_off_stage_lets_a_failed_item_go_on(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "sum")))
    ground.add("a")
    ground.leave("fail", "read")
    ground.sync(job("docs", stage("read", enabled=False), stage("sum", after=["read"])))
    assert ground.states("a") == {"a": "pending", "read": "skipped", "sum": "ready"}


def test_stage_that_is_switched_on_again_runs(make_ground: Make) -> None:
    off = job("docs", stage("read", enabled=False), stage("sum", after=["read"]))
    ground = make_ground(off)
    ground.add("a", candidate("closed", closed="done"))
    ground.finish("sum")
    assert ground.item("a")["state"] == "done"
    ground.sync(job("docs", *chain("read", "sum")))
    assert ground.states("a") == {"a": "pending", "read": "ready", "sum": "done"}
    assert ground.states("closed") == {"closed": "done", "read": "skipped", "sum": "skipped"}


def test_closed_item_stays_closed_when_a_stage_is_switched_on(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read")))
    ground.sync(job("docs", stage("read", enabled=False)))
    ground.add("a")
    ground.add(candidate("a", closed="cancelled"))
    ground.sync(job("docs", *chain("read")))
    assert ground.states("a") == {"a": "skipped", "read": "skipped"}


def test_removed_stage_is_as_if_it_were_not_there(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read", "check", "sum")))
    ground.add("failed", "fresh")
    ground.finish("read")
    ground.leave("fail", "check")
    ground.sync(job("docs", *chain("read", "sum")))
    assert ground.states("failed") == {"failed": "pending", "read": "done", "sum": "ready"}
    ground.finish("sum")
    assert ground.item("failed")["state"] == "done"
    ground.sync(job("docs", *chain("read", "check", "sum")))
    assert ground.states("failed") == {"failed": "failed", "read": "done", "check": "failed", "sum": "done"}


def test_stage_that_waits_for_less_starts(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("a"), stage("b", gate="ok"), stage("c", after=["a", "b"])))
    ground.add("x")
    ground.finish("a")
    assert ground.states("x")["c"] == "blocked"
    ground.sync(job("docs", stage("a"), stage("b", gate="ok"), stage("c", after=["a"])))
    assert ground.states("x")["c"] == "ready"


def test_stage_that_waits_for_more_holds_what_never_ran(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("a"), stage("b")))
    ground.add("x")
    ground.sync(job("docs", stage("a"), stage("b", after=["a"])))
    assert ground.states("x") == {"x": "pending", "a": "ready", "b": "blocked"}


@pytest.mark.parametrize("asked", [False, True])
def test_gate_that_is_taken_away_lets_everybody_through(make_ground: Make, asked: bool) -> None:
    ground = make_ground(job("docs", stage("a", gate="accept")))
    ground.add("x")
    if asked:
        ground.command("accept", "x")
        ground.leave("ask", "a", "which?")
    ground.sync(job("docs", stage("a")))
    assert ground.states("x")["a"] == ("waiting" if asked else "ready")


def test_new_gate_holds_what_never_ran(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("a")))
    ground.add("x", "ran")
    ran = ground.claim_one("a")
    ground.end(left(ran, "release", due_at=ground.now))
    ground.sync(job("docs", stage("a", gate="accept")))
    states = {key: ground.states(key)["a"] for key in ("x", "ran")}
    assert states == {ran.item.key: "ready", ("x" if ran.item.key == "ran" else "ran"): "waiting"}


def test_same_configuration_changes_nothing(make_ground: Make) -> None:
    spec = job("docs", stage("a", gate="accept"), stage("b", after=["a"]), stage("c", enabled=False))
    ground = make_ground(spec)
    ground.add("x", "y")
    before = ground.rows("SELECT * FROM item_stages"), ground.rows("SELECT * FROM items")
    ground.clock.advance(10)
    ground.sync(spec)
    assert (ground.rows("SELECT * FROM item_stages"), ground.rows("SELECT * FROM items")) == before


def test_pause_of_a_person_outlives_a_restart(make_ground: Make) -> None:
    ground = make_ground(job("docs"))
    ground.command("pause", why="holiday")
    ground.sync(job("docs"))
    (row,) = ground.rows("SELECT state, why FROM jobs")
    assert row == {"state": "paused", "why": "holiday"}


def test_job_that_is_removed_and_comes_back_keeps_its_items(make_ground: Make) -> None:
    ground = make_ground(job("docs"), job("other"))
    ground.add("a", job="docs")
    ground.sync(job("other"))
    assert {row["name"]: row["state"] for row in ground.rows("SELECT * FROM jobs")} == {
        "docs": "removed",
        "other": "active",
    }
    ground.sync(job("docs"), job("other"))
    assert ground.states("a", "docs") == {"a": "pending", "work": "ready"}


def test_broken_job_says_why_and_is_whole_when_mended(make_ground: Make) -> None:
    ground = make_ground(job("docs"))
    ground.sync(job("docs", broken="no such module"))
    assert [(row["state"], row["why"]) for row in ground.rows("SELECT * FROM jobs")] == [("broken", "no such module")]
    assert [event["kind"] for event in ground.events()] == ["job.broken"]
    ground.sync(job("docs"))
    assert [(row["state"], row["why"]) for row in ground.rows("SELECT * FROM jobs")] == [("active", None)]


def test_switched_off_stage_lets_nothing_overtake_what_stands_before_it(make_ground: Make) -> None:
    ground = make_ground(
        job("docs", stage("read"), stage("sum", after=["read"], enabled=False), stage("tell", after=["sum"]))
    )
    ground.add("a")
    assert ground.states("a") == {"a": "pending", "read": "ready", "sum": "blocked", "tell": "blocked"}
    ground.finish("read")
    assert ground.states("a") == {"a": "pending", "read": "done", "sum": "skipped", "tell": "ready"}


def test_stage_that_waits_for_more_holds_what_ran_once_or_was_put_off(make_ground: Make) -> None:
    free = job("docs", stage("read"), stage("sum"))
    row = job("docs", *chain("read", "sum"))
    ground = make_ground(free)
    ground.add("retried", "running", "snoozed")
    claimed = {claim.item.key: claim for claim in ground.claim("sum", 2)}
    ground.end(left(claimed["retried"], "retry_later", due_at=ground.now + 1_000))
    ground.command("snooze", "snoozed", until=ground.now + 2_000)
    ground.sync(row)
    ground.end(left(claimed["running"], "release", due_at=ground.now))
    ground.clock.advance(3)
    ground.wake()
    assert ground.claim("sum") == []
    ground.finish("read")
    assert [claim.item.key for claim in ground.claim("sum")] == ["retried", "running", "snoozed"]


def test_what_ends_while_its_job_is_away_goes_on_when_it_comes_back(make_ground: Make) -> None:
    shape = job("docs", stage("read"), stage("sum", after=["read"]), stage("tell", after=["read"]))
    ground = make_ground(shape)
    ground.add("a")
    claim = ground.claim_one("read")
    ground.sync(job("other"))
    ground.end(finished(claim))
    ground.sync(shape)
    assert ground.states("a") == {"a": "pending", "read": "done", "sum": "ready", "tell": "ready"}
