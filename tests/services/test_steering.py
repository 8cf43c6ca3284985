"""A job's own word, its limit and its backlog, and work that is not to be done any more: seen from outside."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.contracts.outcome import Done
from engine.contracts.rate import Rate
from engine.contracts.spec import ResourceSpec, Settings
from engine.contracts.steering import ValidateSpec
from engine.contracts.view import JobView
from engine.kit.clock import ManualClock
from tests.factories import Rig, candidate, chain, discovery, job, stage, yields


async def nothing(_ctx: Any) -> dict[str, int]:
    return {}


def view(it: Rig) -> JobView:
    return it.reader.jobs()[0]


class Word:
    """A validator whose word the test decides."""

    def __init__(self, word: Any = None) -> None:
        self.word = word
        self.asked: list[Any] = []

    async def check(self, ctx: Any) -> Any:
        self.asked.append((ctx.job, dict(ctx.counts), dict(ctx.params)))
        if isinstance(self.word, Exception):
            raise self.word
        return self.word

    def rig(self, folder: Path, **more: Any) -> Rig:
        spec = job("docs", stage(handler="nothing"), validate=ValidateSpec(use="check", params={"n": 3}), **more)
        return Rig(folder, spec, functions={"check": self.check, "nothing": nothing})


async def test_a_job_that_finds_itself_well_works(tmp_path: Path) -> None:
    word = Word()
    async with word.rig(tmp_path) as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["work"] == "done"
        ((name, _, params),) = word.asked
        assert (name, params) == ("docs", {"n": 3})


async def test_a_job_that_says_why_not_is_paused_with_a_time_and_asked_again(tmp_path: Path) -> None:
    word = Word("the archive is being moved")
    async with word.rig(tmp_path) as it:
        await it.add("a")
        await it.drained()
        assert (view(it).state, view(it).why) == ("paused", "the archive is being moved")
        assert it.states("a")["work"] == "ready"
        assert "guard.tripped" in it.kinds()
        it.clock.advance(599)
        it.runtime.timers.look()
        await it.drained()
        assert view(it).state == "paused"
        word.word = None
        it.clock.advance(1)
        it.runtime.timers.look()
        await it.until(lambda: it.states("a")["work"] == "done")
        assert len(word.asked) == 2


async def test_a_person_has_the_last_word(tmp_path: Path) -> None:
    word = Word("not today")
    async with word.rig(tmp_path) as it:
        await it.add("a")
        await it.drained()
        await it.command("resume", job="docs")
        await it.until(lambda: it.states("a")["work"] == "done")
        assert (view(it).state, len(word.asked)) == ("active", 1)
        await it.command("undo")
        assert (view(it).state, view(it).why) == ("paused", "not today")


@pytest.mark.parametrize("word", [RuntimeError("no such table"), False, 5])
async def test_a_word_that_is_none_is_a_reason(tmp_path: Path, word: Any) -> None:
    async with Word(word).rig(tmp_path) as it:
        await it.add("a")
        await it.drained()
        assert view(it).state == "paused"
        assert str(word) in (view(it).why or "")


async def test_a_limit_lets_so_many_items_through_and_then_pauses(tmp_path: Path) -> None:
    spec = job("docs", *chain("read", "sum", handler="nothing"), limit=3)
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:
        await it.add(*(f"k{number}" for number in range(8)))
        await it.until(lambda: view(it).state == "paused")
        assert view(it).why == "its limit of 3 items is reached; resumed, it starts as many again"
        assert view(it).items == {"done": 3, "pending": 5}
        await it.command("resume", job="docs")
        await it.until(lambda: view(it).state == "paused" and view(it).items["done"] == 6)
        await it.command("resume", job="docs")
        await it.until(lambda: view(it).items == {"done": 8})
        assert view(it).state == "active"


async def test_a_limit_counts_over_a_restart(tmp_path: Path) -> None:
    spec = job("docs", stage(handler="nothing"), limit=3)
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:
        await it.add("a", "b")
        await it.drained()
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:
        await it.add("c", "d")
        await it.until(lambda: view(it).state == "paused")
        assert view(it).items == {"done": 3, "pending": 1}


async def test_a_limit_counts_what_has_to_run_alone(tmp_path: Path) -> None:
    spec = job("docs", stage(handler="nothing"), limit=1)
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:
        await it.command("pause", job="docs")
        await it.add("a", "b")
        await it.change(_interrupted_twice)
        await it.command("resume", job="docs")
        await it.until(lambda: view(it).state == "paused", seconds=5)
        assert view(it).items == {"done": 1, "pending": 1}


def _interrupted_twice(connection: sqlite3.Connection) -> None:
    """As two crashes leave the first row."""
    connection.execute(
        "UPDATE item_stages SET state = 'later', interruptions = 2, due_at = 1"
        " WHERE item_id = (SELECT min(id) FROM items)"
    )


async def test_a_paused_stage_rests_alone_until_its_time(tmp_path: Path) -> None:
    spec = job("docs", *chain("read", "sum", handler="nothing"))
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:
        until = it.clock.now() + 60_000
        outcome = await it.command("pause", job="docs", stage="sum", why="the model is down", until=until)
        assert outcome.message == "paused docs sum"
        await it.add("a")
        await it.drained()
        assert it.states("a") == {"a": "pending", "read": "done", "sum": "ready"}
        hold = next(hold for hold in view(it).holds if hold.gate == "paused")
        assert (hold.stage, hold.why, hold.until) == ("sum", "1 ready, the stage is paused: the model is down", until)
        await it.command("undo")
        await it.drained()
        assert it.states("a")["sum"] == "done"
        await it.command("pause", job="docs", stage="sum", until=until)
        await it.add("b")
        await it.drained()
        it.clock.advance(60)
        it.runtime.timers.look()
        await it.until(lambda: it.states("b")["sum"] == "done")
        assert not (await it.command("resume", job="docs", stage="sum")).ok


async def test_a_discovery_stops_adding_when_there_is_enough_to_do_and_goes_on_later(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def work(_ctx: Any) -> dict[str, int]:
        await go.wait()
        return {}

    spec = job("docs", stage(handler="work", concurrency=2), discovery=discovery("scan"), backlog=10, gone_after=1)
    keys = [f"k{number:02}" for number in range(35)]
    async with Rig(tmp_path, spec, functions={"work": work, "scan": yields(*keys)}) as it:
        await it.command("run", job="docs")
        await it.until(lambda: [run.state for run in it.reader.runs("docs", 5)] == ["cut"])
        assert it.reader.runs("docs", 1)[0].new == 10
        (hold,) = [hold for hold in view(it).holds if hold.gate == "backlog"]
        assert hold.why == "10 items of docs are pending, its backlog is 10; nothing is added"
        assert "run.backlog" in it.kinds()
        await it.command("run", job="docs")
        await it.until(lambda: not it.runtime.discovery.running)
        assert len(it.reader.runs("docs", 9)) == 1
        go.set()
        await it.drained()
        assert view(it).items == {"done": 35}
        assert [hold for hold in view(it).holds if hold.gate == "backlog"] == []


class Truth:
    """A world in which some items are not to be done any more."""

    def __init__(self, folder: Path, still_true: Any) -> None:
        self.ran: list[tuple[str, str]] = []
        spec = job("docs", *chain("read", "sum", handler="work"), still_true="still_true")
        functions = {"work": self._work, "still_true": still_true, "scan": yields("a")}
        self.rig = Rig(folder, spec, functions=functions)

    async def _work(self, ctx: Any) -> dict[str, int]:
        self.ran.append((ctx.item.key, ctx.stage))
        return {}


async def test_what_is_not_to_be_done_any_more_is_skipped_as_a_whole_with_the_reason(tmp_path: Path) -> None:
    world = Truth(tmp_path, lambda ctx: "its page is gone" if ctx.item.key == "gone" else None)
    async with world.rig as it:
        await it.add("gone", "here")
        await it.drained()
        assert world.ran == [("here", "read"), ("here", "sum")]
        assert it.states("gone") == {"gone": "skipped", "read": "skipped", "sum": "skipped"}
        detail = it.reader.item("docs", "gone")
        assert detail is not None
        assert {one.why for one in detail.stages} == {"its page is gone"}


async def test_it_is_asked_before_each_start_so_that_half_done_work_ends_too(tmp_path: Path) -> None:
    world = Truth(tmp_path, lambda ctx: "done by hand" if ctx.stage == "sum" else None)
    async with world.rig as it:
        await it.add("a")
        await it.drained()
        assert it.states("a") == {"a": "done", "read": "done", "sum": "skipped"}


async def test_a_question_that_cannot_be_asked_is_a_failed_attempt(tmp_path: Path) -> None:
    def still_true(_ctx: Any) -> str | None:
        raise ConnectionError("no route")

    world = Truth(tmp_path, still_true)
    async with world.rig as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["read"] == "later"
        assert world.ran == []


async def test_a_machine_that_slept_through_several_runs_makes_up_for_one(tmp_path: Path) -> None:
    runs: list[int] = []

    async def scan(ctx: Any) -> AsyncIterator[Any]:
        runs.append(it.clock.now())
        ctx.scope(["all"])
        for one in ():
            yield one

    spec = job("docs", stage(handler="nothing"), discovery=replace(discovery("scan"), cron="0 6 * * *"))
    async with Rig(tmp_path, spec, functions={"nothing": nothing, "scan": scan}) as it:
        await it.until(lambda: len(runs) == 1 and not it.runtime.discovery.running)  # never run before: at once
        it.clock.advance(3 * 86_400)
        it.runtime.discovery.look()
        await it.until(lambda: len(runs) == 2 and not it.runtime.discovery.running)
        it.runtime.discovery.look()
        await it.drained()
        assert len(runs) == 2
        assert view(it).next_run_at == it.clock.now() + 6 * 3_600_000


async def test_an_item_of_low_priority_runs_under_a_flood_of_urgent_ones(tmp_path: Path) -> None:
    """One slot, one urgent item a minute that takes a minute: what is P3 waits for four hours, and not for ever."""
    ran: list[str] = []

    async def work(ctx: Any) -> dict[str, int]:
        ran.append(ctx.item.key)
        return {}

    spec = job("docs", stage(handler="work", concurrency=1, pace=Rate(count=1, per_s=60)))
    async with Rig(tmp_path, spec, functions={"work": work}) as it:
        await it.add(candidate("first", priority=0))
        await it.until(lambda: ran == ["first"])
        await it.add(candidate("humble", priority=3), *(candidate(f"p{n}", priority=0) for n in range(3)))
        for minute in range(300):
            await it.add(candidate(f"urgent{minute}", priority=0))
            it.clock.advance(60)
            it.runtime.writer.look()
            await it.until(lambda minute=minute: len(ran) >= minute + 2)  # type: ignore[misc]
            if "humble" in ran:
                break
        assert 235 <= minute <= 245


async def test_whoever_shares_a_pace_gets_turns_by_weight_and_sees_why(tmp_path: Path) -> None:
    """One start a second for both jobs: urgent items get four of five turns, and the others are not forgotten."""
    ran: list[str] = []

    async def work(ctx: Any) -> dict[str, int]:
        ran.append(ctx.job)
        return {}

    host = (ResourceSpec(name="host", capacity=9, pace=Rate(count=1, per_s=1)),)
    specs = [job(name, stage(handler="work", resources=("host",))) for name in ("urgent", "plain")]
    async with Rig(tmp_path, *specs, functions={"work": work}, resources=host) as it:
        await it.command("pause", job="urgent")
        await it.command("pause", job="plain")
        await it.add(*(candidate(f"u{n}", priority=0) for n in range(9)), job="urgent")
        await it.add(*(candidate(f"p{n}") for n in range(9)), job="plain")
        coming = {one.job: one.weight for one in it.reader.plan(None, 50)}
        assert "×4 its first item is P0" in (coming["urgent"] or "")
        assert "P0" not in (coming["plain"] or "P0")
        await it.command("resume", job="urgent")
        await it.command("resume", job="plain")
        for second in range(10):
            await it.until(lambda second=second: len(ran) >= second + 1)  # type: ignore[misc]
            it.clock.advance(1)
            it.runtime.writer.look()
        assert 6 <= ran[:10].count("urgent") <= 9


async def test_a_job_that_has_spent_its_day_pauses_until_the_next_and_a_person_may_let_it_go_on(tmp_path: Path) -> None:
    async def buy(_ctx: Any) -> Done:
        return Done(cost_usd_micros=400_000)

    spec = job("docs", stage(handler="buy", concurrency=1), daily_cost_usd_micros=1_000_000)
    async with Rig(tmp_path, spec, functions={"buy": buy}) as it:
        await it.add(*(f"k{number}" for number in range(8)))
        await it.until(lambda: view(it).state == "paused")
        assert view(it).why == "daily cost of this job: $1.20 of $1.00 spent"
        assert view(it).items == {"done": 3, "pending": 5}
        it.clock.advance(86_400)  # the clock started at midnight
        it.runtime.timers.look()
        await it.until(lambda: view(it).items["done"] == 6 and view(it).state == "paused")
        await it.command("resume", job="docs")
        await it.until(lambda: view(it).items == {"done": 8})
        assert view(it).state == "active"
        assert it.kinds().count("guard.tripped") == 2


async def test_a_daily_run_follows_the_local_clock_over_the_night_on_which_it_jumps(tmp_path: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 12, 0, tzinfo=berlin)
    spec = job("docs", stage(handler="nothing"), discovery=replace(discovery("scan"), cron="30 2 * * *"))
    functions = {"nothing": nothing, "scan": yields("a")}
    clock = ManualClock(round(start.timestamp() * 1000))
    settings = Settings(timezone="Europe/Berlin")
    async with Rig(tmp_path, spec, functions=functions, clock=clock, settings=settings) as it:
        times = []
        for number in range(1, 4):
            await it.until(
                lambda number=number: (  # type: ignore[misc]
                    len(it.reader.runs("docs", 9)) == number and not it.runtime.discovery.running
                )
            )
            due = view(it).next_run_at
            assert due is not None
            times.append(datetime.fromtimestamp(due / 1000, berlin).isoformat())
            it.clock.advance((due - it.clock.now()) / 1000)
            it.runtime.discovery.look()
    # 02:30 does not exist on the 29th: the run comes right after the jump, and once.
    assert times == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]
