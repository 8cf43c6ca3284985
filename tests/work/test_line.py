"""Handlers that share a task must not be able to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from tests.factories import Rig, job, stage

KEYS = [f"k{number}" for number in range(12)]


async def ran(folder: Path, work: Callable[[Any], Any]) -> dict[str, str]:
    """State of each item's stage after all of them had their turn."""
    async with Rig(
        folder, job("docs", stage(handler="work", concurrency=50, attempts=1)), functions={"work": work}
    ) as it:
        await it.add(*KEYS)
        await it.drained()
        return {key: it.states(key)["work"] for key in KEYS}


async def test_what_a_handler_leaves_in_its_context_is_not_seen_by_the_next(tmp_path: Path) -> None:
    seen: list[str] = []
    var: ContextVar[str] = ContextVar("var", default="clean")

    async def work(ctx: Any) -> dict[str, str]:
        seen.append(var.get())
        var.set(ctx.item.key)
        return {}

    assert set((await ran(tmp_path, work)).values()) == {"done"}
    assert seen == ["clean"] * len(KEYS)


async def test_handler_that_cancels_itself_and_ends_does_not_cancel_the_next(tmp_path: Path) -> None:
    async def work(ctx: Any) -> dict[str, str]:
        if ctx.item.key == "k3":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return {}
        await asyncio.sleep(0)
        return {}

    assert set((await ran(tmp_path, work)).values()) == {"done"}


async def test_handlers_that_wait_and_that_do_not_are_mixed(tmp_path: Path) -> None:
    tasks: dict[str, Any] = {}

    async def work(ctx: Any) -> dict[str, str]:
        tasks[ctx.item.key] = asyncio.current_task()
        if int(ctx.item.key[1:]) % 3 == 1:
            async with asyncio.timeout(5), asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0.001))
            await asyncio.sleep(0)
        assert asyncio.current_task() is tasks[ctx.item.key]
        return {}

    assert set((await ran(tmp_path, work)).values()) == {"done"}
    waiting = [tasks[key] for key in KEYS if int(key[1:]) % 3 == 1]
    assert len(set(waiting)) == len(waiting)


async def test_timeout_inside_a_handler_ends_that_handler_only(tmp_path: Path) -> None:
    async def work(ctx: Any) -> dict[str, str]:
        if ctx.item.key in ("k2", "k7"):
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        return {}

    states = await ran(tmp_path, work)
    assert [key for key, state in states.items() if state == "failed"] == ["k2", "k7"]


async def test_handler_that_raises_ends_alone(tmp_path: Path) -> None:
    async def work(ctx: Any) -> dict[str, str]:
        if ctx.item.key == "k0":
            raise SystemExit(3)
        if ctx.item.key == "k5":
            await asyncio.sleep(0)
            raise ValueError("no")
        return {}

    states = await ran(tmp_path, work)
    assert [key for key, state in states.items() if state == "failed"] == ["k0", "k5"]


async def test_attempt_that_is_stopped_before_its_turn_goes_back_to_the_queue(tmp_path: Path) -> None:
    began: list[str] = []

    async def work(ctx: Any) -> dict[str, str]:
        began.append(ctx.item.key)
        if len(began) == 1:
            # What a stop does, in the middle of the line.
            attempts = it.runtime.attempts
            for run in tuple(attempts._runs.values()):
                if run.claim.item.key != ctx.item.key:
                    attempts._cancel(run, "stop")
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work", concurrency=50)), functions={"work": work}) as it:
        await it.add(*KEYS)
        await it.drained()
        assert sorted(began) == sorted(KEYS)
        assert it.kinds().count("stage.released") == len(KEYS) - 1
