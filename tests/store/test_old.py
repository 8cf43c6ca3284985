"""What is beyond its keeping time goes with all that belongs to it; what something rests on stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.contracts.llm import Ballot, Consensus
from engine.store import conversations, model_calls, old, retention, upkeep, versions
from engine.store.claims import Claim
from engine.store.conversations import ConversationRow
from engine.store.model_calls import Asker
from engine.store.upkeep import DAY_MS
from tests.factories import Ground, candidate, chain, finished, job, left
from tests.store.test_versions import CODE, Code, ran

Make = Callable[..., Ground]


def prune_all(ground: Ground) -> None:
    while ground.do(upkeep.prune, ground.now):
        pass
    assert ground.db.execute("PRAGMA foreign_key_check").fetchall() == []


def n(ground: Ground, table: str) -> int:
    return int(ground.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def asker(claim: Claim) -> Asker:
    stage = claim.stage
    return Asker(
        job=stage.job, job_id=stage.job_id, item_id=claim.item.id, stage_id=stage.id, stage="work",
        key=claim.item.key, fence=claim.fence,
    )  # fmt: skip


def converse(ground: Ground, claim: Claim) -> ConversationRow:
    """One answered turn."""

    def turn(connection: Any) -> ConversationRow:
        row = conversations.open_or_begin(connection, asker(claim), "talk", alias="fast", system="", now=ground.now)
        conversations.ask(connection, row.id, 1, "turn", "q", 1, ground.now)
        conversations.answer(
            connection, row.id, 1, "a", model="one/m", tokens_in=1, tokens_out=1, usd_micros=1, now=ground.now
        )
        return row

    return ground.do(turn)


def decide(ground: Ground, claim: Claim) -> None:
    ballot = Ballot(member="fast", model="one/m", value=1, text="1", error=None, cost_usd_micros=1, ms=1)
    consensus = Consensus(value=1, agreement=1.0, how="majority", ballots=(ballot,), cost_usd_micros=1)
    ground.do(model_calls.add_jury, asker(claim), "jury", consensus, ground.now)


def test_conversations_and_juries_go_when_their_item_is_settled(ground: Ground) -> None:
    ground.add("done", "open")
    for claim in ground.claim():
        converse(ground, claim)
        decide(ground, claim)
        if claim.item.key == "done":
            ground.end(finished(claim))
    ground.clock.advance(91 * DAY_MS / 1000)
    prune_all(ground)
    left = ground.rows("SELECT i.key FROM conversations AS c JOIN items AS i ON i.id = c.item_id")
    assert [row["key"] for row in left] == ["open"]  # its next attempt says the same again
    assert (n(ground, "turns"), n(ground, "juries"), n(ground, "ballots")) == (1, 0, 0)


def test_what_models_said_of_an_item_goes_with_it(ground: Ground) -> None:
    ground.add("a")
    (claim,) = ground.claim()
    converse(ground, claim)
    decide(ground, claim)
    ground.end(finished(claim))
    ground.clock.advance(2)
    ground.add("newest")
    assert ground.do(retention.prune, ground.job().id, ground.now, ground.now) == 1
    assert [n(ground, table) for table in ("conversations", "turns", "juries", "ballots")] == [0, 0, 0, 0]


def test_conversation_goes_on_until_its_stage_has_a_result_and_then_begins_anew(ground: Ground) -> None:
    ground.add(candidate("a", revision="1"))
    first = ground.claim_one()
    converse(ground, first)
    ground.end(left(first, "retry_later", due_at=ground.now))
    ground.wake()
    again = ground.claim_one()
    row = ground.do(conversations.open_or_begin, asker(again), "talk", alias="fast", system="", now=ground.now)
    assert [turn.answer for turn in row.turns] == ["a"]
    ground.end(finished(again))
    ground.add(candidate("a", revision="2"))
    anew = ground.claim_one()
    row = ground.do(conversations.open_or_begin, asker(anew), "talk", alias="fast", system="", now=ground.now)
    assert row.turns == []
    states = [one["state"] for one in ground.rows("SELECT state FROM conversations ORDER BY id")]
    assert states == ["closed", "open"]
    # The one of before stays to be read; the new one is found again.
    found = ground.do(conversations.open_or_begin, asker(anew), "talk", alias="fast", system="", now=ground.now)
    assert found.id == row.id


@pytest.mark.parametrize(("planned", "stay"), [(False, 1), (True, 2)])
def test_closed_incidents_go_unless_something_is_planned(ground: Ground, planned: bool, stay: int) -> None:
    ground.add("a")
    for state, closed in (("open", None), ("resolved", ground.now)):
        ground.db.execute(
            "INSERT INTO incidents (signature, label, class, confidence, judged_by, reason, fix, state, count, "
            "first_at, last_at, closed_at, evidence) "
            "VALUES (?, 'l', 'item', 'high', 'rule', 'r', 'f', ?, 1, 1, 1, ?, '{}')",
            (state, state, closed),
        )
    ground.db.execute("INSERT INTO incident_items (incident_id, item_id, stage_id, fence, at) VALUES (2, 1, 1, 1, 1)")
    ground.db.execute(
        "INSERT INTO doctor_actions (incident_id, job_id, action, tier, state, text, at, due_at, ended_at) "
        "VALUES (2, 1, 'todo', 'medium', ?, 't', 1, 1, ?)",
        ("pending", None) if planned else ("done", 1),
    )
    ground.clock.advance(91 * DAY_MS / 1000)
    prune_all(ground)
    assert (n(ground, "incidents"), n(ground, "incident_items"), n(ground, "doctor_actions")) == (
        stay,
        stay - 1,
        stay - 1,
    )


def test_versions_that_nothing_rests_on_go_with_their_snapshots(make_ground: Make) -> None:
    docs = Code(make_ground(job("docs", *chain("work", "report"))))
    ground = docs.ground
    docs.is_now(work=CODE, report=CODE)
    ran(docs, "a")
    for limit in range(2, 12):
        docs.is_now(work=CODE.replace("LIMIT = 1", f"LIMIT = {limit}"), report=CODE)
        changed = CODE.replace("LIMIT = 1", f"LIMIT = {limit}").replace(
            "    return", f"    log.info('{limit}')\n    return"
        )
        docs.is_now(work=changed, report=CODE)
    stale, symbols = docs.stale(), n(ground, "symbols")
    ground.clock.advance(91 * DAY_MS / 1000)
    prune_all(ground)
    work = ground.stage_id("work")
    kept = [row["id"] for row in ground.rows("SELECT id FROM versions WHERE stage_id = ? ORDER BY id", work)]
    made = ground.rows("SELECT version_id FROM results WHERE stage_id = ?", work)[0]["version_id"]
    current = ground.rows("SELECT version_id FROM stages WHERE id = ?", work)[0]["version_id"]
    # What made the result, the five newest, and with the oldest of these what counts as the same as one that runs.
    assert kept[0] == made
    assert kept[-1] == current
    assert len(kept) == 6
    assert n(ground, "symbols") < symbols
    assert docs.stale() == stale
    assert docs.counted()
    ground.do(versions.judge, ground.plan, versions.Pair(work, made, current, 1), verdict="same", by="person", why="so",
              now=ground.now)  # fmt: skip
    assert docs.stale() == []


def test_sums_are_kept_for_more_than_a_year(ground: Ground) -> None:
    for at in (ground.now, ground.now + 2 * DAY_MS):
        ground.db.execute("INSERT INTO spent VALUES (?, 1, 5)", (at,))
        ground.db.execute("INSERT INTO model_use (at, job_id, model, purpose) VALUES (?, 1, 'one/m', 'ask')", (at,))
    ground.clock.advance(399 * DAY_MS / 1000)
    prune_all(ground)
    assert (n(ground, "spent"), n(ground, "model_use")) == (2, 2)
    ground.clock.advance(2 * DAY_MS / 1000)
    prune_all(ground)
    assert (n(ground, "spent"), n(ground, "model_use")) == (1, 1)


def test_one_batch_is_bounded(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old, "BATCH", 2)
    ground.add(*"abcde")
    for claim in ground.claim():
        decide(ground, claim)
    ground.clock.advance(91 * DAY_MS / 1000)
    assert [ground.do(old.prune, ground.now) for _ in range(4)] == [2, 2, 1, 0]
