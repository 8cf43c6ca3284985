"""What a person wants of items beyond a decision, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.contracts.item import Candidate
from tests.factories import Ground, candidate, chain, finished, job, stage

Make = Callable[..., Ground]


@pytest.fixture
def ground(make_ground: Make) -> Ground:
    return make_ground(job("todos", stage("look"), stage("work", after=("look",), gate="accept"), internal=True))


def test_an_item_of_ones_own_waits_like_every_other(ground: Ground) -> None:
    outcome = ground.command("add", title="Buy milk\x1b[31m", priority=1)
    (key,) = outcome.changed
    item = ground.item(key)
    assert (item["origin"], item["title"], item["priority"], item["state"]) == (
        "manual", "Buy milk␛[31m", 1, "pending",
    )  # fmt: skip
    ground.finish("look")
    assert ground.item(key)["state"] == "waiting"
    assert ground.command("undo", operation=outcome.operation).ok
    assert ground.item(key)["state"] == "dropped"


def test_a_title_of_ones_own_outlives_the_next_scan(ground: Ground) -> None:
    ground.add(candidate("a", title="Mend teh upload"))
    outcome = ground.command("edit", "a", title="Mend the upload")
    ground.add(candidate("a", title="Mend teh upload", line=9))
    assert (ground.item("a")["title"], ground.item("a")["line"]) == ("Mend the upload", 9)
    assert ground.command("undo", operation=outcome.operation).ok
    ground.add(candidate("a", title="Mend teh upload", line=10))
    assert ground.item("a")["title"] == "Mend teh upload"


def test_merged_items_are_dropped_and_the_one_that_stays_knows_them(ground: Ground) -> None:
    ground.add(candidate("a", title="Mend it"), candidate("b", title="Mend that", path="b.md", line=2))
    outcome = ground.command("merge", "a", "b", into="a")
    assert (outcome.changed, outcome.skipped["a"]) == (("b",), "it cannot be merged into itself")
    assert (ground.item("b")["state"], ground.item("b")["why"]) == ("dropped", "merged into a")
    (kept,) = ground.rows("SELECT name, value FROM provenance")
    assert kept == {"name": "merged", "value": "b.md:2 Mend that"}
    assert ground.command("undo", operation=outcome.operation).ok
    assert ground.item("b")["state"] == "pending"
    assert [claim.item.key for claim in ground.claim("look")] == ["a", "b"]


def test_nothing_is_merged_into_what_is_not_there(ground: Ground) -> None:
    ground.add(candidate("a"))
    assert not ground.command("merge", "a", into="z").ok
    assert ground.item("a")["state"] == "pending"


def test_what_is_started_goes_first_and_back_again(ground: Ground) -> None:
    ground.add(candidate("a", priority=0), candidate("b", priority=3), candidate("c"))
    before = ground.at("c", "look")["due_at"]
    outcome = ground.command("start", "c")
    assert ground.at("c", "look")["due_at"] < ground.at("a", "look")["due_at"]
    assert ground.command("undo", operation=outcome.operation).ok
    assert ground.at("c", "look")["due_at"] == before


def test_what_keeps_an_item_from_starting_is_said(make_ground: Make) -> None:
    ground = make_ground(job("todos", stage("look"), stage("work", after=("look",), gate="accept")))
    ground.add(candidate("a"), Candidate(key="b", needs=("a",)))
    assert "waits for a" in ground.command("start", "b").message
    ground.finish("look")
    assert "work waits at gate accept" in ground.command("start", "a").message
    ground.command("accept", "a")
    assert ground.command("start", "a").ok
    ground.command("pause")
    assert "its job is paused" in ground.command("start", "a").message


def test_a_stage_gives_a_priority_below_the_source_and_a_person(make_ground: Make) -> None:
    ground = make_ground(job("todos", *chain("rank", "work"), internal=True))
    ground.add(candidate("a"), candidate("b", priority=3), candidate("c"))
    ground.command("prioritise", "c", priority=2)
    told = {"priority": 0, "priority_why": "P0 by rule, score 9: it says `crash` +9"}
    claims = ground.claim("rank", 3)
    ground.end(*(finished(claim, signals=told) for claim in claims))
    assert [(ground.item(key)["priority"], ground.item(key)["priority_by"]) for key in "abc"] == [
        (0, "source"), (3, "source"), (2, "person"),
    ]  # fmt: skip
    assert ground.item("a")["priority_why"] == "P0 by rule, score 9: it says `crash` +9"
    assert next(iter(ground.claim("work"))).item.priority == 0


@pytest.mark.parametrize("nonsense", [True, 7, "P1", None])
def test_a_priority_that_is_none_is_no_priority(make_ground: Make, nonsense: object) -> None:
    ground = make_ground(job("todos", *chain("rank", "work")))
    ground.add(candidate("a"))
    ground.end(*(finished(claim, signals={"priority": nonsense}) for claim in ground.claim("rank")))
    assert ground.item("a")["priority"] is None


def test_who_says_that_an_item_waits_takes_back_only_its_own_word(make_ground: Make) -> None:
    ground = make_ground(job("todos", *chain("rank", "work")))
    ground.add(candidate("a"), candidate("b"), candidate("c"))
    (claim,) = [one for one in ground.claim("rank", 3) if one.item.key == "a"]
    ground.end(finished(claim, emit=(("todos", Candidate(key="a", needs=("b",))),)))
    assert "waits for b" in ground.item("a")["held"]
    ground.add(Candidate(key="a", needs=("c",)))
    ground.add(Candidate(key="a"))
    assert "waits for b" in ground.item("a")["held"]
