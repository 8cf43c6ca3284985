"""The check as a whole: identity, order, coverage, data."""

from __future__ import annotations

import json
from pathlib import Path

from engine.kit.trial import TrialDiscovery
from plugins.checks.doc_health import discover
from tests.plugins.checks.conftest import Project

README = "# Boat\n\nIntro.\n\n## Start\n\nSee [the guide](docs/guide.md).\n"


async def test_finding_says_what_is_wrong_and_where(project: Project) -> None:
    project.write({"README.md": README})
    (one,), ctx = await project.check()
    assert one.title == "README.md links to docs/guide.md, which does not exist"
    assert (one.path, one.line, one.headings, one.confidence) == ("README.md", 7, ("Boat", "Start"), "high")
    assert {name: one.data[name] for name in ("check", "rule", "type", "path", "line", "evidence")} == {
        "check": "doc-health",
        "rule": "link",
        "type": "broken-link",
        "path": "README.md",
        "line": 7,
        "evidence": "docs/guide.md",
    }
    assert one.data["snippet"] == {
        "path": "README.md",
        "start": 5,
        "here": 7,
        "lines": ["## Start", "", "See [the guide](docs/guide.md)."],
    }
    assert ctx.scopes == [((".",), True)]
    json.dumps(one.data)


async def test_identity_survives_lines_that_move(project: Project) -> None:
    project.write({"README.md": README})
    (before,), _ = await project.check()
    project.write({"README.md": README.replace("Intro.", "Intro.\n\nMore.\n\nAnd more.")})
    (after,), _ = await project.check()
    assert after.line == 11
    assert after.key == before.key
    assert before.key.startswith("doc-health:")
    assert len(before.key) == len("doc-health:") + 16


async def test_equal_findings_in_one_file_are_two(project: Project) -> None:
    project.write({"README.md": "[a](gone.md)\n\n[b](gone.md)\n"})
    found, _ = await project.check()
    assert len({candidate.key for candidate in found}) == 2


async def test_order_is_by_path_and_line_and_repeats(project: Project) -> None:
    project.write({"b.md": "[x](2.md)\n[y](1.md)\n", "a.md": "[z](3.md)\n"})
    first, _ = await project.check()
    second, _ = await project.check()
    assert [(one.path, one.line) for one in first] == [("a.md", 1), ("b.md", 1), ("b.md", 2)]
    assert first == second


async def test_repaired_document_has_no_finding(project: Project) -> None:
    project.write({"README.md": README, "docs/guide.md": "# Guide\n"})
    assert await project.titles() == []


async def test_unreadable_file_is_a_problem_and_the_run_is_not_complete(project: Project) -> None:
    project.write({"README.md": README})
    (project.root / "broken.md").write_bytes(b"a\0b")
    found, ctx = await project.check()
    assert len(found) == 1
    assert ctx.problems == [("cannot be read: a binary file", "broken.md", None)]
    assert ctx.scopes == [((".",), False)]


async def test_symbolic_link_is_read_where_it_lies(project: Project) -> None:
    project.write({"AGENTS.md": "[x](gone.md)\n"})
    (project.root / "CLAUDE.md").symlink_to("AGENTS.md")
    assert await project.titles() == ["AGENTS.md links to gone.md, which does not exist"]


async def test_ignored_documents_and_targets_are_left_alone(project: Project) -> None:
    project.write({".gitignore": "out/\n", "out/a.md": "[x](gone.md)\n", "b.md": "[built](out/page.md)\n"})
    assert await project.titles() == []


async def test_repository_beside_the_root_has_its_path_from_the_root(project: Project, tmp_path: Path) -> None:
    project.write({"README.md": README})
    root = tmp_path / "main"
    root.mkdir()
    ctx = TrialDiscovery(root=root, repositories=(project.root,))
    (one,) = [candidate async for candidate in discover(ctx)]
    assert one.path == "../boat/README.md"
    assert ctx.scopes == [(("../boat",), True)]


async def test_missing_repository_is_a_problem(tmp_path: Path) -> None:
    ctx = TrialDiscovery(root=tmp_path, repositories=(tmp_path / "gone",))
    assert [candidate async for candidate in discover(ctx)] == []
    assert ctx.scopes == [(("gone",), False)]
    assert len(ctx.problems) == 1


async def test_cancelled_run_is_not_complete(project: Project) -> None:
    project.write({"README.md": README})
    ctx = TrialDiscovery(root=project.root, cancelled=True)
    assert [candidate async for candidate in discover(ctx)] == []
    assert ctx.scopes == [((".",), False)]


async def test_history_tells_when_the_target_went(project: Project) -> None:
    project.write({"README.md": README, "docs/guide.md": "# Guide\n"})
    project.commit()
    (project.root / "docs/guide.md").unlink()
    project.commit()
    (one,), _ = await project.check()
    assert dict(one.data["facts"])["Removed in"]


async def test_hostile_text_is_clean_in_a_finding(project: Project) -> None:
    project.write({"a\x1b[2J.md": "\x1b]0;x\x07 [x](go\u202ene.md)\n"})
    (one,), _ = await project.check()
    text = json.dumps([one.title, one.data["evidence"], one.data["facts"], one.data["snippet"]["lines"]])
    assert "\\u001b" not in text
    assert "\\u202e" not in text
