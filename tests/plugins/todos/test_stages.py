"""The stages `context` and `brief` on real repositories."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plugins.todos import brief, context
from plugins.todos.context import blame, days, snippet
from plugins.todos.mentions import terms_of
from tests.plugins.todos.contexts import PlainContext, PlainItem


def git(folder: Path, *args: str, date: str = "2026-01-01T00:00:00Z") -> None:
    subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *args],
        cwd=folder,
        check=True,
        capture_output=True,
        env={
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.invalid",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.invalid",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        },
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "TODO.md").write_text(
        "# Pump\n\n- [ ] Retry `open_valve` when the valve is stuck\n- [ ] Log a stuck valve\n"
    )
    (root / "src" / "valve.py").write_text("import time\n\n\ndef open_valve(pin):\n    return pin\n")
    (root / "src" / "other.py").write_text("print('nothing')\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Plan the pump")
    return root


def ctx(root: Path, tmp_path: Path, line: int = 3, **item: Any) -> PlainContext:
    folder = tmp_path / "artifacts"
    folder.mkdir(exist_ok=True)
    text = "Retry `open_valve` when the valve is stuck"
    values = {"title": text, "path": "TODO.md", "line": line, "data": {"text": text, "raw": f"[ ] {text}"}, **item}
    return PlainContext(root=root, artifact_dir=folder, item=PlainItem(**values))


def facts(output: Any) -> dict[str, str]:
    return dict(output["facts"])


def test_context_tells_age_author_and_commit(project: Path, tmp_path: Path) -> None:
    output = context.handle(ctx(project, tmp_path)).output
    told = facts(output)
    assert told["author"] == "Ada"
    assert told["commit"].endswith("Plan the pump")
    assert told["age"].endswith("days")
    assert output["age_days"] > 300
    assert output["snippet"]["start"] == 1
    assert output["snippet"]["lines"][output["snippet"]["here"] - 1].startswith("- [ ] Retry")
    json.dumps(output)


def test_context_finds_a_line_that_moved_since_the_scan(project: Path, tmp_path: Path) -> None:
    todo = project / "TODO.md"
    todo.write_text("new first line\n\n" + todo.read_text())
    output = context.handle(ctx(project, tmp_path)).output
    assert output["snippet"]["here"] == 5


def test_context_of_a_text_that_stands_twice_takes_the_nearest(project: Path, tmp_path: Path) -> None:
    (project / "TODO.md").write_text("- [ ] Oil\n" + "- [ ] Turn\n" * 9 + "- [ ] Oil\n")
    for line, here in ((2, 1), (10, 11)):
        output = context.handle(ctx(project, tmp_path, title="Oil", line=line, data={"text": "Oil"})).output
        assert output["snippet"]["here"] == here


def test_context_of_an_uncommitted_line_says_so(project: Path, tmp_path: Path) -> None:
    (project / "TODO.md").write_text("- [ ] Fresh\n")
    output = context.handle(ctx(project, tmp_path, title="Fresh", line=1, data={"text": "Fresh"})).output
    assert facts(output)["age"] == "not committed yet"
    assert output["age_days"] is None


def test_context_without_git_says_so(tmp_path: Path) -> None:
    (tmp_path / "TODO.md").write_text("- [ ] Fresh\n")
    output = context.handle(ctx(tmp_path, tmp_path, title="Fresh", line=1, data={"text": "Fresh"})).output
    assert facts(output)["age"] == "unknown: not in a git repository"
    assert output["snippet"]["here"] == 1


def test_context_of_a_file_that_is_gone_is_a_fact(project: Path, tmp_path: Path) -> None:
    (project / "TODO.md").unlink()
    assert "no such file" in facts(context.handle(ctx(project, tmp_path)).output)["place"]


def test_context_of_an_item_that_left_the_file_says_so(project: Path, tmp_path: Path) -> None:
    output = context.handle(ctx(project, tmp_path, title="Paint", data={"text": "Paint"})).output
    assert "not in the file any more" in facts(output)["age"]
    assert "snippet" not in output


def test_blame_does_not_run_the_repository_hooks(project: Path) -> None:
    commit, problem = blame(project, "TODO.md", 3)
    assert problem is None
    assert commit is not None
    assert commit.author == "Ada"


def test_snippet_keeps_indentation_and_shows_controls() -> None:
    shown = snippet("- a\n  - b\x1b[2J\n", "TODO.md", 2, 2)
    assert shown["lines"][:2] == ["- a", "  - b␛[2J"]


@pytest.mark.parametrize(("span", "words"), [(0, "less than a day"), (86_400_000, "1 day"), (86_400_000 * 9, "9 days")])
def test_spans_are_told_in_days(span: int, words: str) -> None:
    assert days(span) == words


def test_terms_are_code_first_then_rare_words() -> None:
    terms = [term.text for term in terms_of("Retry `open_valve()` in pump.py when the valve is stuck")]
    assert terms[:2] == ["open_valve", "pump.py"]
    assert set(terms[2:]) == {"stuck", "valve", "pump"}


def test_brief_names_the_file_and_line_that_matter(project: Path, tmp_path: Path) -> None:
    given = ctx(project, tmp_path)
    done = brief.handle(given)
    first = done.output["files"][0]
    assert first["path"] == "src/valve.py"
    assert [4, "def open_valve(pin):"] in first["lines"]
    assert done.output["summary"].startswith("see src/valve.py:4")
    assert [other["text"] for other in done.output["related"]] == ["Log a stuck valve"]
    text = (given.artifact_dir / "brief.md").read_text()
    assert "def open_valve(pin):" in text
    assert [path.name for path in given.artifact_dir.iterdir()] == ["brief.md"]
    assert done.artifacts[0].type == "text/markdown"
    json.dumps(done.output)


def test_brief_is_the_same_for_the_same_files(project: Path, tmp_path: Path) -> None:
    given = ctx(project, tmp_path)
    first, text = brief.handle(given).output, (given.artifact_dir / "brief.md").read_text()
    assert brief.handle(given).output == first
    assert (given.artifact_dir / "brief.md").read_text() == text


def test_brief_without_git_walks_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "TODO.md").write_text("- [ ] Retry `open_valve` when the valve is stuck\n")
    (root / "valve.py").write_text("def open_valve():\n    pass\n")
    (root / "image.bin").write_bytes(b"\0open_valve")
    assert [file["path"] for file in brief.handle(ctx(root, tmp_path, line=1)).output["files"]] == ["valve.py"]


def test_brief_with_nothing_to_find_still_says_so(project: Path, tmp_path: Path) -> None:
    done = brief.handle(ctx(project, tmp_path, title="Zymurgy", data={"raw": "Zymurgy"}))
    assert done.output["files"] == []
    assert done.output["summary"].startswith("no file mentions it")


def test_hostile_text_stays_text(project: Path, tmp_path: Path) -> None:
    title = "--output=/tmp/x `$(touch pwned)` [red]x[/] ``` <script> \x1b[2J -e valve"
    given = ctx(project, tmp_path, title=title, data={"raw": title})
    brief.handle(given)
    text = (given.artifact_dir / "brief.md").read_text()
    assert "\x1b" not in text
    assert "\\<script\\>" in text
    assert not (project / "pwned").exists()
