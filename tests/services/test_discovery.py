from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.doctor import DoctorSpec
from engine.contracts.item import Candidate
from engine.contracts.view import RunView
from engine.services import discovery as discovery_module
from engine.services import source_run
from tests.factories import Rig, candidate, discovery, job, stage, yields


async def nothing(_ctx: Any) -> dict[str, int]:
    return {}


class Source:
    """A rig with one job, whose discovery gives what `found` holds now."""

    def __init__(self, folder: Path, *found: Any, every_s: float | None = None, gone_after: int = 3) -> None:
        self.found: list[Any] = list(found)
        spec = job(
            "docs", stage(handler="nothing"), discovery=discovery("scan", every_s=every_s), gone_after=gone_after
        )
        self.rig = Rig(folder, spec, functions={"scan": self._scan, "nothing": nothing})

    async def _scan(self, ctx: Any) -> AsyncIterator[Any]:
        async for one in yields(*self.found)(ctx):
            yield one

    async def run(self) -> RunView:
        """Run once and return how it went."""
        # The run of the start may be under way; one that is asked for meanwhile is that one.
        await self.rig.until(lambda: not self.rig.runtime.discovery.running)
        count = len(self.rig.reader.runs("docs", 1_000))
        assert (await self.rig.command("run", job="docs")).ok
        await self.rig.until(
            lambda: (
                len(runs := self.rig.reader.runs("docs", 1_000)) > count
                and runs[0].state != "running"
                and not self.rig.runtime.discovery.running
            )
        )
        return self.rig.reader.runs("docs", 1)[0]


def raises(error: BaseException) -> Any:
    def later(_ctx: Any) -> None:
        raise error

    return later


async def test_what_a_source_yields_becomes_items(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", candidate("b", title="B"))
    async with source.rig as it:
        run = await source.run()
        await it.drained()
        assert (run.state, run.found, run.new, run.changed, run.gone, run.problems) == ("done", 2, 2, 0, 0, 0)
        assert [it.states(key)["work"] for key in "ab"] == ["done", "done"]
        again = await source.run()
        assert (again.found, again.new, again.changed) == (2, 0, 0)


@pytest.mark.parametrize(
    "error", [ValueError("no such host"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()]
)
async def test_source_that_raises_is_a_failed_run_and_lets_nothing_go(tmp_path: Path, error: BaseException) -> None:
    source = Source(tmp_path, "a", "b", gone_after=1)
    async with source.rig as it:
        await source.run()
        source.found = ["a", raises(error)]
        run = await source.run()
        assert (run.state, run.gone) == ("failed", 0)
        assert type(error).__name__ in (run.error or "")
        assert it.states("b")["b"] != "gone"
        source.found = ["a"]
        assert (await source.run()).gone == 1
        assert it.states("b")["b"] == "gone"


async def test_run_with_a_problem_is_not_complete(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", gone_after=1)
    async with source.rig as it:
        await source.run()
        source.found = [lambda ctx: ctx.problem("cannot be read\x1b[2J", path="x.md", line=3)]
        run = await source.run()
        assert (run.state, run.problems, run.gone) == ("done", 1, 0)
        (event,) = [one for one in it.reader.events_after(0, 1_000) if one.kind == "run.problem"]
        assert "x.md:3: cannot be read␛[2J" in event.text


async def test_run_that_did_not_look_everywhere_lets_nothing_go(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", gone_after=1)
    async with source.rig:
        await source.run()
        source.found = [lambda ctx: ctx.scope(["half"], complete=False)]
        assert (await source.run()).gone == 0


async def test_flawed_candidates_are_problems_and_the_others_are_stored(tmp_path: Path) -> None:
    flawed = (5, candidate(""), candidate("x", data={"x": {1}}), candidate("y", priority=9), candidate("z", path=b"z"))
    source = Source(tmp_path, "good", *flawed, "fine")
    async with source.rig as it:
        run = await source.run()
        assert (run.state, run.found, run.problems) == ("done", 2, 5)
        assert it.reader.item("docs", "fine") is not None
        assert it.reader.item("docs", "y") is None


async def test_source_is_stored_in_batches_one_behind_what_it_yields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_run, "BATCH", 100)
    seen: list[int] = []

    def look(_ctx: Any) -> None:
        run = source.rig.reader.runs("docs", 1)[0]
        seen.append(run.found)

    many = [candidate(f"k{number}") for number in range(330)]
    source = Source(tmp_path, *many[:200], look, *many[200:300], look, *many[300:])
    async with source.rig:
        run = await source.run()
        assert (run.found, run.new) == (330, 330)
        assert (seen[0] >= 100, seen[1] >= 200) == (True, True)


async def test_batch_that_is_on_its_way_when_the_source_fails_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_run, "BATCH", 100)

    def fail(_ctx: Any) -> None:
        raise ValueError("no more")

    source = Source(tmp_path, *[candidate(f"k{number}") for number in range(100)], fail)
    async with source.rig:
        run = await source.run()
        assert (run.state, run.found, run.new) == ("failed", 100, 100)


async def test_source_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_run, "CANDIDATES_MAX", 1_000)
    source = Source(tmp_path, "old", gone_after=1)
    async with source.rig as it:
        await it.drained()
        await source.run()
        source.found = [candidate(f"k{number}") for number in range(5_000)]
        run = await source.run()
        assert (run.state, run.found, run.gone, run.problems) == ("cut", 1_000, 0, 1)
        assert it.states("old")["old"] != "gone"


async def test_stop_cuts_what_runs(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def hang(_ctx: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    source = Source(tmp_path, "a", gone_after=1)
    async with source.rig as it:
        await source.run()
        source.found = [hang]
        await it.command("run", job="docs")
        await begun.wait()
        await it.runtime.discovery.stop()
        run = it.reader.runs("docs", 1)[0]
        assert (run.state, run.gone) == ("cut", 0)


async def test_due_source_runs_by_itself_and_again_after_its_interval(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", every_s=600)
    async with source.rig as it:
        await it.until(lambda: len(it.reader.runs("docs", 9)) == 1 and not it.runtime.discovery.running)
        (view,) = it.reader.jobs()
        assert view.next_run_at == it.clock.now() + 600_000
        it.clock.advance(599)
        it.runtime.discovery.look()
        await it.drained()
        assert len(it.reader.runs("docs", 9)) == 1
        it.clock.advance(1)
        it.runtime.discovery.look()
        await it.until(lambda: len(it.reader.runs("docs", 9)) == 2)


async def test_failing_source_waits_longer_each_time(tmp_path: Path) -> None:
    source = Source(tmp_path, raises(OSError("down")), every_s=100_000)
    waits = []
    async with source.rig as it:
        for number in range(1, 5):
            await it.until(
                lambda number=number: (  # type: ignore[misc]
                    len(runs := it.reader.runs("docs", 9)) == number
                    and runs[0].state == "failed"
                    and not it.runtime.discovery.running
                )
            )
            (view,) = it.reader.jobs()
            wait = (view.next_run_at or 0) - it.clock.now()
            waits.append(wait / 1_000)
            it.clock.advance(wait / 1_000)
            it.runtime.discovery.look()
    assert all(first / 2 <= wait <= first for wait, first in zip(waits, (30, 60, 120, 240), strict=True)), waits


async def test_paused_job_looks_for_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", every_s=600)
    async with source.rig as it:
        await it.until(lambda: len(it.reader.runs("docs", 9)) == 1 and not it.runtime.discovery.running)
        await it.command("pause", job="docs")
        it.clock.advance(700)
        it.runtime.discovery.look()
        await it.drained()
        assert len(it.reader.runs("docs", 9)) == 1
        await it.command("resume", job="docs")
        await it.until(lambda: len(it.reader.runs("docs", 9)) == 2)


async def test_source_can_ask_what_it_gave_before(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    async def ask(ctx: Any) -> None:
        asked.append([known.key for known in await ctx.known()])

    source = Source(tmp_path, ask, candidate("b", path="b.md"), candidate("a", path="a.md"))
    async with source.rig:
        await source.run()
        await source.run()
    assert asked == [[], ["a", "b"]]


async def test_findings_of_a_check_go_to_its_job_and_are_fixed_when_not_found(tmp_path: Path) -> None:
    found: list[Candidate] = [candidate("lint:1"), candidate("lint:2")]

    async def lint(ctx: Any) -> AsyncIterator[Any]:
        ctx.scope(["all"])
        for one in found:
            yield one

    todos = job("todos", stage(handler="nothing", gate="accept"))
    check = job("lint", is_check=True, findings_to="todos", gone_after=1, discovery=discovery("lint"))
    async with Rig(tmp_path, todos, check, functions={"lint": lint, "nothing": nothing}, discover=True) as it:
        await it.drained()
        detail = it.reader.item("todos", "lint:1")
        assert detail is not None
        assert (detail.item.source, detail.item.origin, detail.item.state) == ("lint", "check", "waiting")
        del found[0]
        await it.command("run", job="lint")
        await it.drained()
        assert it.states("lint:1", "todos") == {"lint:1": "done", "work": "skipped"}
        assert it.states("lint:2", "todos")["lint:2"] == "waiting"


async def test_full_disk_delays_a_discovery_and_loses_nothing(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", candidate("big", data={"x": "y" * 300_000}))
    async with source.rig as it:
        database = it.runtime._database
        (pages,) = await database.run(lambda connection: connection.execute("PRAGMA page_count").fetchone())
        await database.run(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages:d}").fetchall())
        await it.command("run", job="docs")
        await it.until(lambda: it.runtime.writer.problem is not None)
        await database.run(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchall())
        await it.drained()
        (run,) = it.reader.runs("docs", 9)
        assert (run.state, run.found, run.new) == ("done", 2, 2)


async def test_job_without_a_discovery_cannot_be_run(tmp_path: Path) -> None:
    async with Rig(tmp_path, job("docs"), job("broken", broken="no module")) as it:
        assert (await it.command("run", job="docs")).message == "docs cannot be run: it has no discovery"
        assert (await it.command("run", job="broken")).message == "broken cannot be run: no module"


async def test_clock_that_was_set_back_holds_a_source_for_one_interval_at_most(tmp_path: Path) -> None:
    source = Source(tmp_path, "a", every_s=60.0)
    async with source.rig as rig:
        await source.run()
        count = len(rig.reader.runs("docs", 10))
        rig.clock._now -= 3_600_000
        rig.runtime.discovery.look()
        await rig.until(lambda: (rig.runtime.discovery._due["docs"].at or 0) <= rig.clock.now() + 60_000)
        rig.clock.advance(61)
        rig.runtime.discovery.look()
        await rig.until(lambda: len(rig.reader.runs("docs", 10)) > count)


async def test_run_that_cannot_even_begin_leaves_the_next_one_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(tmp_path, "a")
    async with source.rig as it:
        start = discovery_module.runs_part.start

        def breaks(*_args: Any) -> int:
            raise ValueError("a rule of the schema")

        monkeypatch.setattr(discovery_module.runs_part, "start", breaks)
        before = it.runtime.discovery._due["docs"].failures
        assert (await it.command("run", job="docs")).ok
        await it.until(lambda: it.runtime.discovery._due["docs"].failures == before + 1)
        await it.until(lambda: not it.runtime.discovery.running)
        monkeypatch.setattr(discovery_module.runs_part, "start", start)
        assert (await source.run()).state == "done"


async def test_failed_run_has_a_verdict_until_one_goes_well(tmp_path: Path) -> None:
    source = Source(tmp_path, raises(AttributeError("'NoneType' object has no attribute 'find'")))
    told: list[tuple[str, str, str]] = []
    async with source.rig as it:
        it.runtime.doctor.notices.tell = lambda *said: told.append(said) or True  # type: ignore[method-assign,func-returns-value]
        assert (await source.run()).state == "failed"
        (incident,) = it.reader.incidents()
        assert (incident.cls, incident.jobs, incident.stages, incident.items) == (
            "code_bug",
            ("docs",),
            ("discovery",),
            0,
        )
        assert incident.evidence["exc_type"] == "AttributeError"
        assert [title for _, title, _ in told] == [f"the discovery of docs fails: {incident.label}"]
        await source.run()
        (incident,) = it.reader.incidents()
        assert (incident.count, len(told)) == (2, 1)
        # A person says otherwise, and that stays.
        assert (await it.command("overrule", incident=str(incident.id), **{"class": "transient"})).ok
        await source.run()
        (incident,) = it.reader.incidents()
        assert (incident.cls, incident.by, incident.count) == ("transient", "person", 3)
        source.found = ["a"]
        assert (await source.run()).state == "done"
        assert it.reader.incidents() == []
        assert it.kinds().count("incident.resolved") == 1


async def test_run_that_a_job_wants_no_verdicts_on_has_none(tmp_path: Path) -> None:
    source = Source(tmp_path, raises(ValueError("no")))
    source.rig._project = replace(
        source.rig._project, jobs=(replace(source.rig._project.jobs[0], doctor=DoctorSpec(rungs=())),)
    )
    async with source.rig as it:
        assert (await source.run()).state == "failed"
        assert it.reader.incidents() == []


async def hangs(source: Source, hang: Any, *, before: str, after: str) -> None:
    """Run a source that yields something, hangs, and then yields something else; wait until it hangs."""
    reached = asyncio.Event()
    source.found = [before, lambda _ctx: reached.set(), hang, after]
    await source.rig.command("run", job="docs")
    await reached.wait()


async def test_source_that_yields_nothing_for_too_long_is_given_up(tmp_path: Path) -> None:
    async def hang(_ctx: Any) -> None:
        await asyncio.Event().wait()

    source = Source(tmp_path, "old", gone_after=1)
    async with source.rig as it:
        await source.run()
        await hangs(source, hang, before="a", after="b")
        it.clock.advance(1_799)
        it.runtime.discovery.look()
        assert it.runtime.discovery.running == ["docs"]
        it.clock.advance(1)
        it.runtime.discovery.look()
        await it.until(lambda: not it.runtime.discovery.running)
        run = it.reader.runs("docs", 1)[0]
        assert (run.state, run.found, run.gone) == ("failed", 1, 0)
        assert run.error is not None
        assert "it has yielded nothing for 1800 s (its `timeout`) and was given up" in run.error
        source.found = ["a", "b"]
        assert (await source.run()).state == "done"


async def test_source_that_does_not_end_runs_again_only_once_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_run, "GRACE_S", 0.01)
    free = asyncio.Event()

    async def ignore(_ctx: Any) -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    source = Source(tmp_path, "a")
    async with source.rig as it:
        await source.run()
        await hangs(source, ignore, before="a", after="late")
        it.clock.advance(1_800)
        it.runtime.discovery.look()
        await it.until(lambda: not it.runtime.discovery.running)
        failed = it.reader.runs("docs", 1)[0]
        assert failed.error is not None
        assert failed.error.endswith("it does not end, and only then runs again")
        source.found = ["b"]
        await it.command("run", job="docs")
        await it.drained()
        assert it.reader.runs("docs", 1)[0].id == failed.id
        free.set()
        await it.until(lambda: it.reader.runs("docs", 1)[0].state == "done")
        # What the one that was given up yielded afterwards is not taken.
        assert it.reader.item("docs", "b") is not None
        assert it.reader.item("docs", "late") is None


async def test_time_in_which_nothing_can_be_stored_is_no_silence_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_run, "BATCH", 1)
    source = Source(tmp_path, "a")
    async with source.rig as it:
        await source.run()
        stopped, go_on = asyncio.Event(), asyncio.Event()
        change = it.runtime.writer.change

        async def slow(*args: Any) -> Any:
            stopped.set()
            await go_on.wait()
            return await change(*args)

        reached = asyncio.Event()
        source.found = ["a", lambda _ctx: reached.set(), "b", "c"]
        await it.command("run", job="docs")
        await reached.wait()
        monkeypatch.setattr(it.runtime.writer, "change", slow)
        await stopped.wait()
        it.clock.advance(86_400)
        it.runtime.discovery.look()
        for _ in range(20):
            await asyncio.sleep(0)
        go_on.set()
        await it.until(lambda: not it.runtime.discovery.running)
        assert it.reader.runs("docs", 1)[0].state == "done"


async def test_source_that_exits_fails_its_run_alone(tmp_path: Path) -> None:
    source = Source(tmp_path, raises(SystemExit(3)))
    async with source.rig as it:
        assert (await source.run()).state == "failed"
        source.found = ["a"]
        assert (await source.run()).state == "done"
        await it.drained()
