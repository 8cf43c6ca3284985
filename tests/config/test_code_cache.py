"""Code that has not changed is not read again; whatever has changed is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.config import code_cache, kept
from engine.config.code_cache import read_stages_again
from engine.config.load import load_project
from engine.config.sources import Read, read_stages
from engine.contracts.spec import ProjectSpec

JOBS = """
jobs:
  papers:
    stages: [{read: {handler: mine.read, params: {depth: 1}}}]
"""
OLD = 1_700_000_000


def write(path: Path, text: str, at: int = OLD) -> None:
    path.write_text(text)
    os.utime(path, (at, at))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectSpec:
    """A project with a cache of its own; what it reads from is from long ago."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    name = f"mine_{tmp_path.name}".replace("-", "_")
    (folder / "jobs.yaml").write_text(JOBS.replace("mine", name))
    write(folder / f"{name}.py", "import other\n\n\ndef read(ctx):\n    return {'n': 1}\n")
    return load_project(folder / "jobs.yaml", folder)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[ProjectSpec]:
    """The times that code was really read."""
    seen: list[ProjectSpec] = []

    def read(project: ProjectSpec) -> Read:
        seen.append(project)
        return read_stages(project)

    monkeypatch.setattr(code_cache, "read_stages", read)
    return seen


def module(project: ProjectSpec) -> Path:
    (path,) = project.root.glob("mine_*.py")
    return path


def test_second_start_reads_nothing_and_gives_the_same(project: ProjectSpec, reads: list[ProjectSpec]) -> None:
    assert read_stages_again(project) == read_stages_again(project)
    assert len(reads) == 1


@pytest.mark.parametrize("change", ["edit", "same size", "new module", "params", "broken cache", "gone cache"])
def test_whatever_has_changed_is_read_again(project: ProjectSpec, reads: list[ProjectSpec], change: str) -> None:
    read_stages_again(project)
    (cache,) = (project.root.parent / "cache" / "rivus" / "code").iterdir()
    path = module(project)
    if change == "edit":
        write(path, path.read_text().replace("1", "12"))
    elif change == "same size":
        write(path, path.read_text().replace("1", "2"), OLD + 5)
    elif change == "new module":
        write(project.root / "other.py", "x = 1\n")
    elif change == "params":
        text = (project.root / "jobs.yaml").read_text()
        (project.root / "jobs.yaml").write_text(text.replace("depth: 1", "depth: 2"))
        project = load_project(project.root / "jobs.yaml", project.root)
    elif change == "broken cache":
        cache.write_text(json.dumps({"absent": 5}))
    else:
        cache.unlink()
    assert read_stages_again(project)[0] == read_stages(project).prints
    assert len(reads) == 2


def test_file_that_has_just_been_written_is_not_relied_on(project: ProjectSpec, reads: list[ProjectSpec]) -> None:
    os.utime(module(project))
    read_stages_again(project)
    read_stages_again(project)
    assert len(reads) == 2


def test_cache_is_private_and_bounded(
    project: ProjectSpec, reads: list[ProjectSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "KEPT", 2)
    for number in range(4):
        text = (project.root / "jobs.yaml").read_text().replace(f"depth: {number}", f"depth: {number + 1}")
        (project.root / "jobs.yaml").write_text(text)
        read_stages_again(load_project(project.root / "jobs.yaml", project.root))
    left = list((project.root.parent / "cache" / "rivus" / "code").iterdir())
    assert len(left) == 2
    assert {path.stat().st_mode & 0o777 for path in left} == {0o600}
