"""`:` goes to what a text names, `!` shows again what was said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rivus_tui.memory import Memory, View
from tests.tui.rows import HOUR, NOW
from tests.tui.stale_rows import with_stale
from tests.tui.story import Story, open_room

PLACES = {
    "stale": "[5 Stale]",
    "7": "[7 Costs]",
    "docs": "/ job:docs",
    "state:failed job:docs": "/ state:failed job:docs",
    "docs/guide/install.md": "[Output]",
    "TODO.md:12": "rename cfg to settings",
    "retry logic": "[Output]",
    "19be": "/ docs.outline",
    "mine": "/ prio:<=1",
}
"""What is typed, and what is shown then."""


async def typed(story: Story, text: str) -> None:
    """Type into what is open, and Enter."""
    for sign in text:
        await story.press("space" if sign == " " else sign)
    await story.press("enter")


@pytest.mark.parametrize("name", PLACES)
async def test_colon_goes_to_what_is_named(name: str) -> None:
    memory = Memory(views={"mine": View(mode="items", filter="prio:<=1")})
    async with open_room(with_stale(), "colon", memory=memory) as story:
        await typed(story, name)
        await story.pilot.pause()
        assert PLACES[name] in story.text()


async def test_name_that_nothing_has_is_said() -> None:
    async with open_room(None, "colon", *"zzz", "enter") as story:
        assert "nothing here is called zzz" in story.text()
        await story.press("ctrl+u", *"items", "enter")
        assert "[2 Items]" in story.text()


async def test_what_was_said_is_kept_and_counted() -> None:
    async with open_room(None, "2", "slash", *"cache", "enter", "a", "a", "x", "exclamation_mark") as story:
        text = story.text()
        assert "Accept: it waits for nobody (2 times)" in text
        assert text.index("Cancel: it is done already") < text.index("Accept: it waits")
        await story.press("escape")
        assert "Said in this room" not in story.text()


async def test_room_opens_with_nothing_said() -> None:
    rows = with_stale()
    rows.status = replace(rows.status, problem=None)
    async with open_room(rows, "exclamation_mark") as story:
        assert "Nothing was said yet." in story.text()
        assert story.clock.now() < NOW + HOUR
