"""A model advises on the weights between queues: on request, or when one starves; within bounds, for a day."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.commands import CommandOutcome
from engine.contracts.spec import ResourceSpec, Settings
from engine.llm.advice import advice_of, question
from engine.rules.advice import Advice, Queue, imbalance, may_spend
from engine.rules.scheduler import Weight
from engine.store.reader import Reader
from tests.factories import Rig, job, stage
from tests.llm.house import PRICE, model
from tests.llm.test_in_jobs import answering

HOUR_MS = 3_600_000


def queue(number: int, **more: Any) -> Queue:
    told: dict[str, Any] = {"ready": 3, "late_ms": 0, "weight": Weight(1.0, ()), "done_in_a_day": 0, **more}
    return Queue(stage_id=number, job=f"job{number}", stage="work", **told)


@pytest.mark.parametrize(
    ("queues", "told"),
    [
        ([queue(1, late_ms=2 * HOUR_MS), queue(2, done_in_a_day=9)], "job1 work is 2h over its time"),
        ([queue(1, late_ms=2 * HOUR_MS), queue(2, late_ms=HOUR_MS, done_in_a_day=9)], None),  # both are late
        ([queue(1, late_ms=2 * HOUR_MS, done_in_a_day=9), queue(2, done_in_a_day=9)], None),  # it had its turns
        ([queue(1, late_ms=HOUR_MS // 2), queue(2, done_in_a_day=9)], None),
        ([queue(1, late_ms=2 * HOUR_MS)], None),
        ([], None),
    ],
)
def test_imbalance_is_one_that_starves_beside_another(queues: list[Queue], told: str | None) -> None:
    found = imbalance(queues)
    assert (found is None) == (told is None)
    assert (found or "").startswith(told or "")


@pytest.mark.parametrize(
    "value",
    [
        None, [], {"weights": "all"}, {"weights": [7, None]},
        {"weights": [{"queue": 9, "factor": 2, "why": "x"}]},
        {"weights": [{"queue": 1, "factor": 40, "why": "x"}]},
        {"weights": [{"queue": 1, "factor": float("nan"), "why": "x"}]},
        {"weights": [{"queue": 1, "factor": True, "why": "x"}]},
        {"weights": [{"queue": 1, "factor": 1.5, "why": " "}]},
    ],
)  # fmt: skip
def test_what_is_no_advice_counts_for_nothing(value: Any) -> None:
    assert advice_of(value, [queue(1)]) == []


def test_the_first_word_on_a_queue_counts_and_names_stay_in_their_line() -> None:
    rows = [{"queue": 1, "factor": 1.5, "why": "late\n\x1b[2J"}, {"queue": 1, "factor": 2, "why": "more"}]
    (found,) = advice_of({"weights": rows}, [queue(1)])
    assert (found.stage_id, found.factor) == (1, 1.5)
    assert "\n" not in found.why
    assert "\x1b" not in found.why
    assert advice_of({"weights": rows[:1]}, [queue(1)]) == [Advice(1, 1.5, found.why)]
    told = question([Queue(**{**{f: getattr(queue(1), f) for f in Queue.__slots__}, "job": "a\nqueue 7: b"})])
    assert len(told.splitlines()) == 1


def test_advice_keeps_to_its_share_of_the_day() -> None:
    assert may_spend(0, None)
    assert may_spend(0, 1_000_000)
    assert not may_spend(40_000, 1_000_000)


async def held_up(rig: Rig) -> None:
    """Two queues of which one is hours late and had no turn."""
    await rig.add("a", "b", job="docs")
    await rig.add("x", "y", job="feeds")
    await rig.until(lambda: rig.reader.jobs()[1].count("done") == 1 and rig.reader.jobs()[1].count("running") == 1)
    rig.clock.advance(20 * 3_600)
    await rig.add("z", job="feeds")


def weight_of(rig: Rig, number: int) -> str:
    reader = Reader(rig.state, project="test", clock=rig.clock)
    try:
        return reader.jobs()[number].stages[0].weight or ""
    finally:
        reader.close()


def house(tmp_path: Path, answers: list[Any], **settings: Any) -> tuple[Rig, asyncio.Event]:
    gate = asyncio.Event()

    async def work(ctx: Any) -> dict[str, Any]:
        if ctx.item.key != "x":
            await gate.wait()
        return {}

    jobs = [
        job(name, stage("work", handler="work", concurrency=1, timeout_s=1e9, resources=("disk",)))
        for name in ("docs", "feeds")
    ]
    rig = Rig(
        tmp_path,
        *jobs,
        functions={"work": work},
        models=[model(max_tokens=2_000)],
        backends=answering(answers, price=PRICE),
        settings=Settings(timezone="UTC", **settings),
        resources=(ResourceSpec(name="disk", capacity=2, pace=None),),
    )
    return rig, gate


async def test_a_person_asks_reads_and_forgets_advice(tmp_path: Path) -> None:
    rows = [{"queue": 1, "factor": 2, "why": "nothing of it had a turn"}]
    rig, gate = house(tmp_path, [{"weights": rows}])
    async with rig:
        assert (await rig.runtime.command("advise", {})).message.startswith("there is nothing to weigh")
        await held_up(rig)
        told = await rig.runtime.command("advise", {})
        assert told.ok
        assert "docs work ×2: nothing of it had a turn" in told.message
        assert "×2 a model advised: nothing of it had a turn" in weight_of(rig, 0)
        rig.clock.advance(25 * 3_600)
        assert "advised" not in weight_of(rig, 0)
        assert await rig.runtime.command("advise", {"forget": True}) == CommandOutcome(
            ok=True, message="advice on 1 queue is forgotten: rules alone weigh"
        )
        gate.set()


@pytest.mark.parametrize(("settings", "asked"), [({"weight_model": "fast"}, True), ({}, False)])
async def test_imbalance_asks_only_where_advice_is_wanted(
    tmp_path: Path, settings: dict[str, Any], asked: bool
) -> None:
    rig, gate = house(tmp_path, [{"weights": [{"queue": 1, "factor": 1.5, "why": "starves"}]}] * 2, **settings)
    async with rig:
        await held_up(rig)
        for _ in range(2):
            rig.clock.advance(1_000)
            rig.runtime.models.look()
            await rig.change(lambda connection: None)
        if asked:
            await rig.until(lambda: "×1.5 a model advised: starves" in weight_of(rig, 0))
        rig.clock.advance(3_600)
        rig.runtime.models.look()
        await rig.change(lambda connection: None)
        calls = await rig.change(lambda connection: connection.execute("SELECT count(*) FROM model_calls").fetchone())
        assert calls == (1 if asked else 0,)
        gate.set()


async def test_advice_beyond_its_share_of_the_budget_is_refused(tmp_path: Path) -> None:
    rig, gate = house(tmp_path, [], daily_cost_usd_micros=100_000)
    async with rig:
        await held_up(rig)
        told = await rig.runtime.command("advise", {})
        assert not told.ok
        assert "a twentieth of the day's budget" in told.message
        gate.set()
