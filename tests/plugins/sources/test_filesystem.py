"""The filesystem source on real folders."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.item import Candidate
from engine.kit.trial import TrialDiscovery
from plugins.sources.filesystem import discover
from plugins.sources.globs import matcher


def write(root: Path, path: str, text: str = "text\n") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def repository_at(root: Path) -> None:
    subprocess.run(["git", "init", "-q", root], check=True)


async def found(root: Path, **params: Any) -> list[Candidate]:
    return [candidate async for candidate in discover(TrialDiscovery(root=root, params=params))]


async def keys(root: Path, **params: Any) -> list[str]:
    return [candidate.key for candidate in await found(root, **params)]


async def test_documents_are_found_in_order_and_nothing_else(tmp_path: Path) -> None:
    for path in ("b.md", "a/c.rst", "a/b/d.txt", "e.markdown", "f.py", "node_modules/x.md"):
        write(tmp_path, path)
    assert await keys(tmp_path) == ["a/b/d.txt", "a/c.rst", "b.md", "e.markdown"]


async def test_candidate_says_where_and_how_large(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "12345")
    (one,) = await found(tmp_path)
    assert (one.key, one.title, one.path) == ("docs/a.md", "docs/a.md", "docs/a.md")
    assert one.data == {"path": "docs/a.md", "size": 5}


async def test_revision_changes_with_the_content_and_only_then(tmp_path: Path) -> None:
    file = write(tmp_path, "a.md", "one")
    os.utime(file, ns=(1, 1_000))
    (first,) = await found(tmp_path)
    assert [first] == await found(tmp_path)
    file.write_text("two", encoding="utf-8")
    os.utime(file, ns=(1, 2_000))
    (second,) = await found(tmp_path)
    assert second.revision != first.revision
    assert second.data == first.data


async def test_run_covers_its_roots_completely(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md")
    ctx = TrialDiscovery(root=tmp_path, params={"roots": ["docs"]})
    assert [candidate.key async for candidate in discover(ctx)] == ["docs/a.md"]
    assert ctx.complete
    assert ctx.scopes == [(("docs",), True)]


async def test_ignored_files_are_no_items(tmp_path: Path) -> None:
    repository_at(tmp_path)
    write(tmp_path, ".gitignore", "secret/\n")
    write(tmp_path, "secret/a.md")
    write(tmp_path, "b.md")
    assert await keys(tmp_path) == ["b.md"]


async def test_links_are_neither_followed_nor_listed(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.md")
    root = tmp_path / "root"
    write(root, "a.md")
    (root / "b.md").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    assert await keys(root) == ["a.md"]


async def test_fifo_is_no_item_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.md")
    assert await keys(tmp_path) == []


async def test_overlapping_roots_give_a_file_once(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md")
    assert await keys(tmp_path, roots=[".", "docs"]) == ["docs/a.md"]


async def test_exclude_wins_and_max_bytes_leaves_out(tmp_path: Path) -> None:
    for path in ("a.md", "old/b.md", "CHANGELOG.md"):
        write(tmp_path, path)
    write(tmp_path, "large.md", "x" * 100)
    assert await keys(tmp_path, exclude=["old/", "CHANGELOG.md"], max_bytes=99) == ["a.md"]


async def test_cancelled_run_is_not_complete(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    ctx = TrialDiscovery(root=tmp_path, cancelled=True)
    assert [candidate async for candidate in discover(ctx)] == []
    assert ctx.scopes == [((".",), False)]


async def test_repository_outside_the_project_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "a.md")
    write(tmp_path, "other/b.md")
    ctx = TrialDiscovery(root=root, repositories=(tmp_path / "other", root))
    assert [candidate.key async for candidate in discover(ctx)] == ["a.md"]
    assert ctx.scopes == [((".",), False)]
    assert "outside" in ctx.problems[0][0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"roots": ["../x"]}, "outside the project"),
        ({"roots": ["missing"]}, "missing is not a folder"),
        ({"roots": []}, "roots is empty"),
        ({"roots": 3}, "roots must be"),
        ({"include": [1]}, "include must be"),
        ({"max_bytes": "2 MB"}, "max_bytes must be"),
        ({"max_bytes": True}, "max_bytes must be"),
    ],
)
async def test_wrong_param_is_named(tmp_path: Path, params: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        await found(tmp_path, **params)


async def test_root_behind_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ValueError, match="symbolic link"):
        await found(tmp_path, roots=["link"])


async def test_hostile_name_gives_a_clean_key_and_still_opens(tmp_path: Path) -> None:
    name = "a\x1b[2J  b.md"
    write(tmp_path, name)
    (one,) = await found(tmp_path)
    assert "\x1b" not in one.key + one.title
    assert (tmp_path / one.data["path"]).read_text(encoding="utf-8") == "text\n"


async def test_names_that_look_alike_after_cleaning_stay_apart(tmp_path: Path) -> None:
    write(tmp_path, "a  b.md")
    write(tmp_path, "a b.md")
    assert len(set(await keys(tmp_path))) == 2


async def test_long_path_has_a_key_within_the_limit(tmp_path: Path) -> None:
    write(tmp_path, "/".join(["x" * 200] * 4) + "/a.md")
    (one,) = await found(tmp_path)
    assert len(one.key) <= 512


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**/*.md", "a.md", True),
        ("**/*.md", "a/b/c.md", True),
        ("*.md", "a/b.md", True),
        ("docs/*.md", "docs/a/b.md", False),
        ("docs/**", "docs/a/b.md", True),
        ("docs", "docs/a/b.md", True),
        ("docs/", "docs", False),
        ("a/**/b.md", "a/b.md", True),
        ("a/**/b.md", "a/x/y/b.md", True),
        ("[ab].md", "b.md", True),
        ("[!ab].md", "b.md", False),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False),
        ("a.md", "axmd", False),
        ("a[.md", "a[.md", True),
    ],
)
def test_pattern(pattern: str, path: str, matches: bool) -> None:
    assert bool(matcher([pattern]).fullmatch(path)) is matches


def test_no_pattern_matches_nothing() -> None:
    assert not matcher([]).fullmatch("a")
