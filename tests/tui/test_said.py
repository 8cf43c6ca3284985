"""What is said: one toast at a time, errors counted until somebody has read them, nothing twice."""

from __future__ import annotations

from dataclasses import replace

from engine.contracts.bulk import BulkView
from engine.contracts.commands import CommandOutcome
from tests.tui.fakes import FakeEngine
from tests.tui.rows import sample
from tests.tui.story import Story, open_room


def on_screen(story: Story) -> list[str]:
    """Toasts that are shown at this moment."""
    return [one.message for one in story.app._notifications]


async def test_an_error_stays_counted_until_it_was_read() -> None:
    engine = FakeEngine()
    engine.effects["pause"] = lambda _: CommandOutcome(ok=False, message="the disk is full")
    async with open_room(None, "p", engine=engine) as story:
        assert "!1" in story.text().splitlines()[0]
        story.app.clear_notifications()
        await story.press("p", "2")
        assert "!2" in story.text().splitlines()[0]
        await story.press("exclamation_mark")
        assert "the disk is full (2 times)" in story.text()
        await story.press("escape")
        assert "!" not in story.text().splitlines()[0]


async def test_a_toast_takes_the_place_of_the_one_before() -> None:
    async with open_room(None, "p", "u") as story:
        assert story.toasts == ["pause   u undo", "undo"]
        assert on_screen(story) == ["undo"]


async def test_an_undo_that_comes_too_late_is_said_once() -> None:
    rows = sample()
    view = BulkView(
        operation=1, name="retry", total=30, looked=30, changed=30, restored=0, state="undone",
        why="changed since", begun_at=1, ended_at=5,
    )  # fmt: skip
    rows.status = replace(rows.status, bulk=view)
    engine = FakeEngine()
    engine.effects["undo"] = lambda _: CommandOutcome(ok=False, message=view.said)
    async with open_room(rows, "2", "u", engine=engine, size=(100, 24)) as story:
        assert story.text().count("undid retry of 0 items; 30 not: changed since") == 1
        assert on_screen(story) == []
        assert story.toasts == [view.said]
