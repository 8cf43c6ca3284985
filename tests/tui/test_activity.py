"""The control room tells when somebody is there, so that work can wait until nobody is."""

from __future__ import annotations

from tests.tui.story import open_room


async def test_a_key_is_noted_and_those_right_after_it_are_not() -> None:
    async with open_room(None) as story:
        noted: list[int] = []
        story.app._active = lambda: noted.append(1)
        await story.press("j")
        await story.press("k", "j")
        assert noted == [1]
