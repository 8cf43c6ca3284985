from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from engine.config.find import builtin_config, find_config, project_root


def test_file_in_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").touch()
    assert find_config(tmp_path) == tmp_path / "jobs.yaml"


def test_nearest_file_above_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "jobs.yaml").touch()
    (tmp_path / "a" / "jobs.yaml").touch()
    assert find_config(deep) == tmp_path / "a" / "jobs.yaml"


def test_search_ends_below_the_folder_of_home_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "me"
    (home / "project").mkdir(parents=True)
    (tmp_path / "home" / "jobs.yaml").touch()
    monkeypatch.setenv("HOME", str(home))
    assert find_config(home / "project") is None
    (home / "jobs.yaml").touch()
    assert find_config(home / "project") == home / "jobs.yaml"


def test_nothing_is_found_where_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert find_config(tmp_path / "me") is None


def test_folder_of_that_name_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").touch()
    (tmp_path / "a" / "jobs.yaml").mkdir(parents=True)
    assert find_config(tmp_path / "a") == tmp_path / "jobs.yaml"


def test_broken_link_is_found_so_that_reading_can_say_so(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").symlink_to("nowhere")
    assert find_config(tmp_path) == tmp_path / "jobs.yaml"


def test_relative_start_gives_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobs.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert find_config(Path()) == tmp_path / "jobs.yaml"


def test_root_is_the_top_of_the_work_tree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    deep = tmp_path / "a b"
    deep.mkdir()
    assert project_root(deep) == tmp_path.resolve()


def test_root_without_git_is_the_folder_itself(tmp_path: Path) -> None:
    assert project_root(tmp_path) == tmp_path


def test_builtin_jobs_are_installed() -> None:
    assert builtin_config().is_file()
