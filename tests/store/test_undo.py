"""Undo restores what the command set, and refuses where something else has happened since."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store import jobs, spend
from tests.factories import Ground, candidate, finished, job, stage

Make = Callable[..., Ground]


@pytest.fixture
def gated(make_ground: Make) -> Ground:
    """Item `a` waits at a gate; something runs beside it."""
    ground = make_ground(job("docs", stage("brief", gate="accept"), stage("beside")))
    ground.add(candidate("a", revision="1"), candidate("b", revision="1"))
    return ground


def test_undo_of_a_priority_revives_no_item_that_was_dropped_since(gated: Ground) -> None:
    first = gated.command("prioritise", "a", priority=0)
    gated.command("drop", "a")
    outcome = gated.command("undo", operation=first.operation)
    assert (outcome.ok, outcome.message) == (False, "cannot undo prioritise: a: a later command changed it too")
    assert gated.states("a") == {"a": "dropped", "brief": "skipped", "beside": "skipped"}
    assert gated.command("undo").message == "undid drop of 1 item"
    assert gated.command("undo", operation=first.operation).ok


def test_undo_of_a_priority_touches_nothing_else(gated: Ground) -> None:
    gated.command("prioritise", "a", priority=0)
    gated.add(candidate("a", closed="done"))
    gated.add(candidate("a", revision="1"))
    gated.finish("beside")
    assert gated.command("undo").ok
    assert gated.states("a") == {"a": "waiting", "brief": "waiting", "beside": "done"}
    assert gated.item("a")["priority"] is None


@pytest.mark.parametrize(
    ("name", "args"), [("accept", {}), ("snooze", {"until": 1_900_000_000_000}), ("prioritise", {"priority": 0})]
)
def test_undo_opens_no_item_that_its_source_closed_since(gated: Ground, name: str, args: dict[str, int]) -> None:
    gated.command(name, "a", **args)
    gated.add(candidate("a", closed="done", why="ticked"))
    outcome = gated.command("undo")
    assert (outcome.ok, outcome.skipped) == (False, {"a": "its source closed it meanwhile"})
    assert (gated.item("a")["state"], gated.item("a")["closed"], gated.item("a")["why"]) == ("done", "done", "ticked")
    assert gated.events("operation.undone") == []


def test_undo_of_an_accept_opens_no_gate_of_other_content(gated: Ground) -> None:
    gated.command("accept", "a")
    gated.add(candidate("a", revision="2"))
    assert gated.command("undo").skipped == {"a": "its content changed meanwhile"}
    assert gated.states("a")["brief"] == "ready"


def test_undo_brings_no_gone_item_back(gated: Ground) -> None:
    gated.command("accept", "a")
    gated.complete_run("b", gone_after=1)
    assert gated.command("undo").skipped == {"a": "it is gone meanwhile"}
    assert gated.item("a")["state"] == "gone"


def test_undo_of_a_snooze_that_is_over_is_refused(gated: Ground) -> None:
    gated.command("snooze", "a", until=gated.now + 1_000)
    gated.clock.advance(1)
    gated.wake()
    assert gated.command("undo").skipped == {"a": "it is not snoozed any more"}


def test_undo_takes_back_what_it_can_and_says_what_it_could_not(gated: Ground) -> None:
    gated.command("accept", "a", "b")
    gated.add(candidate("a", closed="done"))
    outcome = gated.command("undo")
    assert (outcome.message, outcome.changed) == (
        "undid accept of 1 item; a: its source closed it meanwhile",
        ("b",),
    )
    assert (gated.item("a")["state"], gated.states("b")["brief"]) == ("done", "waiting")


def test_command_that_cannot_be_taken_back_does_not_stand_before_those_that_can(gated: Ground) -> None:
    gated.command("prioritise", "b", priority=0)
    gated.command("accept", "a")
    gated.add(candidate("a", closed="done"))
    assert not gated.command("undo").ok
    assert gated.command("undo").message == "undid prioritise of 1 item"


def test_priority_that_a_source_gave_since_is_kept_when_an_accept_is_undone(gated: Ground) -> None:
    gated.command("accept", "a")
    gated.add(candidate("a", revision="1", priority=1))
    gated.command("undo")
    assert (gated.item("a")["priority"], gated.item("a")["priority_by"]) == (1, "source")


def by_guard(ground: Ground, until: int) -> None:
    ground.do(jobs.pause, ground.job().id, by="guard", why="5 USD spent", until=until, now=ground.now)


def test_undo_of_resume_gives_the_guard_its_pause_back(ground: Ground) -> None:
    until = ground.now + 60_000
    by_guard(ground, until)
    ground.command("resume")
    assert len(ground.rows("SELECT * FROM overrides")) == 1
    assert ground.command("undo").message == "undid resume docs"
    assert ground.rows("SELECT state, paused_by, why, paused_until FROM jobs") == [
        {"state": "paused", "paused_by": "guard", "why": "5 USD spent", "paused_until": until}
    ]
    assert ground.rows("SELECT * FROM overrides") == []
    ground.clock.advance(60)
    ground.do(spend.end_pauses, ground.now)
    assert ground.rows("SELECT state FROM jobs") == [{"state": "active"}]


def test_undo_of_resume_gives_a_person_their_reason_back(ground: Ground) -> None:
    ground.command("pause", why="holiday")
    ground.command("resume")
    ground.command("undo")
    assert ground.rows("SELECT paused_by, why FROM jobs") == [{"paused_by": "person", "why": "holiday"}]


def test_undo_of_resume_begins_no_pause_that_would_be_over(ground: Ground) -> None:
    by_guard(ground, ground.now + 1_000)
    ground.command("resume")
    ground.clock.advance(1)
    outcome = ground.command("undo")
    assert (outcome.ok, outcome.message) == (
        False,
        "cannot undo resume: docs: the pause would have ended by now",
    )
    assert ground.rows("SELECT state FROM jobs") == [{"state": "active"}]


@pytest.mark.parametrize(("name", "state"), [("pause", "paused"), ("resume", "active")])
def test_undo_of_a_switch_that_does_not_land_says_so(ground: Ground, name: str, state: str) -> None:
    ground.command("pause")
    if name == "resume":
        ground.command("resume")
    ground.sync(job("docs", broken="no such module"))
    outcome = ground.command("undo")
    assert (outcome.ok, outcome.message) == (False, f"cannot undo {name}: docs: it is not {state} any more")
    assert ground.events("operation.undone") == []


def test_undo_of_a_pause_ends_no_later_one(ground: Ground) -> None:
    first = ground.command("pause")
    ground.command("resume")
    by_guard(ground, ground.now + 60_000)
    outcome = ground.command("undo", operation=first.operation)
    assert (outcome.ok, outcome.message) == (False, "cannot undo pause: docs: a later command changed it too")
    assert ground.rows("SELECT state, paused_by FROM jobs") == [{"state": "paused", "paused_by": "guard"}]


def test_what_runs_when_its_retry_is_undone_loses_its_fence(gated: Ground) -> None:
    gated.leave("fail", "beside")
    gated.command("retry", "a")
    claimed = gated.claim_one("beside")
    gated.command("undo")
    assert gated.at("a", "beside")["fence"] == claimed.fence + 1
    assert gated.end(finished(claimed)).refused == [claimed]
    assert gated.states("a")["beside"] == "failed"


def test_retry_gives_all_attempts_anew(gated: Ground) -> None:
    for _ in range(2):
        gated.leave("retry_later", "beside", due_at=gated.now)
        gated.wake()
    gated.leave("fail", "beside")
    assert gated.at("a", "beside")["attempts"] == 3
    gated.command("retry", "a")
    assert (gated.at("a", "beside")["attempts"], gated.claim_one("beside").attempt) == (0, 1)
