"""A changed jobs.yaml and changed code are taken over whole, or not at all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from engine.config.changes import changes
from engine.config.load import load_project
from engine.contracts.rate import Rate
from engine.contracts.spec import ProjectSpec, ResourceSpec, Settings
from engine.facade import THREADS, Engine
from engine.kit.http import HttpRefused
from engine.services import reload as reload_service
from engine.store import items, takeover
from engine.store.reader import Reader
from engine.store.state_dir import StateDir
from tests.factories import Rig, candidate, job, stage

JOBS = """\
jobs:
  letters:
    discovery: {use: reload_me.find}
    stages:
      - read: {handler: reload_me.read}
"""
CODE = """\
from engine.contracts.item import Candidate


async def find(ctx):
    yield Candidate(key="a")
    ctx.scope(["."])


async def read(ctx):
    return {"by": "old"}
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A module name of the test's own: what was imported once is found again by its name."""
    return f"mine_{tmp_path.name}".replace("-", "_")


@pytest.fixture
def engine(tmp_path: Path, module: str) -> Iterator[Engine]:
    configure(tmp_path, module, JOBS)
    (tmp_path / f"{module}.py").write_text(CODE)
    made = Engine(load_project(tmp_path / "jobs.yaml", tmp_path), StateDir(tmp_path / "state"), mode="serve")
    made.start(discover=True)
    made.wait_drained()
    yield made
    made.stop_and_wait(drain=False)


def configure(folder: Path, module: str, text: str) -> None:
    (folder / "jobs.yaml").write_text(text.replace("reload_me", module))


def outputs(engine: Engine, key: str = "a") -> dict[str, object]:
    reader = Reader(engine.state, project="test")
    try:
        detail = reader.item("letters", key)
    finally:
        reader.close()
    assert detail is not None
    return {one.stage: one.output for one in detail.stages}


def reload(engine: Engine) -> str:
    outcome = engine.command_and_wait("reload", {})
    engine.wait_drained()
    return outcome.message


def test_a_new_stage_with_a_new_function_runs_after_one_reload(engine: Engine, tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(CODE + '\n\nasync def publish(ctx):\n    return {"by": "new"}\n')
    configure(tmp_path, module, JOBS + "      - publish: {handler: reload_me.publish}\n")
    message = reload(engine)

    assert "added" in message
    assert outputs(engine) == {"read": {"by": "old"}, "publish": {"by": "new"}}


def test_code_that_does_not_parse_any_more_breaks_its_job_and_says_so(
    engine: Engine, tmp_path: Path, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("def read(ctx:\n")
    assert "broken" in reload(engine)

    reader = Reader(engine.state, project="test")
    (view,) = reader.jobs()
    reader.close()
    assert view.state == "broken"
    assert f"{module}.py:1" in (view.why or "")


def test_code_that_could_not_be_taken_over_is_taken_when_it_can_be(
    engine: Engine, tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, reconfigure = [], takeover.reconfigure

    def full_once(*args: Any, **named: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        return reconfigure(*args, **named)

    monkeypatch.setattr(reload_service, "LOOK_S", 0.05)
    monkeypatch.setattr(takeover, "reconfigure", full_once)
    (tmp_path / f"{module}.py").write_text(CODE.replace("old", "new"))
    wait_until(lambda: len(tries) == 2)


def test_a_configuration_that_could_not_be_stored_is_taken_when_it_can_be(
    engine: Engine, tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, reconfigure = [], takeover.reconfigure

    def full(*args: Any, **named: Any) -> Any:
        tries.append(1)
        if len(tries) <= 4:  # longer than a file is looked at twice
            raise sqlite3.OperationalError("database or disk is full")
        return reconfigure(*args, **named)

    monkeypatch.setattr(reload_service, "LOOK_S", 0.05)
    monkeypatch.setattr(takeover, "reconfigure", full)
    configure(tmp_path, module, JOBS.replace("      - read", "      - other"))
    wait_until(lambda: list(outputs(engine)) == ["other"])


def test_a_broken_file_changes_nothing(engine: Engine, tmp_path: Path, module: str) -> None:
    configure(tmp_path, module, "jobs: [")

    assert "nothing changed" in engine.command_and_wait("reload", {}).message
    assert outputs(engine) == {"read": {"by": "old"}}


def test_a_removed_stage_is_ignored_and_its_item_is_done(engine: Engine, tmp_path: Path, module: str) -> None:
    configure(tmp_path, module, JOBS.replace("      - read", "      - other"))
    reload(engine)

    assert list(outputs(engine)) == ["other"]


def test_every_difference_is_told_resources_too() -> None:
    old = ProjectSpec(root=Path(), source=None, settings=Settings(), jobs=(job("docs", stage("a")),))
    new = replace(
        old,
        resources=(ResourceSpec(name="host", capacity=2, pace=Rate(count=60, per_s=3_600)),),
        jobs=(replace(old.jobs[0], stages=(stage("a", concurrency=8), stage("b", after=["a"]))),),
    )

    assert changes(old, new) == [
        "resources.host: added",
        "jobs.docs.stages.a.concurrency: 4 → 8",
        "jobs.docs.stages.b: added",
    ]


def test_a_changed_rate_holds_from_the_next_start_on(engine: Engine, tmp_path: Path, module: str) -> None:
    """A job at one item an hour has 20 to do; with 60,000 an hour they are done at once."""
    many = CODE.replace('yield Candidate(key="a")', 'for n in range(20):\n        yield Candidate(key=f"k{n}")')
    (tmp_path / f"{module}.py").write_text(many)
    slow = JOBS.replace("{handler: reload_me.read}", "{handler: reload_me.read, pace: 1/h}")
    configure(tmp_path, module, slow)
    assert "jobs.letters.stages.read.pace: none → " in reload_lines(engine)
    engine.command_and_wait("run", {"job": "letters"})
    wait_until(lambda: counts(engine).get("pending", 0) >= 19)
    assert counts(engine)["done"] <= 2  # that of the start, and the first of the hour
    configure(tmp_path, module, slow.replace("1/h", "60000/h, burst: 20"))
    assert "pace" in reload_lines(engine)
    wait_until(lambda: "pending" not in counts(engine))
    assert counts(engine)["done"] == 21


def reload_lines(engine: Engine) -> str:
    """Reload, and what the event of it lists."""
    assert engine.command_and_wait("reload", {}).ok
    reader = Reader(engine.state, project="test")
    events = [event for event in reader.events_page(None, 50) if event.kind == "config.reloaded"]
    reader.close()
    return "\n".join(events[0].data["changes"])


def counts(engine: Engine) -> dict[str, int]:
    reader = Reader(engine.state, project="test")
    (view,) = reader.jobs()
    reader.close()
    return {str(state): n for state, n in view.items.items()}


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came true")


ASKED_FIRST = """

async def is_open(ctx):
    while not (ctx.root / "go").exists():
        await asyncio.sleep(0.01)
    return True
"""
WAITS = 'async def read(ctx):\n    while not (ctx.root / "go").exists():\n        await asyncio.sleep(0.01)\n'
WAITING = "import asyncio\n\n" + CODE.replace("async def read(ctx):\n", WAITS)


@pytest.mark.parametrize("waits_in", ["its handler", "still_true"])
def test_result_of_an_attempt_that_ran_while_its_code_was_edited_is_that_of_the_code_that_ran(
    tmp_path: Path, module: str, waits_in: str
) -> None:
    asked = waits_in == "still_true"
    configure(
        tmp_path,
        module,
        JOBS.replace("    stages:", f"    still_true: {module}.is_open\n    stages:") if asked else JOBS,
    )
    code = f"import asyncio\n\n{CODE}{ASKED_FIRST}" if asked else WAITING
    (tmp_path / f"{module}.py").write_text(code)
    engine = Engine(load_project(tmp_path / "jobs.yaml", tmp_path), StateDir(tmp_path / "state"), mode="serve")
    engine.start(discover=True)
    try:
        reader = Reader(engine.state, project="test")
        while not any(one.count("running") for one in reader.jobs()):
            pass
        (tmp_path / f"{module}.py").write_text(code.replace('"old"', '"new"'))
        engine.command_and_wait("reload", {})
        (tmp_path / "go").touch()
        engine.wait_drained()
        (view,) = reader.stale()
        assert (view.stage, view.results, [change.name for change in view.changes]) == ("read", 1, ["read"])
        assert outputs(engine) == {"read": {"by": "old"}}
        reader.close()
    finally:
        engine.stop_and_wait(drain=False)


def test_a_retry_runs_the_code_that_was_mended_just_before(tmp_path: Path, module: str) -> None:
    """Nobody who mends a handler and presses `r` waits for the next look at its file."""
    configure(tmp_path, module, JOBS.replace("reload_me.read}", "reload_me.read, attempts: 1}"))
    (tmp_path / f"{module}.py").write_text(CODE.replace('return {"by": "old"}', 'raise ValueError("old")'))
    engine = Engine(load_project(tmp_path / "jobs.yaml", tmp_path), StateDir(tmp_path / "state"), mode="serve")
    engine.start(discover=True)
    try:
        wait_until(lambda: counts(engine) == {"failed": 1})
        (tmp_path / f"{module}.py").write_text(CODE.replace('"old"', '"mended"'))
        assert engine.command_and_wait("retry", {"job": "letters", "keys": ["a"]}).ok
        wait_until(lambda: "pending" not in counts(engine))
        assert outputs(engine) == {"read": {"by": "mended"}}
    finally:
        engine.stop_and_wait(drain=False)


def test_what_is_claimed_with_the_new_plan_runs_the_new_code(
    engine: Engine, tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item joins the queue in the very transaction that brings the plan, and there are free slots for it."""
    reconfigure = takeover.reconfigure

    def with_an_item(connection: sqlite3.Connection, now: int, **named: Any) -> Any:
        plan, rows = reconfigure(connection, now, **named)
        target = plan.jobs["letters"]
        found = [candidate("b")]
        items.upsert(connection, plan, target, found, source_id=target.id, origin="scan", run_id=None, now=now)
        return plan, rows

    monkeypatch.setattr(takeover, "reconfigure", with_an_item)
    (tmp_path / f"{module}.py").write_text(CODE.replace('"old"', '"new"'))
    reload(engine)
    assert outputs(engine, "b") == {"read": {"by": "new"}}


def test_code_saved_while_it_is_taken_over_is_what_runs(
    engine: Engine, tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, saved = reload_service._load, []

    def and_save(*args: Any) -> ProjectSpec:
        project = load(*args)
        if not saved:
            saved.append(1)
            (tmp_path / f"{module}.py").write_text(CODE.replace('"old"', '"newest"'))
        return project

    monkeypatch.setattr(reload_service, "_load", and_save)
    (tmp_path / f"{module}.py").write_text(CODE.replace('"old"', '"new"'))
    reload(engine)
    assert engine.command_and_wait("reset", {"job": "letters", "stage": "read", "keys": ["a"]}).ok
    engine.wait_drained()
    assert outputs(engine) == {"read": {"by": "newest"}}


MANY: Final = THREADS + 6
BLOCKS = """
import asyncio
import time


def wait(go):
    while not go.exists():
        time.sleep(0.05)


async def read(ctx):
    ctx.log.info("it waits")
    await asyncio.to_thread(wait, ctx.root / "go")
    return {}
"""


def test_handlers_that_hang_in_every_thread_hold_up_neither_reload_nor_stop(
    engine: Engine, tmp_path: Path, module: str
) -> None:
    some = f'for n in range({MANY}):\n        yield Candidate(key=f"new {{n}}")'
    find = CODE[: CODE.index("async def read")].replace('yield Candidate(key="a")', some)
    (tmp_path / f"{module}.py").write_text(find + BLOCKS)
    configure(tmp_path, module, JOBS.replace("reload_me.read}", f"reload_me.read, concurrency: {MANY}}}"))
    assert engine.command_and_wait("reload", {}).ok
    engine.command_and_wait("run", {"job": "letters"})
    wait_until(lambda: engine.running() == MANY)
    give_up = threading.Timer(20.0, (tmp_path / "go").touch)
    give_up.start()
    assert engine.command_and_wait("reload", {}).ok
    assert engine.running() == MANY
    engine.stop_and_wait(drain=False)
    assert not (tmp_path / "go").exists()
    give_up.cancel()
    (tmp_path / "go").touch()


async def test_reloads_leave_no_client_behind_for_each(tmp_path: Path) -> None:
    def work(ctx: Any) -> dict[str, Any]:
        with pytest.raises(HttpRefused):
            ctx.http.get_and_wait("http://127.0.0.1:9/")
        return {}

    def clients() -> int:
        return sum(thread.name == "http" for thread in threading.enumerate())

    before = clients()
    spec = job("docs", stage("a", handler="work", is_async=False, runs="thread"))
    async with Rig(tmp_path, spec, functions={"work": work}) as it:
        for key in "abc":
            await it.add(key)
            await it.drained()
            assert it.states(key) == {key: "done", "a": "done"}
            await it.runtime._take_configuration(it._project)
        assert clients() == before + 1
