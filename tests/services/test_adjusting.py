"""Limits that a person sets while the engine runs: they work at once, stay, are seen, and go again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import UseError
from engine.contracts.rate import Rate
from engine.contracts.spec import ProjectSpec, ResourceSpec, Settings
from engine.contracts.view import LimitView
from engine.kit.tasks import wait_for_any
from engine.rules.adjust import adjusted, limits
from engine.services import commands
from tests.factories import Rig, job, stage


class Work:
    """A handler that counts those in it, until it is let go on."""

    def __init__(self) -> None:
        self.inside = 0
        self.go = asyncio.Event()
        self.moved = asyncio.Event()

    async def __call__(self, ctx: Any) -> None:
        self.inside += 1
        self.moved.set()
        await self.go.wait()

    async def are_inside(self, n: int) -> None:
        while self.inside < n:
            self.moved.clear()
            await wait_for_any(self.moved, timeout_s=20)


async def command(rig: Rig, order: str, /, **args: Any) -> CommandOutcome:
    commands.check(order, args)
    return await rig.runtime.command(order, args)


def limit(rig: Rig, kind: str, name: str) -> LimitView:
    return next(one for one in rig.reader.limits() if (one.kind, one.name) == (kind, name))


async def test_slots_are_set_used_kept_over_a_restart_and_dropped(tmp_path: Path) -> None:
    work = Work()

    async def read(ctx: Any) -> None:
        await work(ctx)

    docs = job("docs", stage("read", handler="read", concurrency=1))
    async with Rig(tmp_path, docs, functions={"read": read}) as rig:
        await rig.add("a", "b", "c")
        await work.are_inside(1)
        assert (limit(rig, "slots", "docs.read").capacity, work.inside) == (1, 1)
        outcome = await command(rig, "adjust", kind="slots", name="docs.read", value="3")
        assert outcome.message == "slots of docs.read: 3 (jobs.yaml says 1)"
        await work.are_inside(3)
        assert (limit(rig, "slots", "docs.read").capacity, limit(rig, "slots", "docs.read").instead_of) == (3, "1")
        work.go.set()
        await rig.runtime.drained()
    async with Rig(tmp_path, docs, functions={"read": read}) as rig:
        assert (limit(rig, "slots", "docs.read").capacity, limit(rig, "slots", "docs.read").instead_of) == (3, "1")
        dropped = await command(rig, "adjust", kind="slots", name="docs.read")
        assert dropped.message == "slots of docs.read: 1, as jobs.yaml says"
        assert [stage.spec.concurrency for stage in rig.runtime.writer.plan.stages.values()] == [1]
        assert (await command(rig, "undo")).message == "undid slots of docs.read"
        assert [stage.spec.concurrency for stage in rig.runtime.writer.plan.stages.values()] == [3]
        again = await command(rig, "adjust", kind="slots", name="docs.read", value="3")
        assert (again.ok, again.message) == (False, "nothing changed; slots of docs.read: 3")


async def test_pace_and_capacity_of_what_is_shared_are_set_together_and_dropped(tmp_path: Path) -> None:
    async def read(ctx: Any) -> None:
        """Nothing."""

    docs = job("docs", stage("read", handler="read", resources=("disk",)))
    shared = (ResourceSpec(name="disk", capacity=2),)
    async with Rig(tmp_path, docs, functions={"read": read}, resources=shared) as rig:
        await command(rig, "adjust", kind="resource", name="disk", value="5")
        await command(rig, "adjust", kind="resource", name="disk", value="60/h burst 2")
        assert (limit(rig, "resource", "disk").capacity, limit(rig, "resource", "disk").pace) == (5, "60/h, burst 2")
        await command(rig, "adjust", kind="pace", name="docs.read", value="5/m")
        assert limit(rig, "pace", "docs.read").instead_of == ""
        await command(rig, "adjust", kind="resource", name="disk")
        assert (limit(rig, "resource", "disk").capacity, limit(rig, "resource", "disk").pace) == (2, None)
        assert limit(rig, "resource", "disk").instead_of is None
        with pytest.raises(UseError, match=r"there is no slots of `docs\.write`; there are: docs\.read"):
            await command(rig, "adjust", kind="slots", name="docs.write", value="2")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("slots", "0"), ("slots", "-1"), ("slots", "60/h"), ("pace", "3"), ("pace", "60"), ("resource", "many"),
     ("pace", "60/h burst 0"), ("slots", "1e9"), ("colour", "3"), ("pace", "0/h")],
)  # fmt: skip
def test_what_is_no_limit_is_refused(kind: str, value: str) -> None:
    with pytest.raises(UseError):
        commands.check("adjust", {"kind": kind, "name": "docs.read", "value": value})


def test_limits_of_a_configuration_are_named_as_screens_name_them(tmp_path: Path) -> None:
    pace = Rate(count=2, per_s=1)
    one = job("docs", stage("read", concurrency=4, pace=pace), pace=Rate(count=60, per_s=3_600))
    shared = (ResourceSpec(name="disk", capacity=2, pace=pace),)
    spec = ProjectSpec(root=tmp_path, source=None, settings=Settings(), jobs=(one,), resources=shared)
    assert limits(spec) == {
        ("resource", "disk"): "2",
        ("resource pace", "disk"): "2/s",
        ("pace", "docs"): "60/h",
        ("slots", "docs.read"): "4",
        ("pace", "docs.read"): "2/s",
    }
    assert adjusted(spec, []) is spec
