"""Stale: by the symbol that changed, with the difference and the price; bless, reset with a question, revoke."""

from __future__ import annotations

import pytest

from tests.tui.pictures import check_frame, check_svg
from tests.tui.stale_rows import stale, with_stale
from tests.tui.story import open_room

OUTLINE = ("5", "slash", *"outline", "enter")
TARGET = {"job": "docs", "stage": "outline", "version": "19be" * 8}


async def test_list_is_by_changed_symbol_and_then_by_stage() -> None:
    async with open_room(with_stale(), "5", size=(160, 30)) as story:
        lines = story.text().splitlines()
        found = [
            stage for line in lines for stage in ("feeds.fetch", "docs.outline", "docs.index") if stage in line[:70]
        ]
        assert found[:3] == ["feeds.fetch", "docs.outline", "docs.index"]
        assert "53 results stale" in story.text()


async def test_inspector_has_price_downstream_verdict_and_difference() -> None:
    async with open_room(with_stale(), *OUTLINE, size=(80, 44)) as story:
        text = story.text()
        for part in ("11 results", "$1.32", "index 11", "semantic", "- PROMPT =", "+ PROMPT ="):
            assert part in text


async def test_difference_is_shown_side_by_side_on_a_key() -> None:
    async with open_room(with_stale(), *OUTLINE, "d", size=(160, 44)) as story:
        assert any("3 bul" in line and "+ PROMPT" in line for line in story.text().splitlines())
        await story.press("d")
        assert not any("3 bul" in line and "+ PROMPT" in line for line in story.text().splitlines())


async def test_parts_of_a_difference_are_gone_to_by_key() -> None:
    rows = with_stale()
    text = "".join(f"line{n} = {n}\n" for n in range(60))
    changed = text.replace("line20 = 20", "line20 = 'twenty'").replace("line50 = 50", "line50 = 'fifty'")
    rows.stale[:] = [stale("docs", "outline", 11, change=("long", "plugins/texts.py:3", text, changed), by="rule")]
    async with open_room(rows, "5", size=(80, 24)) as story:
        assert "twenty" not in story.text()
        await story.press("right_square_bracket")
        assert "twenty" in story.text()
        await story.press("right_square_bracket")
        assert "fifty" in story.text()
        await story.press("left_square_bracket")
        assert "twenty" in story.text()


async def test_bless_is_about_the_version_under_the_cursor() -> None:
    async with open_room(with_stale(), *OUTLINE, "a") as story:
        assert story.commands == [("bless", TARGET)]


async def test_reset_asks_with_the_price_and_enter_is_no_answer() -> None:
    async with open_room(with_stale(), *OUTLINE, "x") as story:
        for part in ("Reset 11 results?", "$1.32", "11 of index"):
            assert part in story.text()
        await story.press("enter")
        assert story.commands == []
        await story.press("x")
        story.clock.advance(1)
        await story.press("s")
        assert story.commands == [("reset", TARGET | {"sample": 3})]


async def test_what_was_kept_can_be_revoked_and_not_blessed_again() -> None:
    async with open_room(with_stale(), "5", "G", "a") as story:
        assert story.commands == []
        assert any("kept already" in toast for toast in story.toasts)
        await story.press("X")
        assert story.commands == [("revoke", {"judgement": 7})]


async def test_nothing_stale_says_so() -> None:
    async with open_room(None, "5") as story:
        assert "Nothing is stale." in story.text()


async def test_unknown_code_is_said() -> None:
    async with open_room(with_stale(), "5", size=(80, 40)) as story:
        assert "There is no source to compare with" in story.text()


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)])
async def test_picture(size: tuple[int, int]) -> None:
    async with open_room(with_stale(), "5", "j", size=size) as story:
        assert "docs.outline" in story.text()
        check_frame(story.app, f"stale-{size[0]}x{size[1]}")


async def test_picture_for_readers() -> None:
    async with open_room(with_stale(), "5", "j", size=(120, 32)) as story:
        check_svg(story.app, "stale")
