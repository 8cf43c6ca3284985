from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.doctor import DoctorSpec
from engine.contracts.outcome import Artifact, Ask, Done, Later, Skip
from engine.rules.retry import ALONE_S
from engine.store.migrate import connect
from engine.work.attempts import ABANDON_S, SWEEP_S
from engine.work.context import AttemptContext
from engine.work.run import Run
from tests.factories import Rig, candidate, job, stage

Functions = Mapping[str, Callable[..., Any]]


def rig(folder: Path, work: Callable[[Any], Any], **more: Any) -> Rig:
    """One job of one stage that runs `work`; no doctor says what becomes of its failures."""
    one = job("docs", stage(handler="work", **more), doctor=DoctorSpec(rungs=()))
    return Rig(folder, one, functions={"work": work})


async def forever(_ctx: Any) -> None:
    await asyncio.Event().wait()


def attempts_of(rig: Rig, key: str) -> list[tuple[str, str]]:
    detail = rig.reader.item("docs", key)
    assert detail is not None
    return [(one.error_type, one.message) for one in detail.attempts]


async def test_handler_gets_its_item_and_its_stage(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    async def work(ctx: Any) -> dict[str, int]:
        seen.update(
            job=ctx.job, stage=ctx.stage, attempt=ctx.attempt, params=ctx.params, root=ctx.root, key=ctx.item.key,
            data=ctx.item.data, line=ctx.item.line, cancelled=ctx.cancelled, answer=ctx.answer,
        )  # fmt: skip
        ctx.progress(1, 2, "half")
        (ctx.artifact_dir / "x.txt").write_text("hello")
        return {"n": 1}

    async with rig(tmp_path, work, params={"depth": 2}) as it:
        await it.add(candidate("a", data={"x": [1]}, line=3))
        await it.drained()
        assert it.states("a") == {"a": "done", "work": "done"}
        assert (it.runtime.attempts.executed, it.runtime.attempts.running) == (1, 0)
    assert seen == {
        "job": "docs", "stage": "work", "attempt": 1, "params": {"depth": 2}, "root": tmp_path, "key": "a",
        "data": {"x": [1]}, "line": 3, "cancelled": False, "answer": None,
    }  # fmt: skip


async def test_no_more_run_at_once_than_the_stage_allows(tmp_path: Path) -> None:
    most = running = 0

    async def work(_ctx: Any) -> dict[str, int]:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return {}

    async with rig(tmp_path, work, concurrency=3) as it:
        await it.add(*(f"k{number}" for number in range(20)))
        await it.drained()
        assert it.runtime.attempts.executed == 20
    assert most == 3


async def test_failed_attempt_comes_back_with_time_until_none_is_left(tmp_path: Path) -> None:
    async def work(ctx: Any) -> None:
        raise ValueError(f"attempt {ctx.attempt}\x1b[2J")

    async with rig(tmp_path, work, attempts=3, backoff_s=10) as it:
        await it.add("a")
        for number in (1, 2):
            await it.until(lambda number=number: len(attempts_of(it, "a")) == number)  # type: ignore[misc]
            assert it.states("a")["work"] == "later"
            it.clock.advance(20)
            it.runtime.timers.look()
        await it.until(lambda: it.states("a")["work"] == "failed")
        assert attempts_of(it, "a") == [("ValueError", f"attempt {number}␛[2J") for number in (3, 2, 1)]


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), BaseException("odd"), GeneratorExit(), asyncio.CancelledError()]
)
async def test_nothing_that_a_handler_raises_ends_the_engine(tmp_path: Path, error: BaseException) -> None:
    async def work(ctx: Any) -> dict[str, int]:
        if ctx.item.key == "bad":
            raise error
        return {}

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("bad", "good")
        await it.drained()
        assert (it.states("bad")["work"], it.states("good")["work"]) == ("failed", "done")
        assert attempts_of(it, "bad")[0][0] == type(error).__name__


class Unspeakable(Exception):
    """Its words cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Endless(Exception):
    """Its words do not end."""

    def __str__(self) -> str:
        return "x" * 10_000_000


@pytest.mark.parametrize("error", [Unspeakable(), Endless()])
async def test_exception_that_cannot_be_told_is_told_in_bounds(tmp_path: Path, error: Exception) -> None:
    async def work(_ctx: Any) -> None:
        raise error

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.drained()
        ((kind, message),) = attempts_of(it, "a")
        assert kind == type(error).__name__
        assert len(message) < 3_000


async def test_bad_result_is_not_tried_again(tmp_path: Path) -> None:
    async def work(_ctx: Any) -> Any:
        return {"x": {1, 2}}

    async with rig(tmp_path, work, attempts=3) as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["work"] == "failed"
        assert attempts_of(it, "a")[0][0] == "BadResult"


async def test_recursion_without_end_is_a_failed_attempt(tmp_path: Path) -> None:
    async def work(ctx: Any) -> Any:
        return await work(ctx)

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.drained()
        assert attempts_of(it, "a")[0][0] == "RecursionError"


async def test_handler_that_takes_too_long_is_cancelled(tmp_path: Path) -> None:
    async with rig(tmp_path, forever, attempts=1, timeout_s=30) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(31)
        await it.until(lambda: it.states("a")["work"] == "failed")
        assert attempts_of(it, "a") == [("TimeoutError", "took longer than 30 s")]
        assert it.runtime.attempts.taken(1) == 0


async def test_handler_that_ignores_its_cancellation_is_abandoned(tmp_path: Path) -> None:
    release = asyncio.Event()
    cancelled = asyncio.Event()

    async def stubborn(ctx: Any) -> dict[str, str]:
        while ctx.item.key == "bad" and not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                cancelled.set()
        return {"of": "late"}

    async with rig(tmp_path, stubborn, attempts=1, timeout_s=30, concurrency=2) as it:
        await it.add("bad")
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(31)
        await it.until(cancelled.is_set)
        assert it.states("bad")["work"] == "running"
        it.clock.advance(ABANDON_S + 0.1)
        await it.until(lambda: it.states("bad")["work"] == "failed")
        assert (it.runtime.attempts.running, it.runtime.attempts.taken(1)) == (0, 1)
        await it.add("good")
        await it.drained()
        assert it.states("good")["work"] == "done"
        release.set()
        await it.until(lambda: it.runtime.attempts.taken(1) == 0)
        await it.runtime.writer.flush()
        assert it.states("bad")["work"] == "failed"
        assert "stage.done" not in it.kinds()[: it.kinds().index("stage.failed")]


async def test_cancelled_item_stops_what_runs_of_it(tmp_path: Path) -> None:
    stopped = asyncio.Event()

    async def work(_ctx: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with rig(tmp_path, work) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        await it.command("cancel", job="docs", keys=["a"])
        await it.until(stopped.is_set)
        await it.drained()
        assert it.states("a") == {"a": "skipped", "work": "skipped"}
        assert "attempt.refused" not in it.kinds()


async def test_undo_stops_only_what_it_took_away(tmp_path: Path) -> None:
    stages = (
        stage("beside", handler="beside"),
        stage("gated", gate="accept", handler="gated"),
    )
    release = asyncio.Event()

    async def beside(_ctx: Any) -> dict[str, int]:
        await release.wait()
        return {}

    async with Rig(tmp_path, job("docs", *stages), functions={"beside": beside, "gated": forever}) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        await it.command("accept", job="docs", keys=["a"])
        await it.until(lambda: it.runtime.attempts.running == 2)
        await it.command("undo")
        await it.until(lambda: it.runtime.attempts.running == 1)
        release.set()
        await it.until(lambda: it.states("a")["beside"] == "done")
        assert it.states("a") == {"a": "waiting", "beside": "done", "gated": "waiting"}


async def test_cancelled_item_whose_handler_ignores_it_holds_nobody_up(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def stubborn(_ctx: Any) -> dict[str, int]:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return {}

    async with rig(tmp_path, stubborn) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        await it.command("cancel", job="docs", keys=["a"])
        it.clock.advance(ABANDON_S + 0.1)
        await it.drained()
        release.set()
        await it.until(lambda: it.runtime.attempts.taken(1) == 0)


async def test_slot_of_a_cancelled_item_is_taken_as_soon_as_its_handler_has_ended(tmp_path: Path) -> None:
    tidied = asyncio.Event()

    async def work(ctx: Any) -> dict[str, int]:
        if ctx.item.key == "a":
            try:
                await asyncio.Event().wait()
            finally:
                await tidied.wait()
        return {}

    async with rig(tmp_path, work, concurrency=1) as it:
        await it.add("a", "b")
        await it.until(lambda: it.runtime.attempts.running == 1)
        await it.command("cancel", job="docs", keys=["a"])
        await it.runtime.writer.flush()
        assert it.states("b")["work"] == "ready"
        tidied.set()
        await it.until(lambda: it.states("b")["work"] == "done", seconds=10)


async def test_row_that_is_claimed_anew_stops_the_attempt_before(tmp_path: Path) -> None:
    begun: list[int] = []
    stopped: list[int] = []

    async def work(ctx: Any) -> dict[str, int]:
        me = len(begun)
        begun.append(me)
        try:
            if me == 0:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(me)
            raise
        return {"me": me}

    async with rig(tmp_path, work) as it:
        await it.add(candidate("a", revision="1"))
        await it.until(lambda: len(begun) == 1)
        await it.add(candidate("a", revision="2"))
        await it.drained()
        assert (begun, stopped) == ([0, 1], [0])
        assert it.states("a")["work"] == "done"


@pytest.mark.parametrize("stubborn", [False, True])
async def test_stop_releases_what_runs_and_burns_no_attempt(tmp_path: Path, stubborn: bool) -> None:
    release = asyncio.Event()
    told: list[bool] = []

    async def work(ctx: Any) -> dict[str, int]:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                told.append(ctx.cancelled)
                if not stubborn:
                    raise
        return {}

    spec = job("docs", stage(handler="work"))
    it = Rig(tmp_path, spec, functions={"work": work})
    async with it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        module = it._module
        kept = sys.modules[module]
    assert told == [True]
    sys.modules[module] = kept
    release.set()
    async with it:
        await it.drained()
        assert it.states("a")["work"] == "done"
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert (detail.stages[0].attempts, detail.stages[0].fence, detail.attempts) == (1, 2, ())
        assert it.kinds().count("stage.released") == 1


async def test_stop_waits_for_what_ends_within_the_grace_period(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def work(_ctx: Any) -> dict[str, int]:
        await release.wait()
        return {}

    async with rig(tmp_path, work) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        draining = asyncio.ensure_future(it.runtime.attempts.drain(30))
        await asyncio.sleep(0)
        release.set()
        await draining
        await it.runtime.writer.flush()
        assert it.states("a")["work"] == "done"


async def test_hurry_ends_the_grace_period(tmp_path: Path) -> None:
    async with rig(tmp_path, forever) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        draining = asyncio.ensure_future(it.runtime.attempts.drain(600))
        await asyncio.sleep(0)
        it.runtime.hurry()
        async with asyncio.timeout(5):
            await draining


async def test_postponing_burns_no_attempt(tmp_path: Path) -> None:
    numbers: list[int] = []

    async def work(ctx: Any) -> Any:
        numbers.append(ctx.attempt)
        return Later(after=5, why="busy") if len(numbers) < 4 else Skip(why="enough")

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        for number in (1, 2, 3):
            await it.until(lambda number=number: len(numbers) == number and it.states("a")["work"] == "later")  # type: ignore[misc]
            it.clock.advance(6)
            it.runtime.timers.look()
        await it.until(lambda: it.states("a")["work"] == "skipped")
        assert numbers == [1, 1, 1, 1]


async def test_question_is_answered_and_the_stage_starts_again(tmp_path: Path) -> None:
    async def work(ctx: Any) -> Any:
        return {"answer": ctx.answer} if ctx.answer else Ask(question="which?", choices=("x", "y"))

    async with rig(tmp_path, work) as it:
        await it.add("a")
        await it.drained()
        assert it.states("a") == {"a": "waiting", "work": "waiting"}
        await it.command("answer", job="docs", keys=["a"], answer="y")
        await it.drained()
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].output == {"answer": "y"}


async def test_thread_runs_beside_the_loop_and_shares_its_memory(tmp_path: Path) -> None:
    where: list[int] = []

    def work(ctx: Any) -> dict[str, int]:
        where.append(threading.get_ident())
        ctx.log.info("in a thread")
        ctx.checkpoint.save_and_wait({"page": 1})
        return {"page": ctx.checkpoint.load()["page"]}

    async with rig(tmp_path, work, is_async=False, runs="thread") as it:
        await it.add("a")
        await it.drained()
        assert it.states("a")["work"] == "done"
    assert where
    assert where[0] != threading.get_ident()


async def test_thread_that_takes_too_long_is_abandoned_and_keeps_its_slot(tmp_path: Path) -> None:
    release = threading.Event()

    def work(_ctx: Any) -> dict[str, int]:
        release.wait()
        return {}

    async with rig(tmp_path, work, is_async=False, runs="thread", timeout_s=30, attempts=1) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(31)
        await asyncio.sleep(SWEEP_S)
        it.clock.advance(ABANDON_S + 0.1)
        await it.until(lambda: it.states("a")["work"] == "failed")
        assert attempts_of(it, "a") == [("TimeoutError", "took longer than 30 s")]
        assert it.runtime.attempts.taken(1) == 1
        release.set()
        await it.until(lambda: it.runtime.attempts.taken(1) == 0)


async def test_what_a_thread_raises_is_a_failed_attempt(tmp_path: Path) -> None:
    def work(_ctx: Any) -> None:
        raise SystemExit(3)

    async with rig(tmp_path, work, is_async=False, runs="thread", attempts=1) as it:
        await it.add("a")
        await it.drained()
        assert attempts_of(it, "a")[0][0] == "SystemExit"


async def test_attempt_after_a_failed_one_finds_its_checkpoint(tmp_path: Path) -> None:
    async def work(ctx: Any) -> dict[str, int]:
        page = ctx.checkpoint.load() or 0
        if page < 3:
            await ctx.checkpoint.save(page + 1)
            raise ConnectionError("connection reset")
        return {"page": page}

    async with rig(tmp_path, work, attempts=5, backoff_s=1) as it:
        await it.add("a")
        for number in (1, 2, 3):
            await it.until(lambda number=number: len(attempts_of(it, "a")) == number)  # type: ignore[misc]
            it.clock.advance(60)
            it.runtime.timers.look()
        await it.drained()
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].output == {"page": 3}


async def test_too_many_emitted_items_are_a_failed_attempt(tmp_path: Path) -> None:
    async def work(ctx: Any) -> None:
        while True:
            ctx.emit(candidate("child"))

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.drained()
        assert attempts_of(it, "a")[0][0] == "TooManyEmitted"


async def test_attempt_that_may_happen_once_only_is_handed_to_a_person_by_a_stop(tmp_path: Path) -> None:
    it = rig(tmp_path, forever, on_interrupt="hold")
    async with it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        module = it._module
        kept = sys.modules[module]
    sys.modules[module] = kept
    async with it:
        assert it.states("a") == {"a": "waiting", "work": "waiting"}
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].why is not None
        assert detail.stages[0].why.startswith("the engine stopped while it ran")


async def test_attempt_that_may_happen_once_only_is_handed_to_a_person_by_its_timeout(tmp_path: Path) -> None:
    async with rig(tmp_path, forever, on_interrupt="hold", timeout_s=30) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(31)
        await it.until(lambda: it.states("a")["work"] == "waiting")
        assert attempts_of(it, "a") == [("TimeoutError", "took longer than 30 s")]


async def test_suspect_runs_alone_until_it_has_proved_itself(tmp_path: Path) -> None:
    release = asyncio.Event()
    began: list[str] = []

    async def work(ctx: Any) -> dict[str, int]:
        began.append(ctx.item.key)
        if ctx.item.key == "suspect":
            await release.wait()
        return {}

    it = rig(tmp_path, work)
    async with it:
        await it.add("suspect")
        await it.until(lambda: it.runtime.attempts.running == 1)
        module, kept = it._module, sys.modules[it._module]
    sys.modules[module] = kept
    with contextlib.closing(connect(it.state.database)) as connection:
        connection.execute("UPDATE item_stages SET state = 'later', due_at = 1, interruptions = 2")
    began.clear()
    async with it:
        await it.until(lambda: it.runtime.attempts.running == 1)
        await it.add("other")
        await it.runtime.writer.flush()
        assert began == ["suspect"]
        it.clock.advance(ALONE_S + 1)
        await it.until(lambda: "other" in began)
        assert it.runtime.attempts.running == 1
        release.set()
        await it.drained()
        assert it.states("suspect")["work"] == "done"


async def test_progress_and_log_of_an_attempt_are_seen_while_it_runs_and_after(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def work(ctx: Any) -> Done:
        for page in range(1_000):
            ctx.progress(page, 2_000, "pages")
        ctx.log.warning("page %d is odd\x1b[2J", 7)
        await release.wait()
        return Done(output={"n": 1}, signals={"pages": 2_000, "unknown": None})

    async with rig(tmp_path, work) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.running == 1)
        await it.runtime.live.store()
        detail = it.reader.item("docs", "a")
        assert detail is not None
        progress = detail.stages[0].progress
        assert progress is not None
        assert (progress.done, progress.total, progress.text) == (999, 2_000, "pages")
        assert detail.item.why == "999 of 2,000 pages"
        ((_, level, text),) = detail.origin.logs[0].lines
        assert (level, text) == ("warning", "page 7 is odd␛[2J")
        assert await it.runtime.attempts.news() == []
        release.set()
        await it.drained()
        detail = it.reader.item("docs", "a")
        assert detail is not None
        assert (detail.stages[0].progress, len(detail.origin.logs)) == (None, 1)
        assert detail.steering.signals == {"pages": 2_000}


async def test_stage_after_one_that_gave_signals_gets_them(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def work(ctx: Any) -> Any:
        seen.append(dict(ctx.signals))
        return Done(signals={"size": 3}) if ctx.stage == "a" else {}

    spec = job("docs", stage("a", handler="work"), stage("b", after=["a"], gate="accept", handler="work"))
    async with Rig(tmp_path, spec, functions={"work": work}) as it:
        await it.add("x")
        await it.drained()
        await it.command("accept", job="docs", keys=["x"])
        await it.drained()
    assert seen == [{}, {"size": 3}]


@pytest.mark.parametrize("what", ["missing", "link", "folder"])
async def test_artifact_that_is_no_file_is_refused(tmp_path: Path, what: str) -> None:
    async def work(ctx: Any) -> Done:
        if what == "link":
            (ctx.artifact_dir / "x").symlink_to("/etc/hostname")
        if what == "folder":
            (ctx.artifact_dir / "x").mkdir()
        return Done(artifacts=(Artifact(path="x"),))

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.drained()
        ((kind, message),) = attempts_of(it, "a")
        assert kind == "BadResult"
        assert message.startswith("the artifact `x` is not")


@pytest.mark.parametrize(
    ("end", "cost"),
    [
        (Done(output={}, cost_usd_micros=7), 507),
        (Done(output={"x": {1, 2}}, cost_usd_micros=7), 507),
        (Done(output={}, artifacts=(Artifact(path="missing.txt"),), cost_usd_micros=7), 507),
        (Done(output={}, cost_usd_micros=-7), 500),
        (Later(after=60, why="busy"), 500),
        (Ask(question="which?"), 500),
        (Skip(why="empty"), 500),
        (ValueError("no"), 500),
    ],
)
async def test_what_an_attempt_has_spent_is_booked_however_it_ends(tmp_path: Path, end: Any, cost: int) -> None:
    async def work(ctx: Any) -> Any:
        ctx.paid(500)
        if isinstance(end, Exception):
            raise end
        return end

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.executed == 1)
        await it.runtime.writer.flush()
        assert spent(it) == [(cost,)]
        assert it.runtime.writer.spent_usd_micros == cost


def spent(it: Rig) -> list[tuple[int]]:
    with contextlib.closing(connect(it.state.database, read_only=True)) as connection:
        return connection.execute("SELECT usd_micros FROM spent").fetchall()


async def test_money_of_a_result_that_comes_too_late_is_booked(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def stubborn(ctx: Any) -> Done:
        ctx.paid(500)
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
        ctx.paid(20)
        return Done(output={}, cost_usd_micros=3)

    async with rig(tmp_path, stubborn, concurrency=2, timeout_s=30, attempts=1) as it:
        await it.add("cancelled", "slow")
        await it.until(lambda: it.runtime.attempts.running == 2)
        await it.command("cancel", job="docs", keys=["cancelled"])
        it.clock.advance(31)
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(ABANDON_S + 0.1)
        await it.until(lambda: it.states("slow")["work"] == "failed")
        assert spent(it) == [(500,)]  # of the one that took too long, with its timeout
        release.set()
        await it.until(lambda: it.runtime.attempts.executed == 2)
        await it.runtime.writer.flush()
        assert spent(it) == [(500 + 523 + 23,)]
        assert it.kinds().count("attempt.refused") == 2


@pytest.mark.parametrize(
    ("told", "end", "cost"),
    [(None, {}, 900), (200, {}, 200), (None, ValueError("no"), 900), (0, ValueError("no"), 0), (1_500, {}, 1_500)],
)
async def test_what_is_reserved_counts_as_spent_unless_it_is_told(
    tmp_path: Path, told: int | None, end: Any, cost: int
) -> None:
    seen: list[list[tuple[int]]] = []

    async def work(ctx: Any) -> Any:
        await ctx.reserve(900)
        seen.append(outlays(it))
        if told is not None:
            ctx.paid(told)
            await ctx.checkpoint.save("paid")
            seen.append(outlays(it))
        if isinstance(end, Exception):
            raise end
        return end

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.until(lambda: it.runtime.attempts.executed == 1)
        await it.runtime.writer.flush()
        assert seen == [[(900,)], *([[(told,)]] if told is not None else [])]
        assert spent(it) == ([(cost,)] if cost else [])
        assert outlays(it) == []


def outlays(it: Rig) -> list[tuple[int]]:
    with contextlib.closing(connect(it.state.database, read_only=True)) as connection:
        return connection.execute("SELECT usd_micros FROM outlays").fetchall()


async def test_what_was_reserved_is_booked_once_by_an_attempt_that_is_left_behind(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def stubborn(ctx: Any) -> Done:
        await ctx.reserve(900)
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
        ctx.paid(1_000)
        return Done(output={})

    async with rig(tmp_path, stubborn, concurrency=2, timeout_s=30, attempts=1) as it:
        await it.add("cancelled", "slow")
        await it.until(lambda: it.runtime.attempts.running == 2 and len(outlays(it)) == 2)
        await it.command("cancel", job="docs", keys=["cancelled"])
        it.clock.advance(31)
        await it.until(lambda: it.runtime.attempts.running == 1)
        it.clock.advance(ABANDON_S + 0.1)
        await it.until(lambda: it.states("slow")["work"] == "failed")
        assert spent(it) == [(900,)]
        release.set()
        await it.until(lambda: it.runtime.attempts.executed == 2)
        await it.runtime.writer.flush()
        assert spent(it) == [(1_000 + 1_000,)]
        assert outlays(it) == []


async def test_cancelled_attempt_that_has_spent_nothing_leaves_nothing_reserved(tmp_path: Path) -> None:
    async def work(ctx: Any) -> None:
        await ctx.reserve(900)
        try:
            await asyncio.Event().wait()
        finally:
            ctx.paid(0)

    async with rig(tmp_path, work) as it:
        await it.add("a")
        await it.until(lambda: len(outlays(it)) == 1)
        await it.command("cancel", job="docs", keys=["a"])
        await it.until(lambda: it.runtime.attempts.running == 0)
        await it.runtime.writer.flush()
        assert (spent(it), outlays(it)) == ([], [])


async def test_amount_that_is_none_is_a_failed_attempt(tmp_path: Path) -> None:
    async def work(ctx: Any) -> dict[str, int]:
        ctx.paid(-5)
        return {}

    async with rig(tmp_path, work, attempts=1) as it:
        await it.add("a")
        await it.drained()
        assert attempts_of(it, "a")[0][0] == "ValueError"
        assert spent(it) == []


@pytest.mark.parametrize("waits", [True, False])
async def test_nothing_of_an_attempt_that_has_ended_is_left_for_the_garbage(tmp_path: Path, waits: bool) -> None:
    """A search for garbage looks at all that there is: with a full queue that was a fifth of the engine's time."""

    async def work(ctx: Any) -> dict[str, str]:
        if waits:
            await asyncio.sleep(0)
        return {}

    async with Rig(tmp_path, job("docs", stage(handler="work", concurrency=5)), functions={"work": work}) as it:
        gc.disable()
        try:
            await it.add(*[f"brief{number}" for number in range(20)])
            await it.drained()
            left = [one for one in gc.get_objects() if isinstance(one, (AttemptContext, Run))]
        finally:
            gc.enable()
    items = [one.claim.item if isinstance(one, Run) else one.item for one in left]
    assert not [item.key for item in items if item.key.startswith("brief")]
