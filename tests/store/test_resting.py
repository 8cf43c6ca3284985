"""Nothing of a snoozed, dropped or gone item runs, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.factories import Ground, candidate, chain, finished, job, left, stage

Make = Callable[..., Ground]


@pytest.fixture
def two(make_ground: Make) -> Ground:
    """A job of two stages in a row."""
    return make_ground(job("docs", *chain("read", "sum")))


@pytest.mark.parametrize("free", [{}, {"sum": 1}])
def test_next_stage_of_a_snoozed_item_comes_back_with_it(two: Ground, free: dict[str, int]) -> None:
    two.add("a", "b")
    claims = two.claim("read")
    until = two.now + 60_000
    two.command("snooze", "a", until=until)
    two.end(*(finished(claim, {"n": 1}) for claim in claims), free=free)
    assert two.states("a") == {"a": "snoozed", "read": "done", "sum": "later"}
    assert two.at("a", "sum")["due_at"] == until
    assert two.states("b")["sum"] == ("running" if free else "ready")
    two.clock.advance(60)
    two.wake()
    assert two.states("a") == {"a": "pending", "read": "done", "sum": "ready"}
    assert two.counts() == two.recount()


@pytest.mark.parametrize("how", ["release", "retry_later"])
def test_attempt_of_a_snoozed_item_that_has_to_run_again_comes_back_with_it(two: Ground, how: str) -> None:
    two.add("a")
    claim = two.claim_one("read")
    until = two.now + 60_000
    two.command("snooze", "a", until=until)
    two.end(left(claim, how, due_at=two.now + 1))
    assert (two.at("a", "read")["state"], two.at("a", "read")["due_at"]) == ("later", until)


def test_retry_of_a_snoozed_item_after_its_time_keeps_its_own_time(two: Ground) -> None:
    two.add("a")
    claim = two.claim_one("read")
    two.command("snooze", "a", until=two.now + 60_000)
    two.end(left(claim, "retry_later", due_at=two.now + 90_000))
    assert two.at("a", "read")["due_at"] == two.now + 90_000


def test_new_revision_of_a_snoozed_item_runs_when_it_is_back(two: Ground) -> None:
    two.add(candidate("a", revision="1"))
    two.command("snooze", "a", until=two.now + 60_000)
    two.add(candidate("a", revision="2"))
    assert two.states("a") == {"a": "snoozed", "read": "later", "sum": "blocked"}
    assert two.claim("read") == []


def test_accepting_a_snoozed_item_brings_all_of_it_back(make_ground: Make) -> None:
    ground = make_ground(job("docs", stage("gated", gate="ok"), stage("beside"), stage("own")))
    ground.add("a")
    own = ground.now + 90_000
    ground.leave("postpone", "own", due_at=own)
    ground.command("snooze", "a", until=ground.now + 60_000)
    ground.command("accept", "a")
    assert ground.states("a") == {"a": "pending", "gated": "ready", "beside": "ready", "own": "later"}
    assert ground.at("a", "own")["due_at"] == own
    ground.command("undo")
    assert ground.states("a") == {"a": "snoozed", "gated": "waiting", "beside": "later", "own": "later"}


def test_undo_of_a_snooze_brings_back_what_became_ready_meanwhile(two: Ground) -> None:
    two.add("a")
    claim = two.claim_one("read")
    two.command("snooze", "a", until=two.now + 60_000)
    two.end(finished(claim))
    assert two.command("undo").ok
    assert two.states("a") == {"a": "pending", "read": "done", "sum": "ready"}


def test_undo_of_a_second_snooze_goes_back_to_the_first(two: Ground) -> None:
    two.add("a")
    first = two.now + 60_000
    two.command("snooze", "a", until=first)
    two.command("snooze", "a", until=first + 60_000)
    two.command("undo")
    assert (two.item("a")["state"], two.item("a")["snoozed_until"], two.at("a", "read")["due_at"]) == (
        "snoozed",
        first,
        first,
    )


def test_snoozed_item_that_its_source_closes_is_not_snoozed_any_more(two: Ground) -> None:
    two.add("a")
    two.command("snooze", "a", until=two.now + 60_000)
    two.add(candidate("a", closed="done"))
    assert two.states("a") == {"a": "done", "read": "skipped", "sum": "skipped"}
    assert two.item("a")["snoozed_until"] is None


@pytest.mark.parametrize("state", ["dropped", "gone"])
def test_new_stage_and_priority_start_nothing_of_an_item_that_rests(make_ground: Make, state: str) -> None:
    ground = make_ground(job("docs", *chain("read")))
    ground.add("a")
    if state == "dropped":
        ground.command("drop", "a")
    else:
        ground.complete_run(gone_after=1)
    ground.sync(job("docs", *chain("read"), stage("new")))
    assert ground.command("prioritise", "a", priority=0).skipped == {"a": f"it is {state}"}
    assert ground.states("a") == {"a": state, "read": "skipped", "new": "skipped"}


def test_stage_that_came_while_an_item_was_gone_runs_when_it_is_back(make_ground: Make) -> None:
    ground = make_ground(job("docs", *chain("read")))
    ground.add("a")
    ground.complete_run(gone_after=1)
    ground.sync(job("docs", *chain("read", "sum")))
    ground.add("a")
    assert ground.states("a") == {"a": "pending", "read": "ready", "sum": "blocked"}


@pytest.mark.parametrize("name", ["drop", "cancel"])
def test_stages_that_came_or_were_enabled_meanwhile_run_after_an_undo(make_ground: Make, name: str) -> None:
    ground = make_ground(job("docs", stage("read"), stage("off", enabled=False), stage("still", enabled=False)))
    ground.add("a")
    ground.command(name, "a")
    ground.sync(job("docs", stage("read"), stage("off"), stage("still", enabled=False), stage("new")))
    assert ground.states("a")["off"] == ground.states("a")["new"] == "skipped"
    ground.command("undo")
    assert ground.states("a") == {"a": "pending", "read": "ready", "off": "ready", "still": "skipped", "new": "ready"}


@pytest.mark.parametrize("state", ["dropped", "gone"])
def test_what_an_item_waited_for_brings_it_back_from_no_rest(make_ground: Make, state: str) -> None:
    ground = make_ground(job("docs", stage("read")))
    ground.add(candidate("roof", needs=("walls",)), "walls")
    if state == "dropped":
        ground.command("drop", "roof")
    else:
        ground.complete_run("walls", gone_after=1)
    ground.finish("read")
    assert ground.states("roof") == {"roof": state, "read": "skipped"}
