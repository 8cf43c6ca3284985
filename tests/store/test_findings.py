"""The life of a finding: seen, fixed by a run that covered it, found once more in the same row, kept out by limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.item import Candidate
from engine.contracts.spec import JobSpec
from engine.store.findings import is_covered
from tests.factories import Rig, discovery, job, stage


def check(**more: Any) -> tuple[JobSpec, JobSpec]:
    return (
        job("todos", stage("look", gate="accept", handler="nothing")),
        JobSpec(
            name="links", title="Links", internal=True, discovery=discovery("look"), is_check=True,
            findings_to="todos", gone_after=1, **more,
        ),
    )  # fmt: skip


class World:
    """What the check finds, and what it says it has covered."""

    def __init__(self) -> None:
        self.finds: list[str] = []
        self.covers: Sequence[str] = (".",)
        self.complete = True
        self.version = 1

    async def look(self, ctx: Any) -> AsyncIterator[Candidate]:
        for path in self.finds:
            key, former = (f"links:{path}", None) if self.version == 1 else (f"links:2:{path}", f"links:{path}")
            yield Candidate(key=key, former_key=former, title=f"{path} links nowhere", path=path, line=1)
        ctx.scope(list(self.covers), complete=self.complete)


async def run(rig: Rig) -> None:
    before = len(rig.reader.runs("links", 100))
    await rig.command("run", job="links")
    await rig.until(lambda: len(done := rig.reader.runs("links", 100)) > before and done[0].ended_at is not None)


def rows(rig: Rig) -> dict[str, dict[str, Any]]:
    found = {}
    for row in rig.reader._connection.execute(
        "SELECT key, state, times_seen, fixed_at, fixed_run_id, reopened, why FROM items"
    ):
        found[row[0]] = dict(zip(("state", "seen", "fixed_at", "run", "reopened", "why"), row[1:], strict=True))
    return found


@pytest.fixture
def world() -> World:
    return World()


async def test_a_finding_is_fixed_by_a_run_that_covered_it_and_comes_back_in_its_row(
    tmp_path: Path, world: World
) -> None:
    async with Rig(tmp_path, *check(), functions={"look": world.look, "nothing": lambda ctx: {}}) as rig:
        world.finds = ["a/x.md", "b/y.md"]
        await run(rig)
        await run(rig)
        assert rows(rig)["links:a/x.md"]["seen"] == 2
        world.finds, world.covers = [], ("b",)
        await run(rig)
        after = rows(rig)
        assert after["links:a/x.md"]["state"] == "waiting"
        assert (after["links:b/y.md"]["state"], after["links:b/y.md"]["run"]) == (
            "done",
            rig.reader.runs("links", 1)[0].id,
        )
        world.finds, world.covers = ["b/y.md"], (".",)
        await run(rig)
        again = rows(rig)
        assert len(again) == 2
        assert (again["links:b/y.md"]["state"], again["links:b/y.md"]["reopened"]) == ("waiting", 1)
        assert again["links:b/y.md"]["fixed_at"] is None


async def test_a_run_that_is_not_complete_fixes_nothing(tmp_path: Path, world: World) -> None:
    async with Rig(tmp_path, *check(), functions={"look": world.look, "nothing": lambda ctx: {}}) as rig:
        world.finds = ["a.md"]
        await run(rig)
        world.finds, world.complete = [], False
        await run(rig)
        assert rows(rig)["links:a.md"]["state"] == "waiting"


async def test_a_dismissed_finding_stays_dismissed(tmp_path: Path, world: World) -> None:
    async with Rig(tmp_path, *check(), functions={"look": world.look, "nothing": lambda ctx: {}}) as rig:
        world.finds = ["a.md"]
        await run(rig)
        await rig.command("drop", job="todos", keys=["links:a.md"], why="false positive")
        world.finds = []
        await run(rig)
        world.finds = ["a.md"]
        await run(rig)
        assert (rows(rig)["links:a.md"]["state"], rows(rig)["links:a.md"]["why"]) == ("dropped", "false positive")


async def test_a_finding_outlives_a_change_of_how_its_key_is_made(tmp_path: Path, world: World) -> None:
    async with Rig(tmp_path, *check(max_open=2), functions={"look": world.look, "nothing": lambda ctx: {}}) as rig:
        world.finds = ["a.md", "b.md"]
        await run(rig)
        await rig.command("drop", job="todos", keys=["links:a.md"], why="false positive")
        world.version = 2
        await run(rig)
        assert {key: (row["state"], row["seen"]) for key, row in rows(rig).items()} == {
            "links:2:a.md": ("dropped", 2), "links:2:b.md": ("waiting", 2)
        }  # fmt: skip
        await run(rig)
        assert set(rows(rig)) == {"links:2:a.md", "links:2:b.md"}


@pytest.mark.parametrize(("limits", "held"), [({"max_new": 2}, [3, 1, 0]), ({"max_open": 2}, [3, 3, 3])])
async def test_limits_hold_new_findings_back_and_count_them(
    tmp_path: Path, world: World, limits: dict[str, int], held: list[int]
) -> None:
    async with Rig(tmp_path, *check(**limits), functions={"look": world.look, "nothing": lambda ctx: {}}) as rig:
        world.finds = [f"{number}.md" for number in range(5)]
        for expected in held:
            await run(rig)
            assert rig.reader.runs("links", 1)[0].held_back == expected
        assert len(rows(rig)) == 5 - held[-1]
        told = [event.text for event in rig.reader.events_after(0, 1_000) if event.kind == "run.done"]
        assert "3 new ones held back by the limits of the check" in told[0]


@pytest.mark.parametrize(
    ("path", "covered", "expected"),
    [("a/b.md", ["a"], True), ("ab/c.md", ["a"], False), ("a.md", ["."], True), ("a.md", ["a.md"], True),
     ("a.md", [], False), (None, [], True), ("a.md", None, True)],
)  # fmt: skip
def test_covered_is_a_folder_or_a_file_of_the_run(path: str | None, covered: list[str] | None, expected: bool) -> None:
    assert is_covered(path, covered) is expected
