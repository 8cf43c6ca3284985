"""Commands on sets of items in an engine that works: others have their turn, and nothing is left half done."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.contracts.view import ItemQuery
from engine.kit.tasks import wait_for_any
from engine.rules.filters import parse
from engine.services import bulks as service
from engine.services import commands
from engine.store import claims, stages
from engine.store.claims import Lease
from tests.factories import Rig, job, left, stage
from tests.speed import slowness

FAILED = ItemQuery(terms=parse("state:failed").terms)


async def read(ctx: Any) -> None:
    """Nothing of the job is started here: it is paused."""


async def note(ctx: Any) -> dict[str, Any]:
    return {}


async def command(rig: Rig, order: str, /, **args: Any) -> CommandOutcome:
    commands.check(order, args)
    return await rig.runtime.command(order, args)


async def ended(rig: Rig, operation: int | None) -> None:
    """Wait for the end of a command on a set."""
    assert operation is not None
    while (view := rig.reader.bulk(operation)) is None or view.is_open:
        rig.woken.clear()
        await wait_for_any(rig.woken, timeout_s=20)


def docs(**more: Any) -> Any:
    return job("docs", stage("read", handler="read", attempts=1, **more))


async def failed(rig: Rig, n: int) -> None:
    """Pause the job, and put in so many items that have failed."""
    await command(rig, "pause", job="docs")
    await rig.add(*(f"k{number:05}" for number in range(n)))
    plan, now = rig.runtime.writer.plan, rig.clock.now()

    def fail(connection: sqlite3.Connection) -> None:
        lease = Lease(rig.runtime.epoch, now + 60_000)
        claimed = claims.claim(connection, plan, plan.jobs["docs"].stages[0], n, lease, now)
        stages.end_attempts(connection, plan, [left(claim, "fail") for claim in claimed], {}, lease, now)
        connection.execute("UPDATE attempts SET judged_at = ended_at")  # the doctor has nothing to say here

    await rig.change(fail)


async def test_all_that_a_filter_finds_are_tried_again_and_taken_back(tmp_path: Path) -> None:
    async with Rig(tmp_path, docs(), functions={"read": read}) as rig:
        await failed(rig, 2_500)
        look = rig.reader.bulk_look("retry", {}, FAILED)
        assert (look.total, look.eligible, dict(look.jobs)) == (2_500, 2_500, {"docs": 2_500})
        assert (look.sample[0], look.forecast.unknown) == ("k00000", ("docs.read",))
        begun = await command(rig, "bulk", name="retry", targets=look.targets)
        assert begun.message == "retry of 2,500 items has begun"
        await ended(rig, begun.operation)
        assert rig.reader.items_count(FAILED) == 0
        undone = await command(rig, "undo")
        assert undone.message == "undid retry of 2,500 items"
        assert rig.reader.items_count(FAILED) == 2_500
        again = await command(rig, "redo")
        await ended(rig, again.operation)
        assert rig.reader.items_count(FAILED) == 0
        assert (await command(rig, "redo")).message == "there is nothing to do again"


async def test_set_runs_again_from_a_stage_with_what_follows(tmp_path: Path) -> None:
    two = job("docs", stage("fetch", handler="note"), stage("read", after=["fetch"], handler="note"))
    async with Rig(tmp_path, two, functions={"note": note}) as rig:
        await rig.add("a", "b", "c")
        await rig.drained()
        everything = ItemQuery()
        look = rig.reader.bulk_look("reset", {"stage": "fetch"}, everything)
        assert (look.total, look.eligible) == (3, 3)
        assert rig.reader.bulk_look("reset", {"stage": "nowhere"}, everything).eligible == 0
        begun = await command(rig, "bulk", name="reset", targets=look.targets, stage="fetch")
        await ended(rig, begun.operation)
        await rig.drained()
        assert [rig.reader.item("docs", key).stages[1].fence for key in "abc"] == [2, 2, 2]  # type: ignore[union-attr]
        # The point of no return: what has run by then stays as it ran.
        undone = await command(rig, "undo")
        assert (undone.ok, undone.message) == (False, "undid reset of 0 items; 3 not: it has run since")


async def test_others_have_their_turn_between_two_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 50)
    async with Rig(tmp_path, docs(), functions={"read": read}) as rig:
        await failed(rig, 1_000)
        begun = await command(rig, "bulk", name="drop", targets=rig.reader.bulk_look("drop", {}, FAILED).targets)
        await command(rig, "snooze", job="docs", keys=["k00999"], until=rig.clock.now() + 5_000)
        assert begun.operation is not None
        view = rig.reader.bulk(begun.operation)
        assert view is not None
        assert view.state == "running"
        assert view.looked < 1_000
        # Taken back in its middle: what was done is undone, the rest is never done.
        outcome = await command(rig, "undo", operation=begun.operation)
        assert outcome.ok
        assert rig.reader.items_count(ItemQuery(terms=parse("state:dropped").terms)) == 0


async def test_a_stop_in_its_middle_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 10)
    async with Rig(tmp_path, docs(), functions={"read": read}) as rig:
        await failed(rig, 500)
        targets = rig.reader.bulk_look("drop", {}, FAILED).targets
        begun = await command(rig, "bulk", name="drop", targets=targets)
    async with Rig(tmp_path, docs(), functions={"read": read}) as rig:
        await ended(rig, begun.operation)
        assert rig.reader.items_count(ItemQuery(terms=parse("state:dropped").terms)) == 500


async def test_single_commands_are_done_again_one_by_one(tmp_path: Path) -> None:
    async with Rig(tmp_path, docs(), functions={"read": read}) as rig:
        await failed(rig, 2)
        await command(rig, "prioritise", job="docs", keys=["k00000"], priority=1)
        rig.clock.advance(1)
        await command(rig, "drop", job="docs", keys=["k00001"])
        for _ in range(2):
            rig.clock.advance(1)
            await command(rig, "undo")
        rig.clock.advance(1)
        assert (await command(rig, "redo")).message == "set P1 for 1 item"
        rig.clock.advance(1)
        assert (await command(rig, "redo")).message == "dropped 1 item"
        rig.clock.advance(1)
        await command(rig, "undo")
        await command(rig, "prioritise", job="docs", keys=["k00000"], priority=3)
        assert not (await command(rig, "redo")).ok


@pytest.mark.parametrize(
    "args",
    [
        {"name": "answer", "targets": ""},
        {"name": "snooze", "targets": ""},
        {"name": "retry", "targets": 5},
        {"name": "prioritise", "targets": "", "priority": 7},
    ],
)
def test_what_cannot_be_given_to_a_set_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(UseError, match="`bulk`"):
        commands.check("bulk", args)


async def test_ten_thousand_take_half_a_second_of_processor_time(tmp_path: Path) -> None:
    async with Rig(tmp_path, docs(), functions={"read": read}) as rig:
        await failed(rig, 10_000)
        look = rig.reader.bulk_look("retry", {}, FAILED)
        began = time.process_time()
        begun = await command(rig, "bulk", name="retry", targets=look.targets)
        await ended(rig, begun.operation)
        assert time.process_time() - began < 0.5 * slowness()
