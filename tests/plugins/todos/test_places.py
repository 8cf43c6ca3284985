from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine.contracts.errors import UseError
from plugins.todos.commands import match_files, scan_rows
from plugins.todos.items import TodoItem
from plugins.todos.places import is_todo_file, scan_folder, todo_files


@pytest.mark.parametrize(
    "path",
    [
        "TODO.md",
        "todo.md",
        "TODOs.md",
        "docs/TODO.md",
        "TODO-later.md",
        "TODO_v2.md",
        "release.todo.md",
        "ToDo.markdown",
    ],
)
def test_todo_files_are_known_by_name(path: str) -> None:
    assert is_todo_file(path)


@pytest.mark.parametrize(
    "path", ["README.md", "ROADMAP.md", "todo.txt", "mastodon.md", "node_modules/x/TODO.md", "custodo.md"]
)
def test_other_files_are_not(path: str) -> None:
    assert not is_todo_file(path)


def test_ignored_files_are_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("build/\n")
    for folder in ("build", "docs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "TODO.md").write_text("- [ ] Dig\n")
    assert todo_files(tmp_path) == (["docs/TODO.md"], [])


def test_folder_outside_git_is_walked(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "TODO.md").write_text("- [ ] Dig\n")
    assert [found.file for found in scan_folder(tmp_path)] == ["a/TODO.md"]


def test_unreadable_file_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "TODO.md").write_bytes(b"- [ ] a\0b\n")
    (tmp_path / "TODO2.md").write_text("- [ ] Dig\n")
    os.mkfifo(tmp_path / "TODO3.md")
    rows = list(scan_rows(tmp_path))
    assert [(row["file"], row.get("problem"), row.get("text")) for row in rows] == [
        ("TODO.md", "a binary file", None),
        ("TODO2.md", None, "Dig"),
        ("TODO3.md", "not a regular file", None),
    ]


def test_links_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("- [ ] Dig\n")
    (tmp_path / "TODO.md").symlink_to("plan.md")
    assert list(scan_folder(tmp_path)) == []


def test_bytes_that_are_not_utf8_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "TODO.md").write_bytes(b"\xef\xbb\xbf- [ ] caf\xe9\r\n- [x] bar\r\n")
    assert [item.text for item in scan_folder(tmp_path) if isinstance(item, TodoItem)] == ["caf\ufffd", "bar"]


def test_row_has_the_documented_fields(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text("# Yard\n- [ ] Dig !high\n  - [x] a hole\n")
    assert list(scan_rows(path)) == [
        {
            "file": str(path),
            "line": 2,
            "end_line": 3,
            "text": "Dig !high",
            "state": "open",
            "kind": "checkbox",
            "parent_line": None,
            "headings": ("Yard",),
            "priority": 1,
            "confidence": "high",
        },
        {
            "file": str(path),
            "line": 3,
            "end_line": 3,
            "text": "a hole",
            "state": "done",
            "kind": "checkbox",
            "parent_line": 2,
            "headings": ("Yard",),
            "priority": None,
            "confidence": "high",
        },
    ]


def test_missing_path_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UseError, match="no such file or folder"):
        list(scan_rows(tmp_path / "none"))
    with pytest.raises(UseError, match="no such file"):
        match_files(tmp_path / "none.md", tmp_path / "none.md")


def test_match_says_what_became_of_each_line(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("- [ ] Dig\n- [ ] Plant\n- [ ] Mow\n")
    (tmp_path / "new.md").write_text("- [ ] Fence the yard\n- [x] Dig\n- [ ] Mow\n")
    assert match_files(tmp_path / "old.md", tmp_path / "new.md") == {
        "matches": [
            {"old_line": 1, "new_line": 2, "tier": "1", "score": 100.0},
            {"old_line": 3, "new_line": 3, "tier": "1", "score": 100.0},
        ],
        "new": [1],
        "gone": [2],
    }
