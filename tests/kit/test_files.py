from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine.kit.files import FileProblem, list_files, read_bytes, read_text
from engine.kit.git import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with a tracked, an untracked and an ignored file."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "sub").mkdir()
    for name in ("a.md", "sub/b ü.md", "c.log"):
        (tmp_path / name).write_text("x")
    subprocess.run(["git", "-C", str(tmp_path), "add", "a.md"], check=True)
    return tmp_path


def test_files_are_what_git_does_not_ignore(repository: Path) -> None:
    listing = list_files(repository)
    assert listing.files == (".gitignore", "a.md", "sub/b ü.md")
    assert (listing.by_git, listing.unreadable) == (True, 0)
    (repository / "a.md").unlink()
    assert "a.md" not in list_files(repository).files


def test_without_git_the_usual_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("a.md", "node_modules/x.js", ".venv/y.py", "sub/b.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / os.fsdecode(b"bad\xff")).write_text("x")
    listing = list_files(tmp_path)
    assert listing.files == ("a.md", "sub/b.md")
    assert (listing.by_git, listing.unreadable) == (False, 1)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../secret", "leaves the folder"),
        ("/etc/passwd", "leaves the folder"),
        ("", "leaves the folder"),
        ("link", "symbolic links"),
        ("linked/secret", "not a directory|symbolic links"),
        ("fifo", "not a regular file"),
        ("folder", "a folder|not a regular file"),
        ("nowhere", "no such file"),
        ("big", "larger than 10 bytes"),
        ("nul\0", "null"),
    ],
)
def test_what_is_no_plain_file_of_the_folder_is_not_read(tmp_path: Path, path: str, why: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    for secret in (tmp_path / "secret", outside / "secret"):
        secret.write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "linked").symlink_to(outside)
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    (root / "big").write_text("x" * 11)
    with pytest.raises(FileProblem, match=why):
        read_bytes(root, path, limit=10)


def test_text_is_read_whatever_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfhello")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "binary").write_bytes(b"a\0b")
    assert (read_text(tmp_path, "bom"), read_text(tmp_path, "latin")) == ("hello", "caf\ufffd")
    with pytest.raises(FileProblem, match="a binary file"):
        read_text(tmp_path, "binary")


def test_git_that_fails_is_told_and_not_raised(tmp_path: Path) -> None:
    result = git(tmp_path, "log")
    assert (result.ok, result.code) == (False, 128)
    assert "not a git repository" in result.error
    assert git(tmp_path / "nowhere", "log").code == 127
    assert (
        git(tmp_path, "hash-object", "--stdin", stdin=b"x").text.strip() == "c1b0730e0133447badcfd47fd144e254807b06e1"
    )


def test_repository_cannot_run_programs_of_its_own(repository: Path) -> None:
    ran = repository / "ran"
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(repository), "config", "core.fsmonitor", f"touch {ran}"], check=True)
    assert git(repository, "status").ok
    git(repository, "checkout", "-q", "-b", "other")
    assert not ran.exists()


def test_git_that_takes_too_long_is_ended(repository: Path) -> None:
    result = git(repository, "-c", "alias.wait=!sleep 60", "wait", timeout_s=0.1)
    assert (result.code, result.ok) == (124, False)
