"""A loop of the engine that meets an error of its own says so and goes on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import StateError
from engine.kit.clock import ManualClock
from engine.services import heads, pruner
from engine.services import live as live_service
from engine.services.discovery import Discovery
from engine.store import claims, incidents, live, triage
from tests.factories import Rig, candidate, discovery, job, stage, yields


def once(real: Callable[..., Any]) -> Callable[..., Any]:
    """Raises the first time, and is as before from then on."""
    calls: list[int] = []

    def function(*args: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise LookupError("not there")
        return real(*args, **named)

    return function


async def test_discoveries_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Discovery, "make_room", once(Discovery.make_room))
    spec = job("docs", stage(handler="work"), discovery=discovery("find"))
    functions = {"work": _nothing, "find": yields("a")}
    async with Rig(tmp_path, spec, functions=functions, discover=True) as it:
        await it.until(lambda: it.reader.item("docs", "a") is not None)
    assert "looking for discoveries that are due failed" in caplog.text


async def test_what_is_told_is_stored_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live_service, "EVERY_S", 0.01)
    monkeypatch.setattr(live, "store", once(live.store))

    async def work(ctx: Any) -> dict[str, Any]:
        ctx.log.warning("hello")
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as it:
        await it.add("a")
        await it.until(lambda: "could not be stored" in caplog.text)
        await it.add("b")
        await it.until(lambda: _lines(it) == 1)


async def test_pruning_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pruner, "FIRST_S", 0.0)
    monkeypatch.setattr(pruner, "EVERY_S", 0.01)
    async with Rig(tmp_path, job("docs")) as it:
        shutil.rmtree(it.state.artifacts)
        await it.until(lambda: "pruning failed" in caplog.text)
        left = it.state.artifacts / "77"  # of an item that is not there
        left.mkdir(parents=True)
        await it.until(lambda: not left.exists())


async def test_engine_that_is_over_within_seconds_prunes_once_a_day(tmp_path: Path) -> None:
    """As `run --once` from a crontab is, for months."""

    async def starts_kept(clock: ManualClock) -> int:
        async with Rig(tmp_path, job("docs"), clock=clock) as it:
            kept = it.kinds().count("engine.started")
        return kept

    clock = ManualClock()
    assert [await starts_kept(clock) for _ in range(3)] == [1, 2, 3]
    clock.advance(31 * 86_400)
    assert await starts_kept(clock) == 4  # it prunes at its end
    assert await starts_kept(clock) == 2


async def test_failures_are_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(incidents, "store", once(incidents.store))

    async def work(_ctx: Any) -> None:
        raise ValueError("not a valid PDF")

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as it:
        await it.add("a")
        await it.until(lambda: _count(it, "SELECT count(*) FROM incidents") == 1, seconds=10)
    assert "the doctor failed" in caplog.text


async def test_commits_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heads, "LOOK_S", 0.01)
    marks = iter("abcdefgh")
    monkeypatch.setattr(heads, "head_mark", once(lambda _path: next(marks, "h")))
    moved: list[int] = []

    async def keep(_marks: Any) -> None:
        pass

    loop = heads.Heads(lambda: (tmp_path,), lambda: moved.append(1), keep)
    loop.start({})
    async with Rig(tmp_path, job("docs")) as it:
        await it.until(lambda: bool(moved))
    await loop.stop()
    assert "looking for commits failed" in caplog.text


async def test_commit_while_no_engine_runs_is_looked_at_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = ["a"]
    monkeypatch.setattr(heads, "head_mark", lambda _path: mark[0])
    seen: list[str] = []

    async def find(ctx: Any) -> AsyncIterator[Any]:
        seen.append(mark[0])
        ctx.scope(["all"])
        yield candidate("a")

    spec = job("docs", stage(handler="work"), discovery=replace(discovery("find"), on_commit=True))
    for now, expected in (("a", []), ("b", ["b"]), ("b", ["b"])):
        mark[0] = now
        async with Rig(tmp_path, spec, functions={"work": _nothing, "find": find}) as it:
            kept = f"SELECT count(*) FROM meta WHERE key = 'heads' AND value LIKE '%\"{now}\"%'"
            await it.until(lambda kept=kept: _count(it, kept) == 1)  # type: ignore[misc]
            await it.until(lambda expected=expected: seen == expected)  # type: ignore[misc]
            await it.drained()
            assert seen == expected


async def test_commit_during_a_run_is_looked_at_by_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "LOOK_S", 0.01)
    mark = ["a"]
    monkeypatch.setattr(heads, "head_mark", lambda _path: mark[0])
    go = asyncio.Event()
    seen: list[str] = []

    async def find(ctx: Any) -> AsyncIterator[Any]:
        seen.append(mark[0])
        await go.wait()
        ctx.scope(["all"])
        yield candidate("a")

    spec = job("docs", stage(handler="work"), discovery=replace(discovery("find"), on_commit=True))
    async with Rig(tmp_path, spec, functions={"work": _nothing, "find": find}, discover=True) as it:
        await it.until(lambda: seen == ["a"])
        mark[0] = "b"
        await it.until(lambda: it.runtime.discovery._due["docs"].again)
        go.set()
        await it.until(lambda: seen == ["a", "b"])
        await it.drained()
        assert seen == ["a", "b"]


async def _nothing(_ctx: Any) -> dict[str, Any]:
    return {}


def _lines(it: Rig) -> int:
    return _count(it, "SELECT count(*) FROM live WHERE lines IS NOT NULL")


def _count(it: Rig, sql: str) -> int:
    return int(it.reader._connection.execute(sql).fetchone()[0])


async def test_waiting_for_the_end_goes_on_over_a_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failed = claims.left, asyncio.Event()

    def left(*args: Any) -> bool:
        if not failed.is_set():
            failed.set()
            raise sqlite3.OperationalError("disk I/O error")
        return real(*args)

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": _nothing}) as it:
        monkeypatch.setattr(claims, "left", left)
        await it.add("a")
        await it.drained()
        assert failed.is_set()
        assert it.states("a")["a"] == "done"


async def test_start_over_a_file_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_left(*_args: Any) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(triage, "is_left", is_left)
    with pytest.raises(StateError, match=r"the state file cannot be read \(disk I/O error\)"):
        async with Rig(tmp_path, job("docs")):
            pass
