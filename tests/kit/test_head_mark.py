"""HEAD is read without git: commits, branches, packed refs and worktrees change the mark."""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine.kit.git import head_mark


def git(folder: Path, *args: str) -> None:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *names, *args], cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> Path:
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def test_a_commit_changes_the_mark_and_nothing_else_does(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    before = head_mark(repo)
    (repo / "file").write_text("x")

    assert before is not None
    assert head_mark(repo) == before
    git(repo, "commit", "-q", "--allow-empty", "-m", "two")
    assert head_mark(repo) != before


def test_a_commit_after_packing_the_refs_is_seen(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    git(repo, "pack-refs", "--all")
    before = head_mark(repo)
    git(repo, "commit", "-q", "--allow-empty", "-m", "two")

    assert head_mark(repo) != before


def test_a_worktree_has_a_mark_of_its_own(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    repo = repository(main)
    git(repo, "worktree", "add", "-q", "-b", "side", "../side")
    side = tmp_path / "side"
    before, main_before = head_mark(side), head_mark(repo)
    git(side, "commit", "-q", "--allow-empty", "-m", "two")

    assert head_mark(side) != before
    assert head_mark(repo) == main_before


def test_a_folder_without_git_has_none(tmp_path: Path) -> None:
    assert head_mark(tmp_path) is None
