"""The checks beside doc-health: conventions, TODO comments, hot files, notes, and the jobs themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.health import JobHealth
from engine.contracts.item import Candidate
from engine.kit.clock import SystemClock
from engine.kit.trial import TrialDiscovery
from plugins.checks import code_scrutiny, convention_scan, jobs_health, learning_health, todo_scan
from tests.plugins.checks.conftest import Project

HOUR = 3_600_000


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.git("init", "-q")
    return project


async def run(check: Any, root: Path, **params: Any) -> tuple[list[Candidate], TrialDiscovery]:
    ctx = TrialDiscovery(root=root, params=params)
    found = [candidate async for candidate in check.discover(ctx)]
    assert len({one.key for one in found}) == len(found)
    return found, ctx


def told(found: list[Candidate]) -> list[tuple[str, str | None, int | None]]:
    return [(one.data["rule"], one.path, one.line) for one in found]


async def test_banned_patterns_and_ruff_are_found_and_stay_the_same_when_lines_move(project: Project) -> None:
    code = "import os\n\nprint('hello')  # noqa\n# TODO: later\n"
    project.write({"a.py": code, "b.txt": "print()\n", "ignored.py": "print()\n", ".gitignore": "ignored.py\n"})
    banned = [{"name": "no-print", "pattern": r"\bprint\(", "why": "log instead", "files": ["*.py"]}]
    found, ctx = await run(convention_scan, project.root, banned=banned, ruff=["FIX"])
    assert told(found) == [("no-print", "a.py", 3), ("FIX002", "a.py", 4)]
    assert ctx.complete
    assert "log instead" in found[0].title
    project.write({"a.py": "\n\n" + code})
    again, _ = await run(convention_scan, project.root, banned=banned, ruff=["FIX"])
    assert [one.key for one in again] == [one.key for one in found]
    assert [one.line for one in again] == [5, 6]


async def test_all_findings_of_a_rule_in_a_file_can_be_one_item_that_lasts_until_the_last_is_gone(
    project: Project,
) -> None:
    code = "print(1)\nx = 2\nprint(3)\nprint(4)\n"
    project.write({"a.py": code, "b.py": "print(1)\n"})
    params: dict[str, Any] = {"banned": [{"name": "no-print", "pattern": "print"}], "ruff": [], "group": True}
    found, _ = await run(convention_scan, project.root, **params)
    assert told(found) == [("no-print", "a.py", 1), ("no-print", "b.py", 1)]
    assert found[0].title == "a.py has `print(1)`: the project bans it; 2 more of no-print in this file"
    assert (found[0].data["count"], [each["line"] for each in found[0].data["places"]]) == (3, [1, 3, 4])
    assert "\nline 3: print(3)\n" in found[0].data["text"]
    assert "count" not in found[1].data
    project.write({"a.py": "x = 2\nprint(4)\n"})
    fewer, _ = await run(convention_scan, project.root, **params)
    assert [one.key for one in fewer] == [one.key for one in found]
    assert fewer[0].title == "a.py has `print(4)`: the project bans it"


@pytest.mark.parametrize("banned", [[{"pattern": "("}], [{"why": "x"}], "print"])
async def test_a_pattern_that_is_none_is_an_error_and_not_no_findings(project: Project, banned: object) -> None:
    with pytest.raises(convention_scan.BadParam):
        await run(convention_scan, project.root, banned=banned)


async def test_todo_comments_are_findings(project: Project) -> None:
    project.write(
        {"a.py": 's = "# TODO: no"\nx = 1  # FIXME(ann): mend\n', "b.go": "// TODO: close it\n// at the end\n"}
    )
    found, ctx = await run(todo_scan, project.root)
    assert told(found) == [("fixme", "a.py", 2), ("todo", "b.go", 1)]
    assert "close it at the end" in found[1].title
    assert ctx.complete
    only, _ = await run(todo_scan, project.root, tags=["fixme"])
    assert told(only) == [("fixme", "a.py", 2)]


async def test_hot_files_are_those_that_change_often_and_are_large(project: Project) -> None:
    for number in range(5):
        project.write(
            {"hot.py": "x = 1\n" * 900 + f"# TODO: {number}\n", "cold.py": "y = 1\n", "note.md": f"{number}\n"}
        )
        project.commit()
    found, ctx = await run(code_scrutiny, project.root, least=10)
    assert told(found) == [("hot", "hot.py", 1)]
    assert "5 commits in 180 days, 902 lines, 1 TODO" in found[0].title
    assert ctx.complete
    assert (await run(code_scrutiny, project.root, least=10, targets=["src/*"]))[0] == []


async def test_scrutiny_without_git_is_no_complete_run(tmp_path: Path) -> None:
    _, ctx = await run(code_scrutiny, tmp_path)
    assert not ctx.complete


NOTE = "# {title}\n\n- Always close the file that you have opened, whatever happens in between.\n"


async def test_notes_that_are_stale_double_or_contradict_each_other(project: Project) -> None:
    project.write(
        {
            "notes/a.md": "---\nreviewed: 2019-01-02\n---\n"
            + NOTE.format(title="Files")
            + "See [the style guide](s.md).\n",
            "notes/b.md": "# Other\n\n- Always close the file you have opened, whatever happens in between!\n"
            "- Follow [the style guide](../style.md).\n",
            "notes/c.md": "---\nstatus: superseded\n---\n# Old way\n",
            "notes/d.md": "# Rests\n\nAs in [the old way of it](c.md).\n",
            "notes/e.md": "---\nsupersedes: f.md\n---\n# E note\n",
            "notes/f.md": "---\nsupersedes: e.md\n---\n# F note\n",
            "elsewhere.md": NOTE.format(title="Files"),
        }
    )
    found, ctx = await run(learning_health, project.root)
    assert {(rule, path) for rule, path, _ in told(found)} == {
        ("stale", "notes/a.md"),
        ("duplicate", "notes/b.md"),
        ("contradiction", "notes/b.md"),
        ("contradiction", "notes/d.md"),
        ("contradiction", "notes/f.md"),
    }
    assert ctx.complete
    assert ctx.scopes[0][0][0] == "notes"


def test_a_file_that_is_called_like_what_marks_a_commit_is_a_file(project: Project) -> None:
    names = {"notes/a.md", "notes/\x01b.md", "\x01c", "notes/\n/1.md"}
    project.write(dict.fromkeys(names, "text\n"))
    project.git("add", "-A")
    project.git("commit", "-qm", "notes")
    assert set(learning_health.last_changes(project.root, ["."])) == names


def job(**changes: Any) -> JobHealth:
    return replace(
        JobHealth(
            job="docs", state="active", why=None, guard=None, paused_at=None, failed=0, running_since=None,
            ready_since=None, failed_runs=0, run_error=None, stale=0, stale_since=None, flapping=(),
        ),
        **changes,
    )  # fmt: skip


NOW = SystemClock().now()
TROUBLES: dict[str, Callable[[], JobHealth]] = {
    "broken": lambda: job(state="broken", why="no module"),
    "over-budget": lambda: job(state="paused", guard="daily_cost", paused_at=NOW),
    "paused": lambda: job(state="paused", guard="error_rate", paused_at=NOW - 30 * HOUR),
    "stuck": lambda: job(ready_since=NOW - 25 * HOUR),
    "failing": lambda: job(failed=20),
    "stale": lambda: job(stale=3, stale_since=NOW - 8 * 24 * HOUR),
    "flapping": lambda: job(flapping=(("k", "a.md links nowhere", 3),)),
}


@pytest.mark.parametrize("rule", TROUBLES)
async def test_each_trouble_of_a_job_is_one_finding(tmp_path: Path, rule: str) -> None:
    ctx = TrialDiscovery(root=tmp_path, job="jobs-health", of_jobs=[job(job="fine"), TROUBLES[rule]()])
    (found,) = [candidate async for candidate in jobs_health.discover(ctx)]
    assert (found.data["rule"], found.path) == (rule, "jobs/docs")


async def test_what_is_meant_to_be_is_no_trouble(tmp_path: Path) -> None:
    fine = [
        job(state="paused", why="a person said so", paused_at=NOW - 900 * HOUR, ready_since=NOW - 900 * HOUR),
        job(ready_since=NOW - HOUR, running_since=NOW - HOUR, failed=1, failed_runs=1, stale=2, stale_since=NOW),
    ]
    ctx = TrialDiscovery(root=tmp_path, job="jobs-health", of_jobs=fine)
    assert [candidate async for candidate in jobs_health.discover(ctx)] == []
    assert ctx.complete
