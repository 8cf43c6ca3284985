"""Who closed an item decides who may open it again, and a weak match asks its person once more."""

from __future__ import annotations

from collections.abc import Callable

from tests.factories import Ground, candidate, job, stage


def test_an_item_that_a_person_cancelled_stays_so_when_its_source_shows_it_again(ground: Ground) -> None:
    ground.add("a")
    ground.command("cancel", "a")
    ground.add("a")

    assert ground.states("a") == {"a": "skipped", "work": "skipped"}


def test_an_item_that_its_source_closed_opens_again_with_it(ground: Ground) -> None:
    ground.add(candidate("a", closed=None))
    ground.add(candidate("a", closed="done", why="ticked off"))
    assert ground.states("a") == {"a": "done", "work": "skipped"}
    ground.add(candidate("a", closed=None))

    assert ground.states("a") == {"a": "pending", "work": "ready"}


def test_undo_of_cancel_gives_the_item_back_to_its_source(ground: Ground) -> None:
    ground.add("a")
    ground.command("cancel", "a")
    ground.command("undo")
    ground.add(candidate("a", closed="done"))

    assert ground.item("a")["state"] == "done"


def accepted(make_ground: Callable[..., Ground]) -> Ground:
    ground = make_ground(job("docs", stage("look"), stage("work", after=["look"], gate="accept")))
    ground.add(candidate("a", revision="1"))
    ground.finish("look")
    ground.command("accept", "a")
    return ground


def test_a_new_revision_keeps_an_opened_gate_open(make_ground: Callable[..., Ground]) -> None:
    ground = accepted(make_ground)
    ground.add(candidate("a", revision="2"))
    ground.finish("look")

    assert ground.states("a")["work"] == "ready"


def test_a_doubtful_revision_asks_again(make_ground: Callable[..., Ground]) -> None:
    ground = accepted(make_ground)
    ground.add(candidate("a", revision="2", ask_again=True))
    ground.finish("look")

    assert ground.states("a") == {"a": "waiting", "look": "done", "work": "waiting"}
