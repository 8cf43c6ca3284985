"""Conversations: stored before they are sent, replayed after a crash, folded when they grow, moved aside for others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import InDoubt, ModelBusy
from engine.contracts.llm import Sent
from engine.store import conversations
from tests.llm.house import PRICE, House, backend, model, outcome, run_virtually


class Killed(BaseException):
    """The engine is gone: nothing after this is stored."""


async def test_turns_go_along_and_are_stored(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": lambda sent, n: f"answer {n}"})
    talk = house.door("docs").conversation("review", system="be brief")
    assert (await talk.say("first")).text == "answer 0"
    assert (await talk.say("second")).text == "answer 1"
    assert talk.turns == 2
    said = [(one.role, one.content) for one in house.backends["one"].sent[1].messages]
    assert said == [("system", "be brief"), ("user", "first"), ("assistant", "answer 0"), ("user", "second")]
    rows = house.rows("SELECT n, question, answer, usd_micros > 0 FROM turns")
    assert rows == [(1, "first", "answer 0", 1), (2, "second", "answer 1", 1)]


async def test_handler_that_starts_again_asks_nothing_twice(tmp_path: Path) -> None:
    house = await House(tmp_path).open({"one": lambda _sent, n: f"answer {n}"})
    talk = house.door("docs").conversation("review")
    await talk.say("first")
    after = await house.again(tmp_path).open({"one": lambda _sent, n: f"later {n}"})
    again = after.door("docs").conversation("review")
    replayed = await again.say("first")
    assert (replayed.text, replayed.cached, replayed.cost_usd_micros) == ("answer 0", True, 0)
    assert (await again.say("second")).text == "later 0"
    other = after.door("docs", key="another item").conversation("review")
    assert (await other.say("first")).text == "later 1"


async def test_request_that_a_crash_cut_off_is_in_doubt(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": ["one", {"hang": True}]})
    talk = house.door("docs").conversation("review")
    await talk.say("first")
    task = asyncio.ensure_future(talk.say("second"))
    while len(house.backends["one"].sent) < 2:
        house.backends["one"].asked.clear()
        await house.backends["one"].asked.wait()
    house.before_change = _kill  # what the dying engine would still store is not stored
    task.cancel()
    await asyncio.wait({task})
    after = await house.again(tmp_path).open({"one": ["three"]})
    assert house.rows("SELECT state FROM conversations") == [("doubt",)]
    again = after.door("docs").conversation("review")
    assert (await again.say("first")).text == "one"
    with pytest.raises(InDoubt):
        await again.say("second")
    assert after.backends["one"].sent == []
    (worst,) = house.rows("SELECT usd_micros FROM model_calls WHERE state = 'lost'")[0]
    assert worst > 0
    assert (await again.say("second", repeat=True)).text == "three"
    assert house.rows("SELECT state FROM conversations") == [("open",)]


def _kill() -> None:
    raise RuntimeError("the engine is gone")


async def test_refused_request_can_be_said_again(tmp_path: Path) -> None:
    house = await House(tmp_path).open({"one": [{"fail": "transient"}, "yes"]})
    talk = house.door("docs").conversation("review")
    assert isinstance(await outcome(talk.say("first")), Exception)
    assert (await talk.say("first")).text == "yes"
    assert house.rows("SELECT n, answer FROM turns") == [(1, "yes")]


async def test_old_turns_go_on_as_a_summary(tmp_path: Path) -> None:
    def script(sent: Sent, n: int) -> str:
        return "what was said so far" if "new summary" in sent.messages[-1].content else f"answer {n}"

    house = await House(tmp_path).open({"one": script})
    talk = house.door("docs").conversation("long", keep=5)
    for n in range(16):
        await talk.say(f"question {n}")
    last = house.backends["one"].sent[-1].messages
    assert last[0].role == "system"
    assert "what was said so far" in last[0].content
    assert last[1].content == "question 10"  # the last five stayed when the summary was made
    assert max(len(sent.messages) for sent in house.backends["one"].sent) <= 2 * 15 + 2
    summaries = [sent for sent in house.backends["one"].sent if "new summary" in sent.messages[-1].content]
    assert len(summaries) == 1
    # After a crash neither the turns nor the summary are asked for again.
    after = await house.again(tmp_path).open({"one": script})
    again = after.door("docs").conversation("long", keep=5)
    for n in range(16):
        assert (await again.say(f"question {n}")).cached
    assert after.backends["one"].sent == []


def test_place_between_turns_goes_to_who_is_more_urgent(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(concurrency=1, keep_place=True)])
        await house.open({"one": [{"sleep": 1, "echo": True}]})
        slow = house.door("docs", urgency=2_000).conversation("slow")
        await slow.say("first")
        # Somebody less urgent waits until the conversation lets go of its place.
        patient = asyncio.ensure_future(house.door(urgency=3_000).ask("patient"))
        await asyncio.sleep(5)
        assert not patient.done()
        # Somebody more urgent takes it.
        assert (await house.door(urgency=1_000).ask("urgent")).text == "urgent"
        await house.gateway.chores.done()
        assert house.rows("SELECT state, why FROM conversations") == [("paused", "a more urgent request took one")]
        assert (await patient).text == "patient"
        assert (await slow.say("second")).text == "second"
        assert house.rows("SELECT state FROM conversations") == [("open",)]
        # Before long work on files it lets go by itself.
        other = asyncio.ensure_future(house.door(urgency=9_000).ask("other"))
        await asyncio.sleep(5)
        assert not other.done()
        slow.release()
        assert (await other).text == "other"

    run_virtually(main)


def test_conversations_that_wait_for_a_place_keep_nobody_from_one(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(concurrency=1, keep_place=True)])
        await house.open({"one": [{"sleep": 1, "echo": True}]})

        async def converse(n: int) -> str:
            door = house.door("docs", key=f"k{n}", urgency=7)
            try:
                talk = door.conversation("talk")
                return (await talk.say(f"{n}")).text + (await talk.say("again")).text
            finally:
                door.close()

        assert await asyncio.gather(*map(converse, range(4))) == [f"{n}again" for n in range(4)]
        assert clock.monotonic() < 1_000 + 4 * 2 + 1  # each has the place for its two turns, and nothing is waited for

    run_virtually(main)


def test_own_place_is_not_in_the_way_of_another_question(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(concurrency=1, keep_place=True)])
        await house.open({"one": [{"sleep": 1, "echo": True}]})
        door = house.door("docs", urgency=7)
        talk = door.conversation("talk")
        await talk.say("first")
        assert (await door.ask("beside it")).text == "beside it"
        assert (await talk.say("second")).text == "second"
        assert clock.monotonic() <= 1_003

    run_virtually(main)


def test_two_attempts_that_want_each_others_place_do_not_wait_for_ever(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        backends = [backend(name, concurrency=1, keep_place=True) for name in ("one", "two")]
        models = [model("one", "one/m"), model("two", "two/m")]
        house = House(tmp_path, clock=clock, backends=backends, models=models)
        await house.open({"one": [{"sleep": 1, "echo": True}], "two": [{"sleep": 1, "echo": True}]})

        async def converse(*aliases: str) -> list[str]:
            door = house.door("docs", key=aliases[0], urgency=7)
            try:
                return [(await door.conversation(alias, model=alias).say(alias)).text for alias in aliases]
            finally:
                door.close()

        said = await asyncio.gather(converse("one", "two"), converse("two", "one"))
        assert said == [["one", "two"], ["two", "one"]]
        assert clock.monotonic() <= 1_003

    run_virtually(main)


def test_waiting_for_a_quota_parks_the_attempt(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock).open({"one": ["yes", {"fail": "throttled", "retry_after": 600}]})
        talk = house.door("docs").conversation("review")
        await talk.say("first")
        busy = await outcome(talk.say("second"))
        assert isinstance(busy, ModelBusy)
        assert house.rows("SELECT state, until FROM conversations") == [("waiting", busy.until)]
        waits = await outcome(talk.wait_for("quota"))
        assert isinstance(waits, ModelBusy)
        assert waits.until == busy.until
        await asyncio.sleep(601)
        await talk.wait_for("quota")
        assert await outcome(talk.wait_for("budget")) is None
        await talk.close(why="done")
        assert house.rows("SELECT state, why FROM conversations") == [("closed", "done")]

    run_virtually(main)


async def test_turn_is_stored_before_it_is_sent(tmp_path: Path) -> None:
    seen: list[Any] = []
    house = House(tmp_path)

    def script(_sent: Sent, _n: int) -> str:
        seen.append(
            house.rows("SELECT t.question, t.answer, c.state FROM turns AS t JOIN model_calls AS c ON c.id = call_id")
        )
        return "yes"

    await house.open({"one": script})
    await house.door("docs").conversation("review").say("first")
    assert seen == [[("first", None, "reserved")]]


def test_owner_of_a_conversation_is_its_item() -> None:
    assert conversations.hash_of("a") != conversations.hash_of("b")
