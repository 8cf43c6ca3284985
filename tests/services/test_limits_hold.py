"""What an engine must not do: spend on after a limit, or go on with a plan or a writer that it has lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import EngineStopped, StateError
from engine.contracts.outcome import Done
from engine.services.allowance import Limits
from engine.store.plan import Plan
from tests.factories import Rig, job, stage


async def test_a_daily_limit_stops_the_next_claim(tmp_path: Path) -> None:
    bought = []

    async def buy(ctx: object) -> Done:
        bought.append(1)
        return Done(cost_usd_micros=1_000_000)

    spec = replace(job("docs", stage("work", handler="buy", concurrency=1)), daily_cost_usd_micros=1_000_000)
    async with Rig(tmp_path, spec, functions={"buy": buy}) as rig:
        await rig.add(*(f"k{n}" for n in range(5)))
        await rig.drained()

        assert len(bought) == 1


async def test_the_end_that_reaches_a_limit_starts_nothing_in_its_place(tmp_path: Path) -> None:
    bought, ends = [], asyncio.Event()

    async def buy(ctx: object) -> Done:
        bought.append(1)
        await ends.wait()
        return Done(cost_usd_micros=1_000_000)

    spec = replace(job("docs", stage("work", handler="buy", concurrency=1)), daily_cost_usd_micros=1_000_000)
    async with Rig(tmp_path, spec, functions={"buy": buy}) as rig:
        await rig.add(*(f"k{n}" for n in range(5)))
        await rig.until(lambda: rig.runtime.attempts.running == 1)
        for _ in range(5):
            await rig.runtime.writer.flush()  # what looks around at the start has done so
        ends.set()  # so its group has no change beside it that would look at what is paused
        await rig.until(lambda: rig.reader.jobs()[0].state == "paused")
        await rig.drained()
        assert len(bought) == 1


async def test_nothing_of_a_job_starts_in_the_group_that_pauses_it(tmp_path: Path) -> None:
    ran = []

    async def work(ctx: object) -> dict[str, object]:
        ran.append(1)
        return {}

    spec = job("docs", stage("work", handler="work", gate="accept"))
    async with Rig(tmp_path, spec, functions={"work": work}) as rig:
        await rig.add("a")
        await asyncio.gather(rig.command("pause", job="docs"), rig.command("accept", job="docs", keys=["a"]))
        await rig.drained()
        assert (ran, rig.states("a")["work"]) == ([], "ready")
        await rig.command("resume", job="docs")
        await rig.drained()
        assert rig.states("a")["work"] == "done"


async def test_a_job_that_has_reached_its_limit_can_be_taken_away(tmp_path: Path) -> None:
    async def work(ctx: object) -> dict[str, object]:
        return {}

    one, two = job("docs", stage("work", handler="work"), limit=1), job("more", stage("work", handler="work"))
    async with Rig(tmp_path, one, two, functions={"work": work}) as rig:
        await rig.add("a", "b")
        await rig.until(lambda: rig.reader.jobs()[0].state == "paused")
        rest = tuple(spec for spec in rig.runtime.project.jobs if spec.name == "more")
        await rig.runtime.reload._apply(replace(rig.runtime.project, jobs=rest))
        await rig.add("c", job="more")
        await rig.drained()
        assert rig.states("c", "more")["c"] == "done"


async def test_a_look_that_starts_nothing_keeps_no_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an allowance is out, model calls that share a resource with stages have to wait."""
    hold, out = asyncio.Event(), Counter[str]()

    def counted(name: str) -> None:
        real = getattr(Limits, name)

        def function(*args: Any) -> Any:
            out[name] += 1
            return real(*args)

        monkeypatch.setattr(Limits, name, function)

    async def work(ctx: object) -> dict[str, object]:
        await hold.wait()
        return {}

    spec = job("docs", stage("work", handler="work", concurrency=1))
    async with Rig(tmp_path, spec, functions={"work": work}) as rig:
        await rig.add("a", "b")
        await rig.until(lambda: rig.runtime.attempts.running == 1)
        await rig.runtime.writer.flush()
        counted("open")
        counted("adopt")
        rig.runtime.writer.look()
        await rig.until(lambda: out["open"] > 0 and out["open"] == out["adopt"], seconds=5)
        hold.set()
        await rig.drained()


async def test_a_plan_that_was_not_committed_is_not_kept(tmp_path: Path) -> None:
    async def work(ctx: object) -> dict[str, object]:
        return {}

    async with Rig(tmp_path, job("docs", stage("work", handler="work")), functions={"work": work}) as rig:
        writer = rig.runtime.writer
        before = writer.plan

        def change(connection: sqlite3.Connection, now: int) -> None:
            writer.plan = Plan()
            raise sqlite3.OperationalError("database or disk is full")

        with pytest.raises(StateError):
            await writer.change(change)
        assert writer.plan is before
        await rig.add("a")
        await rig.drained()
        assert rig.states("a")["a"] == "done"


async def test_a_writer_that_dies_ends_the_engine_and_lets_nobody_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = []
    async with Rig(tmp_path, job("docs", stage("work", handler="none"))) as rig:
        monkeypatch.setattr(rig.runtime, "_on_death", lambda: died.append(1))
        monkeypatch.setattr(rig.runtime, "allowance", lambda: 1 / 0)
        with pytest.raises(EngineStopped):
            await rig.command("pause", job="docs")
        monkeypatch.setattr(rig.runtime.writer, "_task", None)

    assert died == [1]
