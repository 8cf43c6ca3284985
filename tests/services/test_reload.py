"""A changed jobs.yaml and changed code are taken over whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config.changes import changes
from engine.config.load import load_project
from engine.contracts.rate import Rate
from engine.contracts.spec import ProjectSpec, ResourceSpec, Settings
from engine.facade import Engine
from engine.store.reader import Reader
from engine.store.state_dir import StateDir
from tests.factories import job, stage

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


def outputs(engine: Engine) -> dict[str, object]:
    reader = Reader(engine.state, project="test")
    try:
        detail = reader.item("letters", "a")
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
