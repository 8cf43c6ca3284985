"""Commands on sets of items: what they change in batches, and what comes back with one undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.contracts.errors import UseError
from engine.rules.id_set import pack, unpack
from engine.store import bulks, undo
from engine.store.bulks import Bulk
from tests.factories import Ground, candidate, chain, finished, job, left, stage


def ids(ground: Ground, where: str = "1") -> list[int]:
    return [row["id"] for row in ground.rows(f"SELECT id FROM items WHERE {where} ORDER BY id")]


def drive(ground: Ground, bulk: Bulk, batch: int = 2) -> Bulk:
    """Let it come to its end, a few items at a time."""
    targets = unpack(bulk.targets)
    while bulk.view.state in ("running", "undoing"):
        bulk = ground.do(bulks.step, ground.plan, bulk.view.operation, targets, batch, ground.now)
    return bulk


def bulk(ground: Ground, name: str, items: Sequence[int] | None = None, **args: Any) -> Bulk:
    chosen = ids(ground) if items is None else items
    return drive(ground, ground.do(bulks.begin, name, args, pack(chosen), ground.now))


def back(ground: Ground, number: int) -> Bulk:
    return drive(ground, ground.do(bulks.take_back, number, ground.now))


def picture(ground: Ground) -> list[dict[str, Any]]:
    """Everything that a person can see of items and their stages, but for fences and the time of the last change."""
    return ground.rows(
        "SELECT i.key, i.state, i.closed, i.closed_by, i.why, i.priority, i.priority_by, i.accepted_at,"
        " i.snoozed_until, s.stage_id, s.state AS stage_state, s.due_at, s.attempts, s.opened_at, s.answer,"
        " s.why AS stage_why FROM items AS i JOIN item_stages AS s ON s.item_id = i.id ORDER BY i.id, s.stage_id"
    )


@pytest.fixture
def mixed(make_ground: Callable[..., Ground]) -> Ground:
    """Seven items of three stages: ready, running, failed, done with the first, put off, snoozed, at the gate."""
    ground = make_ground(
        job("docs", stage("fetch"), stage("read", after=("fetch",)), stage("sign", after=("read",), gate="ok"))
    )
    ground.add("failed", "later", "running", "gate", "snoozed", "ready", "dropped")
    for key in ("failed", "later", "running", "gate"):
        (claim,) = ground.claim("fetch", 1)
        assert claim.item.key == key
        if key == "failed":
            ground.end(left(claim, "fail", "boom"))
        elif key == "later":
            ground.end(left(claim, "postpone", "not yet", due_at=ground.now + 90_000))
        elif key == "gate":
            ground.end(finished(claim))
            ground.end(finished(ground.claim_one("read")))
    ground.command("snooze", "snoozed", until=ground.now + 1_000_000)
    ground.command("prioritise", "ready", priority=1)
    ground.command("drop", "dropped", why="no")
    ground.clock.advance(5)
    return ground


@pytest.mark.parametrize(
    ("name", "args", "changed", "why"),
    [
        ("retry", {}, ["failed"], "no stage of it failed"),
        ("accept", {}, ["gate"], "it does not wait at a gate"),
        ("cancel", {}, ["failed", "later", "running", "gate", "snoozed", "ready"], "nothing is left of it"),
        ("drop", {"why": "old"}, ["failed", "later", "running", "gate", "snoozed", "ready"], "it is dropped already"),
        (
            "snooze",
            {"until": 2_000_000_000_000, "why": "holidays"},
            ["failed", "later", "running", "gate", "snoozed", "ready"],
            None,
        ),
        ("prioritise", {"priority": 1}, ["failed", "later", "running", "gate", "snoozed"], None),
        ("reset", {"stage": "fetch"}, ["failed", "gate"], "it is not done at that stage"),
        ("reset", {"stage": "read"}, ["gate"], "it is not done at that stage"),
    ],
)
def test_set_is_changed_as_each_item_alone_would_be_and_comes_back(
    mixed: Ground,
    make_ground: Callable[..., Ground],
    name: str,
    args: dict[str, Any],
    changed: list[str],
    why: str | None,
) -> None:
    before = picture(mixed)
    number = bulk(mixed, name, **args)
    assert (number.view.state, number.view.total, number.view.changed) == ("done", 7, len(changed))
    assert why in (None, number.view.why)
    after = picture(mixed)
    assert mixed.do(bulks.take_back, number.view.operation, mixed.now).view.state == "undoing"
    ended = drive(mixed, mixed.do(bulks.find, number.view.operation))
    assert (ended.view.state, ended.view.restored) == ("undone", len(changed))
    # What ran when it was closed has lost its attempt: it queues again.
    expected = [
        row | {"stage_state": "ready", "due_at": mixed.now}
        if row["stage_state"] == "running" and name in ("drop", "cancel") else row
        for row in before
    ]  # fmt: skip
    assert [{**row, "attempts": 0} for row in picture(mixed)] == [{**row, "attempts": 0} for row in expected]
    # The same, one command with keys: what is seen is the same.
    mixed.command(name, *changed, **args, **({"keys": changed} if name == "reset" else {}))
    seen = [row for row in picture(mixed) if row["key"] != "running"]
    assert seen == [row for row in after if row["key"] != "running"]


def test_what_has_run_since_stays_and_the_rest_comes_back(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("fetch", "read")))
    ground.add("a", "b", "c", "d")
    ground.leave("fail", "fetch")
    number = bulk(ground, "retry")
    claims = {claim.item.key: claim for claim in ground.claim("fetch", 3)}
    ground.end(finished(claims["a"]), left(claims["b"], "fail", "again"))
    ended = back(ground, number.view.operation)
    assert ended.view.said == "undid retry of 2 items; 2 not: it has run since"
    assert [ground.item(key)["state"] for key in "abcd"] == ["pending", "failed", "failed", "failed"]
    assert ground.at("a", "fetch")["state"] == "done"
    # What still ran was stopped: its result is refused.
    assert ground.end(finished(claims["c"])).refused


def test_run_again_from_a_stage_keeps_results_and_is_taken_back_until_it_has_run(
    make_ground: Callable[..., Ground],
) -> None:
    ground = make_ground(job("docs", *chain("fetch", "read", "tell")), job("mails", *chain("read", "sort")))
    ground.add("a", "b", "c")
    ground.add("m", job="mails")
    for name in ("fetch", "read", "tell"):
        ground.finish(name)
    for name in ("read", "sort"):
        ground.finish(name, job="mails")
    before = picture(ground)
    number = bulk(ground, "reset", stage="read")
    assert number.view.said == "will run again from there: 4 items"
    assert [ground.at("a", name)["state"] for name in ("fetch", "read", "tell")] == ["done", "ready", "blocked"]
    assert [ground.at("m", name, "mails")["state"] for name in ("read", "sort")] == ["ready", "blocked"]
    assert len(ground.rows("SELECT * FROM results")) == 11
    ground.end(finished(ground.claim_one("read")))
    ended = back(ground, number.view.operation)
    assert ended.view.said == "undid reset of 3 items; 1 not: it has run since"
    assert ground.at("a", "tell")["state"] == "ready"
    assert [row for row in picture(ground) if row["key"] != "a"] == [row for row in before if row["key"] != "a"]


def test_undo_leaves_alone_what_a_later_command_changed(mixed: Ground) -> None:
    first = bulk(mixed, "prioritise", priority=0)
    mixed.command("prioritise", "ready", priority=3)
    bulk(mixed, "snooze", ids(mixed, "key = 'failed'"), until=2_000_000_000_000)
    ended = back(mixed, first.view.operation)
    assert ended.view.restored == 4
    assert (mixed.item("ready")["priority"], mixed.item("failed")["priority"]) == (3, 0)
    assert mixed.item("gate")["priority"] is None


def test_undo_of_one_leaves_alone_what_a_later_set_changed(mixed: Ground) -> None:
    first = mixed.command("prioritise", "gate", priority=0)
    bulk(mixed, "prioritise", priority=2)
    outcome = mixed.do(undo.undo, mixed.plan, mixed.now, first.operation)
    assert outcome.message == "cannot undo prioritise: gate: a later command changed it too"


def test_set_is_bound_to_what_it_was(mixed: Ground) -> None:
    begun = mixed.do(bulks.begin, "retry", {}, pack(ids(mixed, "state = 'failed'")), mixed.now)
    mixed.end(left(mixed.claim_one("fetch"), "fail", "later than the question"))
    assert drive(mixed, begun).view.changed == 1
    assert mixed.item("ready")["state"] == "failed"


def test_what_was_interrupted_goes_on_where_it_was(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground()
    ground.add(*"abcde")
    ground.leave("fail")
    begun = ground.do(bulks.begin, "retry", {}, pack(ids(ground)), ground.now)
    ground.do(bulks.step, ground.plan, begun.view.operation, ids(ground), 2, ground.now)
    assert ground.do(bulks.unfinished) == [begun.view.operation]
    assert drive(ground, ground.do(bulks.find, begun.view.operation)).view.changed == 5
    assert ground.do(bulks.unfinished) == []


def test_undo_in_its_middle_takes_back_what_was_done(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground()
    ground.add(*"abcde")
    ground.leave("fail")
    begun = ground.do(bulks.begin, "retry", {}, pack(ids(ground)), ground.now)
    ground.do(bulks.step, ground.plan, begun.view.operation, ids(ground), 2, ground.now)
    ended = back(ground, begun.view.operation)
    assert ended.view.said == "undid retry of 2 items"
    assert {ground.item(key)["state"] for key in "abcde"} == {"failed"}
    with pytest.raises(UseError, match="taken back already"):
        ground.do(bulks.take_back, begun.view.operation, ground.now)


def test_history_of_each_item_tells_of_it(mixed: Ground) -> None:
    bulk(mixed, "drop", why="too old")
    assert [event["text"] for event in mixed.events("item.dropped")][1:] == ["too old"] * 6
    assert mixed.events("operation.done")[0]["text"] == "dropped 6 items; 1 not: it is dropped already"


def test_it_goes_with_its_place_in_the_journal(mixed: Ground) -> None:
    bulk(mixed, "retry")
    mixed.do(lambda connection: connection.execute("DELETE FROM operations"))
    assert mixed.rows("SELECT count(*) AS n FROM bulk_items") == [{"n": 0}]
    assert mixed.rows("SELECT count(*) AS n FROM bulk_stages") == [{"n": 0}]


def test_what_is_no_set_is_refused(mixed: Ground) -> None:
    with pytest.raises(UseError, match="`bulk`: not a set"):
        mixed.do(bulks.begin, "retry", {}, "x", mixed.now)
    assert mixed.rows("SELECT 1 FROM bulks") == []


def test_priority_of_a_policy_is_left_to_it(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground()
    ground.add(candidate("a", priority=2))
    number = bulk(ground, "prioritise", priority=0)
    back(ground, number.view.operation)
    assert (ground.item("a")["priority"], ground.item("a")["priority_by"]) == (2, "source")
