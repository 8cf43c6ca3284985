"""Resources: who holds what, and who waits for it in which order."""

from __future__ import annotations

from dataclasses import replace

from tests.tui.rows import sample
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


async def test_limit_is_changed_in_place_and_dropped_by_a_key() -> None:
    rows = sample()
    async with open_room(rows, "8", "c", size=(100, 30)) as story:
        assert "Change disk" in story.text()
        await story.press(*"5", "enter")
        assert story.commands == [("adjust", {"kind": "resource", "name": "disk", "value": "5"})]
        await story.press("C")
        assert story.toasts[-1] == "As written: it is as jobs.yaml says"
        rows.limits[0] = replace(rows.limits[0], instead_of="2")
        await story.press("ctrl+r")
        assert "! disk" in story.text()
        assert "set by hand, jobs.yaml says 2; C drops it" in story.text()
        await story.press("C")
        assert story.commands[-1] == ("adjust", {"kind": "resource", "name": "disk"})
