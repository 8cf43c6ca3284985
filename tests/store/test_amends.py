"""Fields of an item's data that a person sets: they stay, are given to the next attempt, and come back as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.contracts.errors import UseError
from engine.services import commands
from rivus_tui.fields import value_of
from tests.factories import Ground, candidate


def data(ground: Ground, key: str = "a") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ground.item(key)["data"])
    return told


def test_field_is_set_and_the_next_attempt_gets_it(ground: Ground) -> None:
    ground.add(candidate("a", data={"url": "http://old", "n": 1, "x": None}))
    ground.leave("fail")
    outcome = ground.command("amend", "a", fields={"url": "http://new", "n": None})
    assert outcome.message == "changed the data of 1 item"
    ground.command("retry", "a")
    assert ground.claim_one().item.data == {"url": "http://new", "x": None}
    assert ground.events("item.amended")[0]["text"] == "url, n"


def test_it_stays_whatever_the_source_says_and_undo_gives_the_newest_of_that(ground: Ground) -> None:
    ground.add(candidate("a", data={"url": "1", "n": 1}))
    ground.command("amend", "a", fields={"url": "mine"})
    ground.command("amend", "a", fields={"more": [1, {"b": 2}]})
    ground.add(candidate("a", data={"url": "2", "n": 2}))
    assert data(ground) == {"url": "mine", "n": 2, "more": [1, {"b": 2}]}
    ground.command("undo")
    assert data(ground) == {"url": "mine", "n": 2}
    ground.command("undo")
    assert data(ground) == {"url": "2", "n": 2}
    assert ground.item("a")["amended"] is None
    ground.add(candidate("a", data={"url": "3"}))
    assert data(ground) == {"url": "3"}


def test_what_says_so_already_is_left_alone(ground: Ground) -> None:
    ground.add(candidate("a", data={"url": "1"}))
    assert ground.command("amend", "a", fields={"url": "1"}).skipped == {"a": "its data says so already"}


@pytest.mark.parametrize("fields", [["url"], "url", None])
def test_what_is_no_map_is_refused(fields: Any) -> None:
    with pytest.raises(UseError, match="a map"):
        commands.check("amend", {"job": "docs", "keys": ["a"], "fields": fields})


def test_too_much_is_refused(ground: Ground) -> None:
    ground.add("a")
    with pytest.raises(UseError, match="more than"):
        ground.command("amend", "a", fields={"x": "y" * 70_000})
    assert [value_of(text) for text in ("5", "x y", '{"a": [1]}', "null", "nul")] == [5, "x y", {"a": [1]}, None, "nul"]
