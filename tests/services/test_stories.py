"""The whole engine, as a user has it: a folder with a jobs.yaml and a plugin of their own."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.config.load import load_project
from engine.contracts.errors import EngineStopped, OwnedError, StateError, UseError
from engine.contracts.view import ItemDetail, ItemQuery
from engine.facade import Engine
from engine.store import counts
from engine.store.migrate import connect
from engine.store.reader import Reader
from engine.store.state_dir import EngineLock, StateDir

PLUGIN = """
import asyncio, json
from pathlib import Path

from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Done, Fail, Later, Skip


async def scan(ctx):
    found = json.loads((ctx.root / "source.json").read_text())
    ctx.scope(["source.json"])
    for key, data in found.items():
        yield Candidate(key=key, data=data, revision=data.get("revision"))


async def read(ctx):
    return {"of": ctx.item.key, "n": ctx.item.data.get("n", 1)}


def count(ctx):
    return {"n": ctx.upstream["read"]["n"] + 1}


async def double(ctx):
    return {"n": ctx.upstream["read"]["n"] * 2}


async def join(ctx):
    return {"sum": sum(up["n"] for name, up in ctx.upstream.items() if name != "read"), "up": sorted(ctx.upstream)}


async def ask(ctx):
    return {"answer": ctx.answer} if ctx.answer else Ask(question="which?", choices=("x", "y"))


async def split(ctx):
    for number in range(ctx.item.data.get("children", 0)):
        ctx.emit(Candidate(key=f"{ctx.item.key}/{number}", parent_key=ctx.item.key))
    return {}


async def flaky(ctx):
    flag = ctx.root / "mended"
    if not flag.exists():
        raise OSError("the page is down")
    return {"ok": True}


async def wait(ctx):
    (ctx.root / "begun").touch()
    while not (ctx.root / "go").exists():
        await asyncio.sleep(0.01)
    return {}


async def hang(ctx):
    (ctx.root / "begun").touch()
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
"""

_numbers = itertools.count()


class Project:
    """A folder with a jobs.yaml, a plugin whose name no other folder uses, and a source of items."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugin = f"story_plugin_{next(_numbers)}"
        self.state = StateDir(folder / "state")
        self._engines: list[Engine] = []
        self._readers: list[Reader] = []
        (folder / f"{self.plugin}.py").write_text(PLUGIN, encoding="utf-8")
        self.source(a={})

    def source(self, **items: Any) -> None:
        (self.folder / "source.json").write_text(json.dumps(items), encoding="utf-8")

    def engine(self, text: str, **more: Any) -> Engine:
        """An engine on `text` as jobs.yaml, not started."""
        file = self.folder / "jobs.yaml"
        file.write_text(textwrap.dedent(text).replace("PLUGIN", self.plugin), encoding="utf-8")
        self._engines.append(Engine(load_project(file, self.folder), self.state, mode=more.pop("mode", "once"), **more))
        return self._engines[-1]

    def started(self, text: str, **more: Any) -> Engine:
        """The same, started, with every discovery run and everything done that can be done."""
        engine = self.engine(text, **more)
        engine.start(discover=True)
        engine.wait_drained()
        return engine

    @property
    def reader(self) -> Reader:
        if not self._readers:
            self._readers.append(Reader(self.state, project="story"))
        return self._readers[0]

    def item(self, key: str, job: str = "docs") -> ItemDetail:
        found = self.reader.item(job, key)
        assert found is not None
        return found

    def states(self, key: str, job: str = "docs") -> list[str]:
        """State of the item, and of its stages in order."""
        detail = self.item(key, job)
        return [detail.item.state, *(one.state for one in detail.stages)]

    def output(self, key: str, stage: str, job: str = "docs") -> Any:
        return next(one.output for one in self.item(key, job).stages if one.stage == stage)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        for engine in self._engines:
            engine.ask_stop(drain=False)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()
    for engine in made._engines:
        assert engine._thread is None or engine.stopped.wait(10)


GATED = """
    jobs:
      docs:
        discovery: {use: PLUGIN.scan}
        stages:
          - read: {handler: PLUGIN.read}
          - count: {handler: PLUGIN.count, gate: accept}
"""


def test_gate_is_accepted_undone_and_accepted_again(project: Project) -> None:
    engine = project.started(GATED)
    assert project.states("a") == ["waiting", "done", "waiting"]
    assert engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]}).message == "accepted 1 item"
    engine.wait_drained()
    assert project.states("a") == ["done", "done", "done"]
    assert project.output("a", "count") == {"n": 2}
    assert engine.command_and_wait("undo", {}).message == "undid accept of 1 item"
    engine.wait_drained()
    assert project.states("a") == ["waiting", "done", "waiting"]
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    engine.wait_drained()
    assert project.states("a") == ["done", "done", "done"]
    engine.stop_and_wait(drain=True)


def test_changed_content_runs_again_behind_the_open_gate(project: Project) -> None:
    project.source(a={"n": 1, "revision": "1"})
    engine = project.started(GATED)
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    engine.wait_drained()
    project.source(a={"n": 5, "revision": "2"})
    engine.command_and_wait("run", {"job": "docs"})
    engine.wait_drained()
    assert project.states("a") == ["done", "done", "done"]
    assert project.output("a", "count") == {"n": 6}


def test_branches_run_side_by_side_and_are_joined(project: Project) -> None:
    project.source(**{f"k{number}": {"n": number} for number in range(10)})
    engine = project.started("""
        jobs:
          docs:
            discovery: {use: PLUGIN.scan}
            stages:
              - read: {handler: PLUGIN.read}
              - count: {handler: PLUGIN.count, after: [read]}
              - double: {handler: PLUGIN.double, after: [read]}
              - join: {handler: PLUGIN.join, after: [count, double]}
    """)
    for number in range(10):
        assert project.states(f"k{number}") == ["done"] * 5
        assert project.output(f"k{number}", "join") == {"sum": 3 * number + 1, "up": ["count", "double", "read"]}
    assert engine.totals()[0] == 40


def test_question_waits_for_its_answer(project: Project) -> None:
    engine = project.started("jobs: {docs: {discovery: {use: PLUGIN.scan}, stages: [ask: {handler: PLUGIN.ask}]}}")
    detail = project.item("a")
    assert (detail.item.state, detail.item.why, detail.stages[0].choices) == ("waiting", "which?", ("x", "y"))
    engine.command_and_wait("answer", {"job": "docs", "keys": ["a"], "answer": "y"})
    engine.wait_drained()
    assert project.output("a", "ask") == {"answer": "y"}


def test_failed_item_is_retried(project: Project) -> None:
    engine = project.started(
        "jobs: {docs: {discovery: {use: PLUGIN.scan}, stages: [get: {handler: PLUGIN.flaky, attempts: 1}]}}"
    )
    detail = project.item("a")
    assert (detail.item.state, detail.item.why) == ("failed", "OSError: the page is down")
    (project.folder / "mended").touch()
    engine.command_and_wait("retry", {"job": "docs", "keys": ["a"]})
    engine.wait_drained()
    detail = project.item("a")
    assert (detail.item.state, detail.item.why, len(detail.attempts)) == ("done", None, 1)


def test_children_are_stored_with_their_parents_end_and_run(project: Project) -> None:
    project.source(a={"children": 5})
    project.started("jobs: {docs: {discovery: {use: PLUGIN.scan}, stages: [split: {handler: PLUGIN.split}]}}")
    assert [project.states(f"a/{number}") for number in range(5)] == [["done", "done"]] * 5
    assert project.item("a/0").item.origin == "emit"
    assert project.reader.items_count(ItemQuery(job="docs")) == 6


def test_broken_job_stops_no_other(project: Project) -> None:
    engine = project.started("""
        jobs:
          broken: {discovery: {use: PLUGIN.scan}, stages: [read: {handler: PLUGIN.nowhere}]}
          docs: {discovery: {use: PLUGIN.scan}, stages: [read: {handler: PLUGIN.read}]}
    """)
    assert project.states("a") == ["done", "done"]
    broken, good = project.reader.jobs()
    assert (broken.state, good.state) == ("broken", "active")
    assert "nowhere" in (broken.why or "")
    assert not engine.command_and_wait("run", {"job": "broken"}).ok


def test_paused_job_rests_and_resumes(project: Project) -> None:
    engine = project.started(GATED)
    engine.command_and_wait("pause", {"job": "docs", "why": "holiday"})
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    engine.wait_drained()
    assert project.states("a") == ["pending", "done", "ready"]
    assert project.reader.jobs()[0].why == "holiday"
    engine.command_and_wait("resume", {"job": "docs"})
    engine.wait_drained()
    assert project.states("a") == ["done", "done", "done"]


def test_second_engine_on_one_folder_is_refused_and_harms_nothing(project: Project) -> None:
    engine = project.started(GATED)
    with pytest.raises(OwnedError, match=f"another engine \\(pid {os.getpid()}\\) runs on") as caught:
        project.engine(GATED).start()
    assert caught.value.pid == os.getpid()
    owner = project.state.owner()
    assert owner is not None
    assert (owner.pid, owner.mode, owner.state) == (os.getpid(), "once", "running")
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    engine.stop_and_wait(drain=True)
    assert project.state.owner() is None
    project.started(GATED).stop_and_wait(drain=True)
    project._engines.pop(1)


def test_stop_waits_for_what_runs_and_the_rest_goes_on_at_the_next_start(project: Project) -> None:
    text = """
        jobs:
          docs:
            discovery: {use: PLUGIN.scan}
            stages: [wait: {handler: PLUGIN.wait}, read: {handler: PLUGIN.read}]
    """
    engine = project.engine(text)
    begun = when(engine, lambda: (project.folder / "begun").exists())
    engine.start(discover=True)
    assert begun.wait(10)
    stopper = threading.Thread(target=engine.stop_and_wait, kwargs={"drain": True})
    stopper.start()
    (project.folder / "go").touch()
    stopper.join(10)
    assert engine.stopped.is_set()
    assert project.states("a") == ["pending", "done", "ready"]
    project.started(text)
    assert project.states("a") == ["done", "done", "done"]
    kinds = [event.kind for event in project.reader.events_after(0, 100)]
    assert [kinds.count(kind) for kind in ("engine.started", "engine.stopped", "stage.interrupted")] == [2, 1, 0]


def when(engine: Engine, true: Callable[[], bool]) -> threading.Event:
    """Set when `true()`, which is looked at in a thread of its own."""
    happened = threading.Event()

    def watch() -> None:
        for _ in range(1_000):
            if true():
                happened.set()
                return
            engine.stopped.wait(0.01)

    threading.Thread(target=watch, daemon=True).start()
    return happened


WAITS = "jobs: {docs: {discovery: {use: PLUGIN.scan}, stages: [wait: {handler: PLUGIN.wait}]}}"


def test_second_stop_does_not_wait(project: Project) -> None:
    engine = project.engine(WAITS)
    begun = when(engine, lambda: (project.folder / "begun").exists())
    engine.start(discover=True)
    assert begun.wait(10)
    engine.ask_stop(drain=True)
    engine.ask_stop(drain=True)
    assert engine.stopped.wait(10)
    assert project.states("a") == ["pending", "ready"]


def test_who_does_not_want_to_wait_for_a_drain_any_more_stops_at_once(project: Project) -> None:
    engine = project.engine(WAITS)
    begun = when(engine, lambda: (project.folder / "begun").exists())
    engine.start(discover=True)
    assert begun.wait(10)

    async def leave() -> None:
        drain = asyncio.create_task(engine.stop(drain=True))
        await asyncio.to_thread(when(engine, lambda: engine.stop_was_asked).wait)
        async with asyncio.timeout(10):  # the grace is twenty seconds
            await engine.stop(drain=False)
            await drain

    asyncio.run(leave())
    assert project.states("a") == ["pending", "ready"]


@pytest.mark.parametrize("again", [False, True])
def test_stop_does_not_wait_for_ever_for_a_loop_that_does_not_turn(
    project: Project, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    monkeypatch.setattr("engine.facade.AT_ONCE_S" if again else "engine.facade.ENDS_S", 0.1)
    engine = project.engine(WAITS)
    engine.start()
    goes_on = threading.Event()
    assert engine._loop is not None
    engine._loop.call_soon_threadsafe(goes_on.wait)
    for _ in range(1 + again):
        engine.ask_stop(drain=False)
    engine.stop_and_wait(drain=False)
    assert not engine.stopped.is_set()
    goes_on.set()
    assert engine.stopped.wait(10)


def test_generator_that_does_not_close_does_not_hold_up_the_end(project: Project) -> None:
    engine = project.engine(WAITS)
    engine.start()

    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.Event().wait()

    generator = endless()

    async def begin() -> int:
        return await anext(generator)

    assert engine._submit(begin()).result(10) == 1
    engine.ask_stop(drain=False)
    assert engine.stopped.wait(10)


def test_stopped_engine_says_so(project: Project) -> None:
    engine = project.started(GATED)
    engine.stop_and_wait(drain=True)
    with pytest.raises(EngineStopped):
        engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    assert engine.running() == 0


def test_stop_that_is_asked_for_in_the_moment_of_the_end_is_no_error(project: Project) -> None:
    engine = project.started(GATED)
    engine.stop_and_wait(drain=True)
    engine.stopped.clear()  # as it is between the end of its loop and that of its thread
    engine.ask_stop(drain=True)
    engine.stopped.set()


def breaks(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def is_closed(project: Project) -> bool:
    """Whether nobody has the state file open; an error is raised by a connection that was left open."""
    project._engines.clear()
    gc.collect()
    return not project.state.database.with_name("rivus.db-wal").exists()


def test_start_that_fails_leaves_no_state_file_open(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.llm.models.Models.configure", breaks)
    with pytest.raises(ZeroDivisionError):
        project.engine(GATED).start()
    assert is_closed(project)


def test_engine_that_dies_leaves_no_state_file_open(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = project.engine(GATED)
    engine.start()
    monkeypatch.setattr("engine.runtime.Runtime.allowance", breaks)
    with pytest.raises(EngineStopped):
        engine.command_and_wait("pause", {"job": "docs"})
    assert engine.stopped.wait(10)
    assert is_closed(project)


def test_wrong_command_changes_nothing(project: Project) -> None:
    engine = project.started(GATED)
    with pytest.raises(UseError, match="there is no job `nope`"):
        engine.command_and_wait("accept", {"job": "nope", "keys": ["a"]})
    with pytest.raises(UseError, match="needs keys"):
        asyncio.run(engine.command("accept", {"job": "docs"}))


def test_screens_are_woken_after_each_commit_even_if_one_breaks(project: Project) -> None:
    engine = project.engine(GATED)
    woken = threading.Event()

    def breaks() -> None:
        raise ValueError("a broken screen")

    engine.subscribe(breaks)
    unsubscribe = engine.subscribe(woken.set)
    engine.start(discover=True)
    assert woken.wait(10)
    engine.wait_drained()
    unsubscribe()
    woken.clear()
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    assert not woken.is_set()


def test_only_the_named_jobs_run(project: Project) -> None:
    project.started(
        """
        jobs:
          docs: {discovery: {use: PLUGIN.scan}, stages: [read: {handler: PLUGIN.read}]}
          other: {discovery: {use: PLUGIN.scan}, stages: [read: {handler: PLUGIN.read}]}
        """,
        only=["other"],
    )
    assert project.reader.item("docs", "a") is None
    assert project.states("a", "other") == ["done", "done"]


def test_engine_for_a_command_runs_nothing(project: Project) -> None:
    project.started(GATED).stop_and_wait(drain=True)
    engine = project.engine(GATED, mode="command")
    engine.start()
    assert engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]}).ok
    engine.stop_and_wait(drain=True)
    assert project.states("a") == ["pending", "done", "ready"]


def test_crashed_engines_rows_go_back_to_the_queue_at_the_next_start(project: Project) -> None:
    engine = project.started(GATED)
    engine.command_and_wait("pause", {"job": "docs"})
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    engine.stop_and_wait(drain=True)
    connection = connect(project.state.database)
    ((stage,),) = connection.execute(
        "UPDATE item_stages SET state = 'running', due_at = NULL, owner = 1, lease_until = 9e12, fence = 1,"
        " attempts = 1 WHERE state = 'ready' RETURNING stage_id"
    ).fetchall()
    counts.stages_moved(connection, stage, "ready", "running", 1)
    connection.execute("INSERT INTO runs (job_id, state, started_at) VALUES (1, 'running', 1)")
    connection.close()
    engine = project.engine(GATED)
    engine.start()
    assert project.states("a") == ["pending", "done", "ready"]
    assert project.reader.runs("docs", 1)[0].state == "cut"
    engine.command_and_wait("resume", {"job": "docs"})
    engine.wait_drained()
    assert project.states("a") == ["done", "done", "done"]
    assert project.item("a").stages[1].attempts == 1


def test_result_that_was_altered_is_never_served(project: Project) -> None:
    engine = project.started(GATED)
    connection = connect(project.state.database)
    connection.execute('UPDATE results SET output = \'{"of":"a","n":1000}\'')
    connection.close()
    with pytest.raises(StateError, match="does not match its checksum"):
        project.item("a")
    engine.command_and_wait("accept", {"job": "docs", "keys": ["a"]})
    engine.wait_drained()
    (view,) = project.reader.items_page(ItemQuery(job="docs"), None, 10)
    assert (view.state, view.stage) == ("failed", "count")


def test_damage_by_an_engine_that_was_cut_off_is_found_at_every_start_until_it_is_mended(project: Project) -> None:
    project.started(GATED).stop_and_wait(drain=True)
    lock = EngineLock(project.state, mode="serve", now=1)
    lock.was_cut = True
    lock.release()  # as one that is killed leaves it
    with closing(connect(project.state.database)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'operations'").fetchone()
    raw = bytearray(project.state.database.read_bytes())
    whole = bytes(raw)
    raw[size * (page - 1) : size * page] = bytes(size)
    project.state.database.write_bytes(raw)
    for _ in range(2):
        with pytest.raises(StateError, match="damaged"):
            project.engine(GATED).start()
    project.state.database.write_bytes(whole)
    project.started(GATED).stop_and_wait(drain=True)
    assert not EngineLock(project.state, mode="serve", now=1).was_cut


@pytest.mark.parametrize("damage", ["empty", "header", "cut", "page"])
def test_damaged_state_is_refused_and_the_folder_is_free_again(project: Project, damage: str) -> None:
    project.started(GATED).stop_and_wait(drain=True)
    file = project.state.database
    raw = file.read_bytes()
    connection = connect(file, read_only=True)
    jobs = 4096 * (connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'").fetchone()[0] - 1)
    connection.close()
    told = {
        "empty": b"",
        "header": b"x" * 4096 + raw[4096:],
        "cut": raw[:5000],
        "page": raw[:jobs] + b"\xff" * 4096 + raw[jobs + 4096 :],
    }
    file.write_bytes(told[damage])
    for path in (file.with_name("rivus.db-wal"), file.with_name("rivus.db-shm")):
        path.unlink(missing_ok=True)
    with pytest.raises(StateError, match=r"rivus\.db: .*(restore|move it away)"):
        project.engine(GATED).start()
    project._engines.pop()
    EngineLock(project.state, mode="once", now=0).release()


def test_handler_that_ignores_its_cancellation_does_not_keep_the_engine(project: Project) -> None:
    engine = project.engine("jobs: {docs: {discovery: {use: PLUGIN.scan}, stages: [hang: {handler: PLUGIN.hang}]}}")
    begun = when(engine, lambda: (project.folder / "begun").exists())
    engine.start(discover=True)
    assert begun.wait(10)
    engine.ask_stop(drain=False)
    assert engine.stopped.wait(10)
    assert project.states("a") == ["pending", "ready"]
