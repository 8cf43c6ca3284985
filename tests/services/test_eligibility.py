"""A job that may work only at certain times, seen from outside: what is held, why, until when, and that it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.contracts.spec import Settings
from engine.contracts.steering import Condition, EligibilitySpec, Hours, IdleSpec, PriorityRule
from engine.contracts.view import HoldView
from tests.factories import Rig, candidate, discovery, job, stage, yields


async def nothing(_ctx: Any) -> dict[str, int]:
    return {}


class Hand:
    """A user whose idle time the test decides."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds

    def probe(self, _ctx: Any) -> float | None:
        return self.seconds

    def rig(self, folder: Path, *of: Any, **functions: Any) -> Rig:
        settings = Settings(idle=IdleSpec(use="probe"))
        return Rig(folder, *of, functions={"probe": self.probe, "nothing": nothing, **functions}, settings=settings)


def holds(it: Rig, gate: str) -> list[tuple[str, int | None]]:
    (view,) = it.reader.jobs()
    return [(hold.why, hold.until) for hold in view.holds if hold.gate == gate]


async def test_work_waits_until_the_user_rests_and_says_until_when(tmp_path: Path) -> None:
    hand = Hand(60.0)
    spec = job("docs", stage(handler="nothing"), eligibility=EligibilitySpec(user_idle_s=900))
    async with hand.rig(tmp_path, spec) as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["work"] == "ready"
        assert holds(it, "eligibility") == [
            ("the user is active; it waits for 15m of rest", it.clock.now() + 840_000),
        ]
        (coming,) = it.reader.plan(None, 5)
        assert [hold.gate for hold in coming.holds] == ["eligibility"]
        hand.seconds = 901.0
        await it.runtime.steering.eligibility.look()
        await it.until(lambda: it.states("a")["work"] == "done")
        assert holds(it, "eligibility") == []


@pytest.mark.parametrize("answer", [None, "soon", -1.0, RuntimeError("no display")])
async def test_where_nothing_tells_nothing_starts_and_that_is_said(tmp_path: Path, answer: Any) -> None:
    def probe(_ctx: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    spec = job("docs", stage(handler="nothing"), eligibility=EligibilitySpec(user_idle_s=900))
    async with Hand(None).rig(tmp_path, spec, probe=probe) as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["work"] == "ready"
        ((why, until),) = holds(it, "eligibility")
        assert why.startswith("waits until the user is idle for 15m, and nothing tells that: ")
        assert until is None


async def test_work_starts_when_its_hours_begin_and_stops_when_they_end(tmp_path: Path) -> None:
    spec = job("docs", stage(handler="nothing"), eligibility=EligibilitySpec(hours=(Hours(start=540, end=1020),)))
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:  # it is midnight
        await it.add("early")
        await it.drained()
        assert it.states("early")["work"] == "ready"
        assert holds(it, "eligibility") == [("outside its hours 09:00-17:00", it.clock.now() + 9 * 3_600_000)]
        it.clock.advance(9 * 3_600)
        await it.runtime.steering.eligibility.look()
        await it.until(lambda: it.states("early")["work"] == "done")
        it.clock.advance(8 * 3_600)
        await it.runtime.steering.eligibility.look()
        await it.add("late")
        await it.drained()
        assert it.states("late")["work"] == "ready"


async def test_nothing_starts_outside_its_hours_at_the_start_of_an_engine_either(tmp_path: Path) -> None:
    """Before the first look, and while what it has found is stored, other things are stored, and with them claims."""
    spec = job("docs", stage(handler="nothing"), eligibility=EligibilitySpec(hours=(Hours(start=540, end=1020),)))
    async with Hand(None).rig(tmp_path, spec) as it:
        await it.add(*(f"k{number}" for number in range(20)))
        await it.drained()
    async with Hand(None).rig(tmp_path, spec) as it:
        await it.drained()
        assert {it.states(f"k{number}")["work"] for number in range(20)} == {"ready"}
        assert [hold.gate for hold in it.reader.jobs()[0].holds if hold.stage is None] == ["eligibility"]


async def test_discovery_goes_on_while_the_work_is_held(tmp_path: Path) -> None:
    spec = job(
        "docs",
        stage(handler="nothing"),
        discovery=discovery("scan"),
        eligibility=EligibilitySpec(user_idle_s=900),
    )
    async with Hand(0.0).rig(tmp_path, spec, scan=yields("a")) as it:
        assert (await it.command("run", job="docs")).ok
        await it.until(lambda: it.reader.item("docs", "a") is not None)


async def test_a_quiet_hour_starts_a_discovery_once(tmp_path: Path) -> None:
    from dataclasses import replace

    hand = Hand(0.0)
    spec = job("docs", stage(handler="nothing"), discovery=replace(discovery("scan"), on_idle_s=1_800))
    async with hand.rig(tmp_path, spec, scan=yields("a")) as it:
        for seconds, runs in ((1_799.0, 0), (1_800.0, 1), (1_900.0, 1), (5.0, 1), (2_000.0, 2)):
            hand.seconds = seconds
            await it.runtime.steering.eligibility.look()
            await it.until(lambda runs=runs: len(it.reader.runs("docs", 9)) == runs)  # type: ignore[misc]
            await it.until(lambda: not it.runtime.discovery.running)


async def test_held_items_are_seen_with_their_reason(tmp_path: Path) -> None:
    spec = job(
        "docs",
        stage(handler="nothing"),
        eligibility=EligibilitySpec(fields=(Condition(field="risk", one_of=("low", None)),)),
        priority=(PriorityRule(name="1", priority=1, when=(Condition(field="size", above=3),)),),
    )
    async with Rig(tmp_path, spec, functions={"nothing": nothing}) as it:
        await it.add(
            candidate("bad", data={"risk": "high"}, signals={"size": 5}), candidate("roof", needs=("bad",)), "good"
        )
        await it.drained()
        assert it.states("good")["good"] == "done"
        detail = it.reader.item("docs", "bad")
        assert detail is not None
        assert (detail.item.why, detail.item.priority) == ("risk is high; this job takes low or missing", 1)
        assert (detail.steering.priority_by, detail.steering.signals) == ("rule", {"size": 5})
        assert detail.steering.priority_why == "P1 by rule 1: size is 5 (more than 3)"
        roof = it.reader.item("docs", "roof")
        assert roof is not None
        assert (roof.steering.held, roof.steering.needs) == ("it waits for bad", {"bad": "pending"})
        (view,) = it.reader.jobs()
        assert view.holds[0] == HoldView(
            stage=None, gate="items", why="2 items are held: risk is high; this job takes low or missing", until=None
        )
