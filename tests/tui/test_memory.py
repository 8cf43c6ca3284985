"""What the room remembers of a project, and views that a person saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from rivus_tui.memory import Memory, View, recall
from tests.tui.story import open_room


async def test_room_opens_as_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "ui.json"
    async with open_room(None, "2", "slash", *"cache", "enter", "s", memory=recall(path)) as story:
        story.clock.advance(1)
        await story.press("3", "comma")  # the third order; the next scope
    told = recall(path)
    assert (told.mode, told.scope, told.lists["items"].filter, told.lists["items"].sort) == (
        "items", "external", "cache", "priority",
    )  # fmt: skip
    async with open_room(None, memory=told) as story:
        assert "[2 Items]" in story.text()
        assert "[External]" in story.text()
        assert "/ cache" in story.text()
        await story.press("1")
        assert "[1 Jobs]" in story.text()


async def test_saved_view_is_found_in_the_palette() -> None:
    memory = Memory()
    async with open_room(
        None, "2", "slash", *"state:failed", "enter", "W", *"broken docs", "enter", memory=memory
    ) as story:
        assert memory.views["broken docs"].filter == "state:failed"
        await story.press("escape", "1", "ctrl+p", *"broken", "enter")
        assert "[2 Items]" in story.text()
        assert "/ state:failed" in story.text()
        assert "1 of 17" in story.text()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1}', '{"version": 1, "mode": "x", "lists": 3}', "\0"])
def test_damaged_memory_is_put_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ui.json"
    path.write_text(text)
    told = recall(path)
    assert (told.mode, told.views) == ("", {})
    assert path.with_suffix(".bad").exists()
    assert "ui.bad" in told.problem


def test_memory_of_another_version_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "ui.json"
    path.write_text('{"version": 99}')
    assert recall(path) == Memory(path=path)


def test_views_are_kept_up_to_a_number(tmp_path: Path) -> None:
    memory = Memory(path=tmp_path / "ui.json")
    for number in range(60):
        memory.save_view(f"view {number}", View(mode="items", filter=str(number)))
    assert list(recall(tmp_path / "ui.json").views) == [f"view {number}" for number in range(10, 60)]
