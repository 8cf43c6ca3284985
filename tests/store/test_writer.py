from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import EngineStopped, StateError
from engine.kit.chaos import stumbling
from engine.store import writer
from engine.store.events import Event, record
from engine.store.migrate import connect
from engine.store.plan import Plan
from tests.factories import LEASE_MS, Rig, candidate, chain, job, stage


def note(text: str) -> Callable[[sqlite3.Connection], None]:
    """A change that writes one event."""
    return lambda connection: record(connection, [Event(kind="note", text=text)], 0)


def notes(rig: Rig) -> list[str | None]:
    """What is stored, as another connection sees it."""
    connection = connect(rig.state.database, read_only=True)
    found = [row[0] for row in connection.execute("SELECT text FROM events WHERE kind = 'note' ORDER BY id")]
    connection.close()
    return found


def idle(folder: Path) -> Rig:
    return Rig(folder, job("docs"))


async def test_change_is_committed_when_it_is_answered(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        for text in ("one", "two"):
            await rig.change(note(text))
            assert notes(rig)[-1] == text


async def test_change_that_fails_spoils_no_other(tmp_path: Path) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        note("half")(connection)
        raise ValueError("no")

    async with idle(tmp_path) as rig:
        first, wrong, last = await asyncio.gather(
            rig.change(note("first")), rig.change(fails), rig.change(note("last")), return_exceptions=True
        )
        assert (first, last) == (None, None)
        assert isinstance(wrong, ValueError)
        assert notes(rig) == ["first", "last"]


async def test_plan_of_a_change_that_is_rolled_back_goes_with_it(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        before = rig.runtime.writer.plan

        def reconfigures(_connection: sqlite3.Connection) -> None:
            rig.runtime.writer.plan = Plan()
            raise sqlite3.OperationalError("database or disk is full")

        with pytest.raises(StateError):
            await rig.change(reconfigures)
        assert rig.runtime.writer.plan is before


async def test_change_that_breaks_a_rule_of_the_schema_is_its_callers_affair(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        with pytest.raises(sqlite3.IntegrityError):
            await rig.change(lambda connection: connection.execute("UPDATE jobs SET state = 'lost'"))
        await rig.change(note("still"))
        assert (notes(rig), rig.runtime.writer.problem) == (["still"], None)


async def test_cancelling_a_caller_cancels_no_transaction(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        for text in ("before it began", "while it runs"):
            caller = asyncio.ensure_future(rig.change(note(text)))
            for _ in range(1 if text == "before it began" else 3):
                await asyncio.sleep(0)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            await rig.runtime.writer.flush()
            assert notes(rig)[-1] == text


async def test_writer_ends_though_something_waits_when_it_is_closed(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        caller = asyncio.ensure_future(rig.change(note("at the last moment")))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(rig.runtime.writer.close())
        _, pending = await asyncio.wait({closing}, timeout=10.0)
        assert not pending
        await caller
        assert notes(rig) == ["at the last moment"]


async def test_changes_that_gather_are_committed_together(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        commits = 0

        def count(statement: str) -> None:
            nonlocal commits
            commits += statement == "COMMIT"

        await rig.runtime._database.run(lambda connection: connection.set_trace_callback(count))
        await asyncio.gather(*(rig.change(note(str(number))) for number in range(100)))
        assert [int(text or "") for text in notes(rig)] == list(range(100))
        assert commits <= 3


async def test_writer_that_is_closed_takes_no_more(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        writer = rig.runtime.writer
    with pytest.raises(EngineStopped):
        await writer.change(lambda _connection, _now: None)


POISON = """
    CREATE TRIGGER poison BEFORE INSERT ON results WHEN new.output LIKE '%poison%'
    BEGIN SELECT raise(ABORT, 'this row is poison'); END
"""
WORSE = "CREATE TRIGGER worse BEFORE INSERT ON attempts BEGIN SELECT raise(ABORT, 'not even that'); END"


async def test_end_that_cannot_be_stored_fails_alone(tmp_path: Path) -> None:
    together = asyncio.Barrier(8)

    async def work(ctx: Any) -> dict[str, str]:
        await together.wait()
        return {"of": "poison" if ctx.item.key == "bad" else "good"}

    async with Rig(tmp_path, job("docs", stage(handler="work", concurrency=8)), functions={"work": work}) as rig:
        await rig.change(lambda connection: connection.execute(POISON))
        good = [f"good{number}" for number in range(7)]
        await rig.add("bad", *good)
        await rig.drained()
        assert rig.states("bad") == {"bad": "failed", "work": "failed"}
        detail = rig.reader.item("docs", "bad")
        assert detail is not None
        assert "this row is poison" in detail.attempts[0].message
        assert {rig.states(key)[key] for key in good} == {"done"}
        assert rig.runtime.writer.problem is None


async def test_end_of_which_not_even_the_failure_can_be_stored_is_an_interruption(tmp_path: Path) -> None:
    ran = []

    async def work(ctx: Any) -> dict[str, str]:
        ran.append(ctx.item.key)
        return {"of": "poison" if ctx.item.key == "bad" and len(ran) < 3 else "good"}

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as rig:
        await rig.change(lambda connection: connection.execute(POISON))
        await rig.change(lambda connection: connection.execute(WORSE))
        await rig.add("bad", "good")
        await rig.until(lambda: rig.states("good")["work"] == "done")
        assert rig.states("bad")["work"] == "running"
        rig.clock.advance(LEASE_MS / 1000 + 1)
        rig.runtime.timers.look()
        await rig.until(lambda: rig.states("bad")["work"] == "done")
        assert "stage.interrupted" in rig.kinds()


async def test_item_emitted_to_nowhere_is_left_out_and_the_rest_is_stored(tmp_path: Path) -> None:
    async def work(ctx: Any) -> dict[str, int]:
        if ctx.item.key == "a":
            ctx.emit(candidate("lost"), job="tpyo")
            ctx.emit(candidate("child"))
        return {"n": 1}

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as rig:
        await rig.add("a")
        await rig.drained()
        assert rig.states("a") == {"a": "done", "work": "done"}
        assert rig.states("child") == {"child": "done", "work": "done"}
        (warning,) = [event for event in rig.reader.events_after(0, 100) if event.kind == "emit.refused"]
        assert (warning.level, warning.key) == ("warning", "a")
        assert "`tpyo`" in warning.text


async def test_full_disk_stops_the_work_and_loses_nothing(tmp_path: Path) -> None:
    async def read(_ctx: Any) -> dict[str, str]:
        await full.wait()
        return {"text": "x" * 100_000}

    async def tell(ctx: Any) -> dict[str, int]:
        return {"n": len(ctx.upstream["read"]["text"])}

    full = asyncio.Event()
    stages = (stage("read", handler="read"), stage("tell", after=["read"], handler="tell"))
    async with Rig(tmp_path, job("docs", *stages), functions={"read": read, "tell": tell}) as rig:
        await rig.add("a", "b", "c")
        await rig.until(lambda: rig.runtime.attempts.running == 3)

        def limit(connection: sqlite3.Connection, more: int) -> None:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + more:d}").fetchall()

        await rig.runtime._database.run(limit, 0)
        full.set()
        await rig.until(lambda: rig.runtime.writer.problem is not None)
        assert "full" in (rig.runtime.writer.problem or "")
        assert rig.runtime.writer.unstored == 3
        with pytest.raises(StateError, match="cannot be written"):
            await rig.change(lambda connection: connection.execute("UPDATE jobs SET title = ?", ("x" * 50_000,)))
        assert rig.states("a")["read"] == "running"
        await rig.runtime._database.run(limit, 10_000)
        await rig.drained()
        assert rig.runtime.writer.problem is None
        assert [rig.states(key)["tell"] for key in "abc"] == ["done"] * 3
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[1].output == {"n": 100_000}


async def test_writing_lock_of_another_program_is_waited_out(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        await rig.runtime._database.run(lambda connection: connection.execute("PRAGMA busy_timeout = 20"))
        other = connect(rig.state.database)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match="locked"):
            await rig.change(note("too soon"))
        other.execute("ROLLBACK")
        other.close()
        await rig.change(note("now"))
        assert notes(rig) == ["now"]


async def test_chain_runs_through_one_writer_in_order(tmp_path: Path) -> None:
    ran: list[tuple[str, str]] = []

    async def work(ctx: Any) -> dict[str, str]:
        ran.append((ctx.item.key, ctx.stage))
        return {}

    names = ("a", "b", "c")
    spec = job("docs", *chain(*names, handler="work", concurrency=2))
    async with Rig(tmp_path, spec, functions={"work": work}) as rig:
        await rig.add(*(f"k{number}" for number in range(30)))
        await rig.drained()
        for number in range(30):
            assert [name for key, name in ran if key == f"k{number}"] == list(names)
        assert len(ran) == 90


async def test_engine_that_stops_on_a_full_disk_ends_all_the_same(tmp_path: Path) -> None:
    async with idle(tmp_path) as rig:
        await rig.runtime._database.run(lambda connection: connection.execute("PRAGMA query_only = ON"))
        with pytest.raises(StateError):
            await rig.change(note("lost"))


def failing_once(at: str, rig: Rig | None = None) -> Callable[[str], None]:
    """At this point a disk tells of an error, once; with a rig, its state file is away for a while as well."""
    left = [at]

    def upon(name: str) -> None:
        if name in left:
            left.clear()
            if rig is not None:
                rig.state.database.rename(rig.state.path / "away")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error

    return upon


@pytest.mark.parametrize("at", ["writer.commits", "writer.committed"])
async def test_commit_that_is_told_as_failed_is_looked_up_and_nothing_is_done_twice(tmp_path: Path, at: str) -> None:
    began: list[str] = []

    async def work(ctx: Any) -> dict[str, str]:
        began.append(ctx.item.key)
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work")), functions={"work": work}) as rig:
        await rig.drained()
        before = await rig.runtime._database.run(lambda connection: connection)
        await rig.drained()  # what a start writes is stored, so that the group that fails is that of the items
        await rig.runtime.writer.flush()
        with stumbling(failing_once(at)):
            if at == "writer.committed":
                await rig.add("a", "b")  # it is stored: whoever asked for it is not told otherwise
            else:
                with pytest.raises(StateError, match="disk I/O error"):
                    await rig.add("a", "b")
                await rig.add("a", "b")
        assert (
            await rig.runtime._database.run(lambda connection: connection) is not before
        )  # another connection, which knows what the file holds
        await rig.drained()
        assert sorted(began) == ["a", "b"]
        assert "attempt.refused" not in rig.kinds()
        assert [rig.states(key)["work"] for key in "ab"] == ["done", "done"]
        assert rig.runtime.writer.problem is None


@pytest.mark.parametrize("at", ["writer.commits", "writer.committed"])
async def test_state_file_that_is_away_after_an_error_is_waited_for(tmp_path: Path, at: str) -> None:
    ends = asyncio.Event()

    async def work(_ctx: Any) -> dict[str, str]:
        await ends.wait()
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work", concurrency=3)), functions={"work": work}) as rig:
        await rig.add("a", "b", "c")
        await rig.until(lambda: rig.runtime.attempts.running == 3)
        with stumbling(failing_once(at, rig)):
            ends.set()
            await rig.until(lambda: rig.runtime.writer.problem is not None)
        with pytest.raises(StateError, match="cannot be written"):
            await rig.change(note("lost"))
        (rig.state.path / "away").rename(rig.state.database)
        await rig.drained()
        assert [rig.states(key)["work"] for key in "abc"] == ["done"] * 3
        assert "attempt.refused" not in rig.kinds()
        assert rig.runtime.writer.problem is None


@pytest.mark.parametrize("how", ["moved", "replaced"])
async def test_nothing_is_written_to_a_state_file_that_is_not_in_its_place(tmp_path: Path, how: str) -> None:
    ends = asyncio.Event()

    async def work(_ctx: Any) -> dict[str, str]:
        await ends.wait()
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work", concurrency=3)), functions={"work": work}) as rig:
        await rig.add("a", "b", "c")
        await rig.until(lambda: rig.runtime.attempts.running == 3)
        away = rig.state.database.rename(rig.state.path / "away")
        if how == "replaced":
            rig.state.database.write_bytes(away.read_bytes())
        ends.set()
        await rig.until(lambda: rig.runtime.writer.problem is not None)
        with pytest.raises(StateError, match="its place"):
            await rig.change(note("lost"))
        assert rig.runtime.writer.unstored == 3
        away.rename(rig.state.database)
        await rig.drained()
        assert [rig.states(key)["work"] for key in "abc"] == ["done"] * 3
        assert rig.runtime.writer.problem is None


async def test_claims_that_break_cost_no_ending_and_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()

    async def work(ctx: Any) -> dict[str, str]:
        if ctx.item.key != "late":
            await release.wait()
        return {"of": ctx.item.key}

    broken, claim = 0, writer.claim

    def breaks(*args: Any) -> Any:
        nonlocal broken
        broken += 1
        raise ValueError("a row that nobody expected")

    async with Rig(tmp_path, job("docs", stage(handler="work", concurrency=2)), functions={"work": work}) as rig:
        await rig.add("a", "b", "late")
        await rig.until(lambda: rig.runtime.attempts.running == 2)
        monkeypatch.setattr(writer, "claim", breaks)
        release.set()
        await rig.change(note("beside it"))
        await rig.until(lambda: rig.states("a")["work"] == rig.states("b")["work"] == "done")
        assert broken
        assert notes(rig) == ["beside it"]
        assert rig.runtime.writer.problem is None
        monkeypatch.setattr(writer, "claim", claim)
        rig.runtime.writer.look()
        await rig.until(lambda: rig.states("late")["work"] == "done")
