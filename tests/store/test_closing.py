"""Who closed an item decides who may open it again, and a weak match asks its person once more."""

from __future__ import annotations

from collections.abc import Callable

from engine.contracts.steering import RecurSpec
from engine.store import recurrence
from tests.factories import Ground, candidate, chain, job, stage


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


def test_what_was_done_before_an_item_closed_is_not_done_again_when_it_opens(
    make_ground: Callable[..., Ground],
) -> None:
    ground = make_ground(job("docs", *chain("look", "work"), recur=RecurSpec(each="day")))
    ground.add("a")
    ground.finish("look", {"n": 1})
    ground.finish("work")
    ground.clock.advance(2 * 86_400)
    assert ground.do(recurrence.bring_back, ground.plan, ground.now) == 1
    ground.add(candidate("a", closed="done"))
    assert ground.states("a") == {"a": "done", "look": "skipped", "work": "skipped"}
    ground.add(candidate("a"))

    assert ground.states("a") == {"a": "done", "look": "done", "work": "done"}


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
