"""Resources: who holds what, and who waits for it in which order."""

from __future__ import annotations

from tests.tui.story import open_room


async def test_limits_say_what_is_held_and_when_the_next_is_free() -> None:
    async with open_room(None, "8", size=(100, 30)) as story:
        assert "2 of 2" in story.line("disk")
        assert "48s" in story.line("provider")
        assert "free" in story.line("feeds.fetch")
        assert "1 full" in story.text()


async def test_waiters_stand_in_the_order_of_their_turn() -> None:
    async with open_room(None, "8", "w", size=(100, 30)) as story:
        text = story.text()
        assert "Who waits for disk" in text
        assert text.index("docs/auth.md") < text.index("docs/tokens.md") < text.index("docs/limits.md")


async def test_enter_leads_to_the_items_that_hold_or_wait() -> None:
    async with open_room(None, "8", "enter") as story:
        assert "/ job:docs stage:read state:running,ready" in story.text()


async def test_scope_and_filter_narrow_the_list() -> None:
    async with open_room(None, "8", "slash", *"feeds", "enter") as story:
        assert "1 of 4" in story.text()
        await story.press("escape", "comma", "comma")
        assert "Nothing limits the work now." in story.text()
