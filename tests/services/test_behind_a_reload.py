"""What waits for the writer behind a reload goes by the plan that the reload has brought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.contracts.spec import JobSpec
from engine.rules.id_set import pack
from tests.factories import Rig, discovery, job, stage, yields


async def work(_ctx: Any) -> dict[str, Any]:
    return {}


def shape(*, is_chain: bool, **more: Any) -> JobSpec:
    """`b` and `c` after `a`, or `c` behind `b`, which is disabled."""
    return job(
        "docs",
        stage("a", handler="work"),
        stage("b", after=("a",), handler="work", enabled=not is_chain),
        stage("c", after=("b",) if is_chain else ("a",), handler="work"),
        **more,
    )


def reload_before(it: Rig, to: JobSpec, is_it: Callable[[Any], bool] = lambda _change: True) -> None:
    """Let the next change (for which `is_it`) wait behind a reload to this configuration."""
    writer = it.runtime.writer
    change = writer.change

    async def behind(asked: Any) -> Any:
        if not is_it(asked):
            return await change(asked)
        writer.change = change  # type: ignore[method-assign]
        await it.runtime._take_configuration(replace(it._project, jobs=(it._named(to),)))
        return await change(asked)

    writer.change = behind  # type: ignore[method-assign,assignment]


async def test_what_is_taken_back_behind_a_reload_goes_by_the_new_stages(tmp_path: Path) -> None:
    async with Rig(tmp_path, shape(is_chain=False), functions={"work": work}) as it:
        for name in "bc":
            await it.command("pause", job="docs", stage=name)
        await it.add("one")
        await it.until(lambda: it.states("one")["a"] == "done")
        assert it.states("one")["b"] == it.states("one")["c"] == "ready"
        await it.command("drop", job="docs", keys=["one"])
        reload_before(it, shape(is_chain=True))
        assert (await it.command("undo")).ok
        assert it.states("one") == {"one": "pending", "a": "done", "b": "skipped", "c": "ready"}


async def test_drop_that_is_taken_back_after_a_stage_was_enabled_runs_it(tmp_path: Path) -> None:
    async with Rig(tmp_path, shape(is_chain=True), functions={"work": work}) as it:
        await it.command("pause", job="docs", stage="c")
        await it.add("one")
        await it.until(lambda: it.states("one")["c"] == "ready")
        await it.command("drop", job="docs", keys=["one"])
        reload_before(it, shape(is_chain=False))
        assert (await it.command("undo")).ok
        await it.until(lambda: it.states("one")["b"] == "done")


async def test_many_that_are_taken_back_behind_a_reload_go_by_the_new_stages(tmp_path: Path) -> None:
    async with Rig(tmp_path, shape(is_chain=False), functions={"work": work}) as it:
        for name in "bc":
            await it.command("pause", job="docs", stage=name)
        await it.add("one", "two")
        await it.until(lambda: it.states("one")["a"] == it.states("two")["a"] == "done")
        targets = pack([1, 2])
        assert (await it.runtime.command("bulk", {"name": "drop", "targets": targets})).ok
        await it.until(lambda: it.states("two")["two"] == "dropped")
        await it.runtime._take_configuration(replace(it._project, jobs=(it._named(shape(is_chain=True)),)))
        assert (await it.command("undo")).ok
        await it.until(lambda: it.states("two")["two"] == "pending")
        assert it.states("two") == {"two": "pending", "a": "done", "b": "skipped", "c": "ready"}


async def test_many_that_are_taken_back_after_a_stage_was_enabled_run_it(tmp_path: Path) -> None:
    async def fails(_ctx: Any) -> dict[str, Any]:
        raise ValueError("no page")

    on, off = (job("docs", stage("a", handler="fails", enabled=enabled)) for enabled in (True, False))
    async with Rig(tmp_path, on, functions={"fails": fails}) as it:
        await it.add("one", "two")
        await it.until(lambda: it.states("one")["a"] == it.states("two")["a"] == "failed")
        await it.runtime._take_configuration(replace(it._project, jobs=(it._named(off),)))
        assert it.states("one")["a"] == "skipped"
        assert (await it.runtime.command("bulk", {"name": "drop", "targets": pack([1, 2])})).ok
        await it.until(lambda: it.states("two")["two"] == "dropped")
        await it.runtime._take_configuration(replace(it._project, jobs=(it._named(on),)))
        assert (await it.command("undo")).ok
        assert "skipped" not in (it.states("one")["a"], it.states("two")["a"])


async def test_what_a_source_yields_during_a_reload_gets_the_new_stages(tmp_path: Path) -> None:
    source = discovery("scan")
    before, after = (
        job("docs", *(stage(name, handler="work") for name in names), discovery=source) for names in ("a", "ab")
    )
    async with Rig(tmp_path, before, functions={"work": work, "scan": yields("one")}) as it:
        await it.command("pause", job="docs")
        reload_before(it, after, lambda change: "SourceRun" in change.__qualname__)
        await it.command("resume", job="docs")
        await it.command("run", job="docs")
        await it.until(lambda: it.reader.item("docs", "one") is not None)
        await it.drained()
        assert it.states("one") == {"one": "done", "a": "done", "b": "done"}
