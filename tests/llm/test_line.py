"""One line for all: the most urgent first, idle backends at once, nobody over a limit."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any, cast

import pytest

from engine.contracts.errors import ModelBusy
from engine.contracts.llm import Message, Request, Sent
from engine.contracts.models import ModeSpec
from engine.contracts.spec import ProjectSpec, Settings
from engine.llm.lanes import Lanes
from engine.store.quotas import QuotaRow
from tests.llm.house import House, backend, model, outcome, run_virtually


def test_twenty_callers_share_two_places_by_urgency(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(concurrency=2)])
        running = most = 0
        order: list[int] = []

        def script(sent: Sent, _n: int) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            order.append(int(sent.messages[-1].content))
            return {"sleep": 10, "echo": True}

        await house.open({"one": script})
        urgencies = list(range(20))
        random.Random(3).shuffle(urgencies)

        async def caller(urgency: int) -> None:
            nonlocal running
            await house.door(urgency=urgency).ask(
                Request(messages=(Message(role="user", content=str(urgency)),), wait_s=3_600)
            )
            running -= 1

        await asyncio.gather(*(caller(urgency) for urgency in urgencies))
        assert most == 2
        # The first two were there before anybody else; from then on the most urgent goes next.
        assert sorted(order[:2]) == sorted(urgencies[:2])
        rest = order[2:]
        assert rest == sorted(rest)
        assert clock.monotonic() - 1_000 >= 100

    run_virtually(main)


def test_daily_quota_of_two_lets_two_through_whoever_asks(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        modes = {"m": ModeSpec(name="m", per_day=2)}
        house = await House(tmp_path, clock=clock, backends=[backend(concurrency=20, modes=modes)]).open(
            {"one": [{"sleep": 1, "echo": True}]}
        )
        results = await asyncio.gather(*(outcome(house.door(urgency=n).ask(f"q{n}")) for n in range(20)))
        assert sum(isinstance(one, ModelBusy) for one in results) == 18
        assert len(house.backends["one"].sent) == 2
        assert house.rows("SELECT used FROM quotas WHERE name = 'one/m'") == [(2,)]

    run_virtually(main)


def _patient(text: str, wait_s: float = 3_600) -> Request:
    return Request(messages=(Message(role="user", content=text),), wait_s=wait_s)


def test_a_lane_that_is_free_again_costs_the_same_however_many_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(clock: Any) -> None:
        house = House(
            tmp_path, clock=clock, backends=[backend(concurrency=2)], models=[model("fast"), model("other", "one/n")]
        )
        await house.open({"one": [{"sleep": 1, "echo": True}]})
        steps, wait = 0, Lanes.wait

        def counted(*args: Any) -> Any:
            nonlocal steps
            steps += 1
            return wait(*args)

        monkeypatch.setattr(Lanes, "wait", counted)
        calls = [house.door(urgency=n).ask(_patient(f"{n}"), model=("fast", "other")[n % 2]) for n in range(600)]
        assert len(await asyncio.gather(*calls)) == 600
        # Each enters, is served and leaves; a walk over all who wait would take some 180,000 steps.
        assert steps <= 600 * 12, steps

    run_virtually(main)


def test_who_does_not_want_to_wait_hears_of_it_behind_others_who_do(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock, backends=[backend(concurrency=1)]).open(
            {"one": [{"fail": "throttled", "retry_after": 600}, {"echo": True}]}
        )
        patient = [asyncio.ensure_future(house.door(urgency=n).ask(_patient(f"{n}"))) for n in range(2)]
        await asyncio.sleep(1)
        assert isinstance(await outcome(house.door(urgency=9).ask(_patient("hurried", 30))), ModelBusy)
        assert clock.monotonic() < 1_002
        assert [(await one).text for one in patient] == ["0", "1"]

    run_virtually(main)


def test_the_first_of_equals_says_what_all_wait_for(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock, backends=[backend(concurrency=1)]).open({"one": [{"hang": True}]})
        asked = [asyncio.ensure_future(house.door(urgency=n).ask(_patient(f"{n}"))) for n in (0, 2, 3, 1)]
        await asyncio.sleep(1)
        told = dict(house.rows("SELECT urgency, why FROM model_waits"))
        behind = "more urgent requests for fast go first"
        assert told == {1: "one: 1 of 1 places taken", 2: behind, 3: behind}
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)

    run_virtually(main)


def test_idle_backend_takes_the_next_fitting_request_at_once(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(
            tmp_path,
            clock=clock,
            backends=[backend("slow", concurrency=1), backend("quick", concurrency=1)],
            models=[model("any", "slow/m", "quick/m"), model("slow", "slow/m"), model("quick", "quick/m")],
        )
        await house.open({"slow": [{"sleep": 100, "echo": True}], "quick": [{"sleep": 1, "echo": True}]})
        first = asyncio.ensure_future(house.door(urgency=0).ask("first", model="slow"))
        await asyncio.sleep(0.5)
        waits = asyncio.ensure_future(
            house.door(urgency=1).ask(
                Request(messages=(Message(role="user", content="waits"),), wait_s=600), model="slow"
            )
        )
        passes = await house.door(urgency=9).ask("passes", model="any")
        assert passes.model == "quick/m"  # less urgent, on a lane that the other cannot use
        assert not waits.done()
        assert clock.monotonic() < 1_010
        # Who waits for what is on the screen.
        assert house.rows("SELECT alias, why FROM model_waits") == [("slow", "slow: 1 of 1 places taken")]
        await asyncio.gather(first, waits)
        await house.gateway.chores.done()
        assert house.rows("SELECT count(*) FROM model_waits") == [(0,)]

    run_virtually(main)


def test_nobody_waits_longer_than_it_wants_to(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock, backends=[backend(concurrency=1)]).open({"one": [{"hang": True}]})
        hangs = asyncio.ensure_future(house.door().ask("first"))
        await asyncio.sleep(1)
        began = clock.monotonic()
        busy = await outcome(house.door().ask(Request(messages=(Message(role="user", content="q"),), wait_s=7)))
        assert isinstance(busy, ModelBusy)
        assert 7 <= clock.monotonic() - began < 9
        hangs.cancel()
        await asyncio.wait({hangs})

    run_virtually(main)


def test_clock_that_was_years_ahead_blocks_no_model_for_years() -> None:
    now = 0
    row = QuotaRow(
        name="one/m", per_day=None, used=0, resets_at=0, blocked_until=0, failures=0, broken_until=0, why=None
    )
    lanes = Lanes(shares=cast(Any, None), now=lambda: now)
    lanes.configure(ProjectSpec(root=Path(), source=None, settings=Settings(), jobs=()), {}, {row.name: row})
    now = years = 3_650 * 86_400_000
    assert not lanes.is_blocked(("one", "m"))
    lanes.mark(("one", "m"), failures=1, broken_until=0, blocked_until=years + 60_000, why="busy")
    now = 1
    assert lanes.is_blocked(("one", "m"))
    now = 60_001
    assert not lanes.is_blocked(("one", "m"))
