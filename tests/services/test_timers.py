from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Done, Later
from engine.kit.clock import ManualClock
from engine.services.timers import HEARTBEAT_S
from engine.store import claims, jobs
from engine.store.claims import Lease, claim
from engine.store.plan import Plan
from tests.factories import LEASE_MS, Rig, job, stage


async def test_rows_wake_at_their_time_and_not_before(tmp_path: Path) -> None:
    seen: list[str] = []

    async def work(ctx: Any) -> Any:
        seen.append(ctx.item.key)
        if seen.count(ctx.item.key) == 1:
            return Later(after={"soon": 10, "late": 3_600}[ctx.item.key], why="busy")
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as it:
        await it.add("soon", "late")
        await it.drained()
        assert it.runtime.timers.next_at == it.clock.now() + 10_000
        it.clock.advance(9.9)
        it.runtime.timers.look()
        await it.drained()
        assert len(seen) == 2
        it.clock.advance(0.1)
        it.runtime.timers.look()
        await it.until(lambda: it.states("soon")["work"] == "done")
        assert it.states("late")["work"] == "later"
        it.clock.advance(3_600)
        it.runtime.timers.look()
        await it.until(lambda: it.states("late")["work"] == "done")
        assert it.runtime.timers.next_at is None


async def test_row_that_is_almost_due_wakes_by_itself(tmp_path: Path) -> None:
    async def work(ctx: Any) -> Any:
        first.append(ctx.attempt)
        return Later(after=1, why="a moment") if len(first) == 1 else {}

    first: list[int] = []
    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as it:
        await it.add("a")
        await it.until(lambda: it.states("a")["work"] == "later")
        it.clock.advance(1.1)
        await it.until(lambda: it.states("a")["work"] == "done")


async def test_beat_keeps_the_leases_of_what_runs(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def work(_ctx: Any) -> dict[str, int]:
        await release.wait()
        return {}

    spec = job("docs", stage(handler="work", timeout_s=10_000.0))
    async with Rig(tmp_path, spec, functions={"work": work}) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)

        def lease(connection: Any) -> int:
            return int(connection.execute("SELECT lease_until FROM item_stages").fetchone()[0])

        for _ in range(3):
            it.clock.advance(HEARTBEAT_S + LEASE_MS / 1000)
            it.runtime.timers.look()
            async with asyncio.timeout(5):
                while await it.change(lease) != it.clock.now() + LEASE_MS:
                    await it.runtime.writer.flush()
        release.set()
        await it.drained()
        assert it.states("a")["work"] == "done"
        assert "stage.interrupted" not in it.kinds()


async def test_lease_that_nobody_holds_any_more_is_taken_back(tmp_path: Path) -> None:
    runs: list[int] = []

    async def work(_ctx: Any) -> dict[str, int]:
        runs.append(1)
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as it:
        await it.command("pause", job="docs")
        await it.add("a")
        plan, now = it.runtime.writer.plan, it.clock.now()
        await it.change(claim, plan, next(iter(plan.stages)), 1, Lease(it.runtime.epoch, now + LEASE_MS), now)
        await it.command("resume", job="docs")
        it.clock.advance(LEASE_MS / 1000 + 1)
        it.runtime.timers.look()
        await it.until(lambda: it.states("a")["work"] == "done")
        assert (runs, it.kinds().count("stage.interrupted")) == ([1], 1)


async def test_snoozed_item_comes_back_on_time(tmp_path: Path) -> None:
    async def work(_ctx: Any) -> dict[str, int]:
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work", gate="accept")), functions={"work": work}) as it:
        await it.add("a")
        await it.command("snooze", job="docs", keys=["a"], until=it.clock.now() + 60_000)
        await it.until(lambda: it.runtime.timers.next_at == it.clock.now() + 60_000)
        assert it.states("a") == {"a": "snoozed", "work": "waiting"}
        it.clock.advance(60)
        it.runtime.timers.look()
        await it.until(lambda: it.states("a")["a"] == "waiting")


async def test_what_is_told_while_rows_are_woken_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, wake = asyncio.get_running_loop(), claims.wake
    async with Rig(tmp_path, job("docs")) as it:
        at = it.clock.now() + 5_000

        def told(connection: sqlite3.Connection, plan: Plan, now: int) -> int | None:
            # A row of a later transaction comes back in five seconds; this one cannot know of it.
            loop.call_soon_threadsafe(it.runtime.timers.expect, at)
            return wake(connection, plan, now)

        monkeypatch.setattr(claims, "wake", told)
        it.runtime.timers.look()
        await it.until(lambda: it.runtime.timers.next_at == at, seconds=5)


def _hold_back(connection: sqlite3.Connection, until: int) -> None:
    """As a doctor and a model that is busy do, for a minute."""
    connection.execute("INSERT INTO slowed (name, until) VALUES ('job:other', ?)", (until,))
    connection.execute("INSERT INTO quotas (name, blocked_until) VALUES ('one/m', ?)", (until,))


async def test_what_was_put_off_by_a_clock_that_was_years_ahead_waits_as_long_as_was_meant(tmp_path: Path) -> None:
    async def work(ctx: Any) -> Any:
        seen.append(ctx.item.key)
        return Later(after=3_600, why="in an hour") if len(seen) == 1 else {}

    seen: list[str] = []
    clock = ManualClock()
    years = 3_650 * 86_400_000
    clock.set(years)
    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}, clock=clock) as it:
        await it.add("a")
        await it.until(lambda: it.states("a")["work"] == "later")
        await it.change(_hold_back, clock.now() + 60_000)
        clock.set(-years)
        it.runtime.timers.look()
        await it.until(lambda: "clock.set" in it.kinds())
        assert it.states("a")["work"] == "later"
        sql = "SELECT until FROM slowed UNION ALL SELECT max(blocked_until, broken_until) FROM quotas"
        held = await it.change(lambda connection: connection.execute(sql).fetchall())
        assert [clock.now() < until <= clock.now() + 60_000 for (until,) in held] == [True, True]
        clock.advance(3_601)
        it.runtime.timers.look()
        await it.until(lambda: it.states("a")["work"] == "done")


async def test_clock_that_was_years_ahead_before_the_start_is_noticed_at_it(tmp_path: Path) -> None:
    clock = ManualClock()
    years = 3_650 * 86_400_000
    clock.set(years)
    async with Rig(tmp_path, job("docs"), clock=clock):
        pass
    clock.set(-years)
    for times in (1, 1):  # once is enough
        async with Rig(tmp_path, job("docs"), clock=clock) as it:
            assert it.kinds().count("clock.set") == times


async def test_end_of_a_pause_is_expected_where_the_state_file_refuses_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def buy(_ctx: Any) -> Done:
        return Done(output={}, cost_usd_micros=2_000_000)

    real, refused = jobs.rows, asyncio.Event()

    def rows(connection: sqlite3.Connection) -> Any:
        if not refused.is_set() and real(connection)[0].state == "paused":
            refused.set()
            raise sqlite3.OperationalError("disk I/O error")
        return real(connection)

    monkeypatch.setattr(jobs, "rows", rows)
    spec = job("docs", stage("work", handler="buy", concurrency=1), daily_cost_usd_micros=1_000_000)
    async with Rig(tmp_path, spec, functions={"buy": buy}) as it:
        await it.add("a", "b")
        await it.until(refused.is_set)
        # The timers try again until they are told of the end of the day.
        await it.until(lambda: it.runtime.timers.next_at is not None and it.runtime.timers.next_at > it.clock.now())
