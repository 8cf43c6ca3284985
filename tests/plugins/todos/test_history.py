from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from engine.contracts.errors import UseError
from plugins.todos.history import history_rows


def git(folder: Path, *args: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *args],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def commit(folder: Path, **files: str | None) -> None:
    for name, text in files.items():
        path = folder / f"{name}.md"
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")


def test_each_revision_is_matched_with_the_one_before(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, TODO="- [ ] Dig a pond\n- [ ] Paint the fence\n")
    commit(tmp_path, README="nothing of it\n")
    commit(tmp_path, TODO="- [x] Dig a pond\n- [ ] Paint the garden fence\n- [ ] Mow\n")
    commit(tmp_path, TODO=None, TODOs="- [x] Dig a pond\n- [ ] Paint the garden fence\n- [ ] Mow\n")
    (tmp_path / "TODO.md").symlink_to("/etc/passwd")
    commit(tmp_path, TODOs="- [ ] Mow\n")
    rows = list(history_rows(tmp_path))
    counted = [tuple(row[name] for name in ("kept", "edited", "ticked", "new", "gone", "open")) for row in rows]
    assert counted == [(0, 0, 0, 2, 0, 2), (1, 1, 1, 1, 0, 2), (3, 0, 0, 0, 0, 2), (1, 0, 0, 0, 2, 1)]
    assert [edit["new"] for edit in rows[1]["edits"]] == ["Paint the garden fence"]


def test_no_name_of_a_file_passes_for_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for name in ("\x01todo.md", "\x01TODO\n", "todo\n1 2.md"):
        (tmp_path / name).write_text("- [ ] Dig a pond\n")
    commit(tmp_path, TODO="- [ ] Mow\n")
    (row,) = history_rows(tmp_path)
    assert row["new"] == row["open"]
    assert row["open"] >= 1


def test_where_there_is_no_history_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UseError, match="not a git repository"):
        list(history_rows(tmp_path))
