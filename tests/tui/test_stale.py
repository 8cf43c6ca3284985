"""Stale: by the symbol that changed, with the difference and the price; bless, reset with a question, revoke."""

from __future__ import annotations

import pytest

from engine.contracts.commands import CommandOutcome
from tests.tui.fakes import FakeEngine
from tests.tui.pictures import check_frame, check_svg
from tests.tui.stale_rows import stale, with_stale
from tests.tui.story import open_room

OUTLINE = ("5", "slash", *"outline", "enter")
TARGET = {"job": "docs", "stage": "outline", "version": "19be" * 8}


async def test_list_is_by_changed_symbol_and_then_by_stage() -> None:
    async with open_room(with_stale(), "5", size=(160, 30)) as story:
        lines = story.text().splitlines()
        found = [
            stage
            for line in lines
            for stage in ("feeds.fetch", "docs.outline", "docs.index")
            if stage in line.partition("│")[0]
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


async def test_marked_ones_are_blessed_at_once_and_one_undo_takes_all_back() -> None:
    async with open_room(with_stale(), "5", "space", "j", "space") as story:
        assert "2 marked" in story.text()
        await story.press("a")
        assert [args["stage"] for name, args in story.commands if name == "bless"] == ["fetch", "index"]
        assert "marked" not in story.text()
        await story.press("u")
        assert [args["operation"] for name, args in story.commands if name == "undo"] == [2, 1]


async def test_all_marked_are_kept_or_reset_after_a_question_with_the_sums() -> None:
    async with open_room(with_stale(), "5", "V", "a", size=(80, 30)) as story:
        for part in ("Keep 53 results?", "40 of feeds.fetch", "11 of docs.outline"):
            assert part in story.text()
        assert story.commands == []
        story.clock.advance(1)
        await story.press("escape", "x")
        for part in ("Reset 53 results?", "53 results of 3 stages", "$6.36", "Left today: $3.16 of $5.00"):
            assert part in story.text()
        assert "less than this costs" in story.text()
        story.clock.advance(1)
        await story.press("y")
        stages = [args["stage"] for name, args in story.commands if name == "reset"]
        assert stages[-1] == "outline"  # what depends on it was reset before it
        assert sorted(stages) == ["fetch", "index", "outline"]


async def test_what_is_left_today_stands_beside_the_price() -> None:
    async with open_room(with_stale(), *OUTLINE, size=(80, 30)) as story:
        assert "Left today  $3.16 of $5.00  enough" in story.text()


async def test_model_is_asked_once_its_price_was_shown() -> None:
    engine = FakeEngine(running=1)
    engine.effects["judge"] = lambda args: CommandOutcome(
        ok=True, message="docs.outline: semantic", data={"prices": {"small": 4_000, "deep": 90_000}}
    )
    async with open_room(with_stale(), *OUTLINE, "m", engine=engine, size=(80, 30)) as story:
        for part in ("Ask a model about docs.outline?", "small, for $0.0040 at most", "deep, for $0.09 at most"):
            assert part in story.text()
        story.clock.advance(1)
        await story.press("2")
        assert story.commands == [("judge", TARGET | {"price": True}), ("judge", TARGET | {"model": "deep"})]


async def test_without_a_model_that_is_said_and_nothing_is_asked() -> None:
    engine = FakeEngine(running=1)
    engine.effects["judge"] = lambda args: CommandOutcome(ok=False, message="no model is configured")
    async with open_room(with_stale(), *OUTLINE, "m", engine=engine) as story:
        assert any("no model is configured" in toast for toast in story.toasts)
        assert len(story.commands) == 1


async def test_white_space_can_be_left_out_of_the_difference() -> None:
    rows = with_stale()
    old, new = "def f(x):\n    y = 1\n    return y\n", "def f(x):\n    y  =  1\n    return 2\n"
    rows.stale[:] = [stale("docs", "outline", 11, change=("f", "plugins/texts.py:3", old, new), by="rule")]
    async with open_room(rows, "5", size=(80, 30)) as story:
        assert "+     y  =  1" in story.text()
        await story.press("i")
        assert "+     y  =  1" not in story.text()
        assert "+     return 2" in story.text()


async def test_what_was_kept_can_be_revoked_and_not_blessed_again() -> None:
    async with open_room(with_stale(), "5", "G", "a") as story:
        assert story.commands == []
        assert any("kept already" in toast for toast in story.toasts)
        await story.press("X")
        assert story.commands == [("revoke", {"judgement": 7})]


async def test_what_was_kept_shows_what_differs() -> None:
    async with open_room(with_stale(), "5", "G", size=(80, 30)) as story:
        for part in ("read  changed", '- log.info("read %s", key)', '+ log.info("has read %s", key)'):
            assert part in story.text()


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
