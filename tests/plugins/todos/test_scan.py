from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from engine.contracts.item import Candidate
from plugins.todos.scan import discover
from tests.plugins.todos.contexts import PlainDiscovery, known
from tests.speed import slowness


async def run(ctx: PlainDiscovery) -> list[Candidate]:
    return [candidate async for candidate in discover(ctx)]


async def scan(root: Path, before: list[Candidate] | None = None, state: str = "pending") -> list[Candidate]:
    return await run(PlainDiscovery(root=root, knows=[known(candidate, state) for candidate in before or []]))


async def test_open_items_are_found_with_place_and_priority(tmp_path: Path) -> None:
    (tmp_path / "TODO.md").write_text("# Yard\n- [ ] Dig P1\n- [x] Mow\n")
    ctx = PlainDiscovery(root=tmp_path)
    (item,) = await run(ctx)
    assert (item.key, item.title, item.path, item.line, item.headings, item.priority, item.confidence) == (
        "new1",
        "Dig P1",
        "TODO.md",
        2,
        ("Yard",),
        1,
        "high",
    )
    assert item.data["neighbours"] == [None, "Mow"]
    assert ctx.scopes == [(("TODO.md",), True)]


async def test_known_items_keep_their_keys(tmp_path: Path) -> None:
    todo = tmp_path / "TODO.md"
    todo.write_text("- [ ] Dig\n- [ ] Plant reeds around the pond\n")
    first = await scan(tmp_path)
    todo.write_text("# Yard\n\n- [ ] Plant many reeds around the pond\n- [ ] Dig\n- [ ] Fence\n")
    second = await scan(tmp_path, first)
    assert [(item.title, item.key) for item in second[:2]] == [
        ("Plant many reeds around the pond", "new2"),
        ("Dig", "new1"),
    ]
    assert second[2].title == "Fence"
    assert second[0].data["was"]["text"] == "Plant reeds around the pond"
    assert second[0].revision != first[1].revision


async def test_only_the_words_and_the_place_make_the_revision(tmp_path: Path) -> None:
    todo = tmp_path / "TODO.md"
    todo.write_text("- [ ] Dig\n")
    (first,) = await scan(tmp_path)
    todo.write_text("\n\n* [~] **Dig**\n")
    (second,) = await scan(tmp_path, [first])
    assert first.revision == second.revision


async def test_ticked_and_dropped_items_are_closed(tmp_path: Path) -> None:
    todo = tmp_path / "TODO.md"
    todo.write_text("- [ ] Dig\n- [ ] Mow\n")
    first = await scan(tmp_path)
    todo.write_text("- [x] Dig\n- [ ] ~~Mow~~\n- [x] Never seen open\n")
    second = await scan(tmp_path, first)
    assert [(item.key, item.closed, item.why) for item in second] == [
        ("new1", "done", "ticked off in TODO.md"),
        ("new2", "cancelled", "dropped in TODO.md"),
    ]


async def test_gone_item_comes_back_with_its_text_only(tmp_path: Path) -> None:
    todo = tmp_path / "TODO.md"
    todo.write_text("- [ ] Dig a pond in the yard\n")
    first = await scan(tmp_path)
    gone = [replace(first[0], key="old")]
    (again,) = await scan(tmp_path, gone, state="gone")
    assert again.key == "old"
    todo.write_text("- [ ] Dig a pond in the garden\n")
    (other,) = await scan(tmp_path, gone, state="gone")
    assert other.key == "new1"


async def test_child_names_its_parent_and_duplicates_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "TODO.md").write_text("- [ ] Yard\n  - [ ] Dig\n")
    (tmp_path / "a" / "TODO.md").write_text("- [ ] Dig.\n")
    parent, child, other = await scan(tmp_path)
    assert child.parent_key == parent.key
    assert child.data["parent"] == "Yard"
    assert child.data["duplicates"] == [{"path": "a/TODO.md", "line": 1, "text": "Dig."}]
    assert other.data["duplicates"] == [{"path": "TODO.md", "line": 2, "text": "Dig"}]


async def test_unreadable_file_makes_the_run_incomplete(tmp_path: Path) -> None:
    (tmp_path / "TODO.md").write_bytes(b"\0")
    (tmp_path / "TODO-b.md").write_text("- [ ] Dig\n")
    ctx = PlainDiscovery(root=tmp_path)
    assert len(await run(ctx)) == 1
    assert ctx.problems == [("a binary file", "TODO.md")]
    assert ctx.scopes == [(("TODO-b.md", "TODO.md"), False)]


async def test_missing_repository_makes_the_run_incomplete(tmp_path: Path) -> None:
    ctx = PlainDiscovery(root=tmp_path, repositories=(tmp_path / "none",))
    assert await run(ctx) == []
    assert ctx.problems == [("no such folder", "none")]
    assert ctx.scopes == [((), False)]


async def test_cancelled_run_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "TODO.md").write_text("- [ ] Dig\n")
    ctx = PlainDiscovery(root=tmp_path, cancelled=True)
    assert await run(ctx) == []
    assert ctx.scopes == [((), False)]


async def test_file_in_two_repositories_is_scanned_once(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "TODO.md").write_text("- [ ] Dig\n")
    ctx = PlainDiscovery(root=tmp_path, repositories=(tmp_path, inner))
    assert [item.path for item in await run(ctx)] == ["inner/TODO.md"]


async def test_thousand_items_are_scanned_in_two_seconds(tmp_path: Path) -> None:
    for number in range(100):
        folder = tmp_path / f"package{number}"
        folder.mkdir()
        lines = [f"- [ ] Task {each} of package {number}: write the {each}th part" for each in range(10)]
        (folder / "TODO.md").write_text("\n".join(lines))
    start = time.process_time()
    first = await scan(tmp_path)
    second = await scan(tmp_path, first)
    assert len(first) == 1000
    assert [item.key for item in second] == [item.key for item in first]
    assert time.process_time() - start < 4.0 * slowness()
