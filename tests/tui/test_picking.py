"""Questions with many choices: each can be reached, what is shown has a key, and what is not shown is told of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.kit.clock import ManualClock
from rivus_tui.screens.dialog import Choice
from rivus_tui.screens.picking import Picking
from tests.tui.rows import NOW, Sample, sample
from tests.tui.story import Story, open_room


def asking(choices: Sequence[str], why: str = "Which one?") -> Sample:
    """Return rows in which the last item of triage asks with these choices."""
    rows = sample()
    key = next(key for key, one in rows.details.items() if any(stage.choices for stage in one.stages))
    one = rows.details[key]
    stages = [replace(stage, why=why, choices=tuple(choices)) if stage.choices else stage for stage in one.stages]
    rows.details[key] = replace(one, stages=tuple(stages))
    return rows


def shown(story: Story) -> dict[str, str]:
    """Return the choices on the screen by their key."""
    return dict(re.findall(r"│ +(\S)  (choice-\d+) +│", story.text()))


NAMES = [f"choice-{number}" for number in range(1, 41)]


@pytest.mark.parametrize("size", [(100, 60), (60, 16)])
async def test_every_choice_can_be_reached_and_given(size: tuple[int, int]) -> None:
    async with open_room(asking(NAMES), "3", "G", size=size) as story:
        await story.press("a")
        story.clock.advance(1)
        seen: list[str] = []
        while not seen or NAMES[-1] not in seen:
            page = shown(story)
            assert page, "a page without a choice"
            assert f"{len(seen) + 1} to {len(seen) + len(page)} of 40" in story.text()
            assert "not now" in story.text()
            seen += page.values()
            await story.press("pagedown")
        assert seen == NAMES
        await story.press("right_square_bracket", *list(shown(story))[-1:])
        assert story.commands == [("answer", {"job": "docs", "keys": ["docs/ref/errors.md"], "answer": NAMES[-1]})]


async def test_page_before_is_reached_too_and_its_keys_are_its_own() -> None:
    async with open_room(asking(NAMES), "3", "G", "a") as story:
        story.clock.advance(1)
        first = shown(story)
        await story.press("pagedown")
        assert set(shown(story)) == set(first)
        assert not set(shown(story).values()) & set(first.values())
        await story.press("pageup", "pageup")
        assert shown(story) == first
        await story.press("1")
        assert story.commands[-1][1]["answer"] == NAMES[0]


async def test_few_choices_stand_on_one_page() -> None:
    async with open_room(asking(NAMES[:12]), "3", "G", "a") as story:
        story.clock.advance(1)
        assert list(shown(story).values()) == NAMES[:12]
        assert " of 12" not in story.text()
        await story.press("pagedown", "pageup")
        assert list(shown(story).values()) == NAMES[:12]
        assert "o  in your own words" in story.text()


async def test_choices_before_come_back_when_all_have_room() -> None:
    async with open_room(asking(NAMES[:25]), "3", "G", "a", "pagedown") as story:
        assert NAMES[0] not in shown(story).values()
        await story.pilot.resize_terminal(100, 50)
        await story.press()
        assert list(shown(story).values()) == NAMES[:25]


async def test_question_that_fills_the_screen_can_be_scrolled_to_its_choices() -> None:
    async with open_room(asking(NAMES, "word " * 600), "3", "G", "a", size=(60, 16)) as story:
        story.clock.advance(1)
        assert not shown(story)
        await story.press(*["down"] * 20)
        assert list(shown(story).values()) == NAMES[:3]
        await story.press("pagedown", "2")
        assert story.commands[-1][1]["answer"] == NAMES[4]


async def test_keys_of_choices_are_free() -> None:
    async with open_room() as story:
        beside = (Choice(key="o", label="in other words", value="-"), Choice(key="n", label="not now", value=None))
        asked = Picking(ManualClock(NOW), "Which?", [("same", "a"), ("same", "b")] * 30, (), beside)
        story.app.push_screen(asked)
        await story.pilot.resize_terminal(80, 60)
        await story.press()
        keys = [choice.key for choice in asked.choices]
        assert len(keys) == len(set(keys)) == 34
        assert not {"q", "left_square_bracket"} & set(keys)
