"""What happens between a key and its answer: the rows move, the person goes on, another key comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import StateError
from tests.tui.fakes import FakeEngine
from tests.tui.rows import detail, item, sample
from tests.tui.stale_rows import with_stale
from tests.tui.story import Story, open_room


class SlowEngine(FakeEngine):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def command(self, name: str, args: Mapping[str, Any]) -> CommandOutcome:
        outcome = await super().command(name, args)
        await self.may_answer.wait()
        return outcome


async def answered(story: Story) -> None:
    """Let the engine answer, and wait until it is on the screen."""
    assert isinstance(story.engine, SlowEngine)
    story.engine.may_answer.set()
    await story.press()


async def test_two_undos_in_a_row_take_back_two_deeds() -> None:
    engine = SlowEngine()
    done: set[int] = set()

    def undo(args: Mapping[str, Any]) -> CommandOutcome:
        number = args["operation"]
        if number in done:
            return CommandOutcome(ok=False, message="it is taken back already")
        done.add(number)
        return CommandOutcome(ok=True, message=f"took back {number}")

    engine.effects["undo"] = undo
    engine.may_answer.set()
    async with open_room(None, "3", "a", "a", engine=engine) as story:
        engine.may_answer.clear()
        await story.pilot.press("u", "u")
        await answered(story)
        assert [args["operation"] for name, args in story.commands if name == "undo"] == [2, 1]
        assert story.app.is_running


async def test_undo_waits_for_the_deed_before_it() -> None:
    engine = SlowEngine()
    async with open_room(None, "3", engine=engine) as story:
        await story.pilot.press("a", "u")
        await answered(story)
        assert [name for name, _ in story.commands] == ["accept", "undo"]
        assert story.commands[1][1] == {"operation": 1}


async def test_deed_is_told_though_its_item_was_left_meanwhile() -> None:
    async with open_room(None, "2", "slash", *"install", "enter", "enter", engine=SlowEngine()) as story:
        await story.pilot.press("r", "escape")
        await answered(story)
        assert story.toasts == ["retry 1 item   u undo"]
        await story.press("u")
        assert story.commands[-1] == ("undo", {"operation": 1})


async def test_marked_items_are_what_they_have_become() -> None:
    rows = sample()
    first = replace(item(901, "one", "pending"), job="todos", key="m1")
    rows.details = {("todos", "m1"): detail(first)}
    async with open_room(rows, "2", "space") as story:
        rows.details["todos", "m1"] = detail(replace(first, state="failed"))
        await story.press("ctrl+r", "r")
        assert ("retry", {"job": "todos", "keys": ["m1"]}) in story.commands


async def test_mark_on_what_is_gone_is_no_mark() -> None:
    rows = sample()
    async with open_room(rows, "2", "space") as story:
        assert "1 marked" in story.text()
        del rows.details["todos", "k0001"]
        await story.press("ctrl+r")
        assert "marked" not in story.text()


async def test_marks_set_meanwhile_stay() -> None:
    rows = sample()
    async with open_room(rows, "2", "space", engine=SlowEngine()) as story:
        await story.pilot.press("N")
        story.clock.advance(1)
        await story.pilot.press("1", "enter", "space")
        await answered(story)
        assert "1 marked" in story.text()


async def test_reading_why_does_not_act_on_another_row() -> None:
    rows = sample()
    one, two = (replace(item(900 + n, f"one{n}", "failed"), job="todos", key=f"m{n}") for n in (1, 2))
    rows.details = {("todos", "m1"): detail(one), ("todos", "m2"): detail(two)}
    async with open_room(rows, "2", "w") as story:
        del rows.details["todos", "m1"]
        story.reader.changes += 1
        story.room.reload()
        await story.press("r")
        assert [name for name, _ in story.commands] == []
        assert "moved" in story.toasts[-1] or "no longer" in story.toasts[-1]


async def test_refused_todo_is_an_error_once() -> None:
    engine = FakeEngine()
    engine.effects["add"] = lambda args: CommandOutcome(ok=False, message="the disk is full")
    async with open_room(None, "3", "A", *"buy milk", "enter", engine=engine) as story:
        assert [one.severity for one in story.app.desk.said.all] == ["error"]


async def test_goes_from_an_item_to_the_list_of_a_job() -> None:
    async with open_room(None, "2", "enter", "colon", *"k0002", "enter") as story:
        await story.press("colon", *"docs", "enter")
        assert "/ job:docs" in story.text()


async def test_goes_from_an_item_to_a_view() -> None:
    async with open_room(None, "2", "enter", "colon", *"items", "enter") as story:
        assert "[External]" in story.text() or "[All]" in story.text()


async def test_number_of_its_screen_leads_from_an_item_to_the_list() -> None:
    async with open_room(None, "2", "enter", "2") as story:
        assert "17 of 17" in story.text()


async def test_vanished_state_file_does_not_end_the_stale_screen() -> None:
    rows = with_stale()
    async with open_room(rows, "5") as story:

        def broken(judgement: int) -> Any:
            raise StateError("the file is not there")

        story.reader.judged_changes = broken  # type: ignore[method-assign]
        await story.press("G", "k", "g")
        assert story.app.is_running


async def test_question_is_about_the_row_that_it_was_asked_for() -> None:
    rows = sample()
    async with open_room(rows, "2", "B") as story:
        del rows.details["todos", "k0001"]
        story.room.reload()
        story.clock.advance(1)
        await story.press("1")
        story.clock.advance(1)
        await story.press("y")
        assert "1" in [args.get("targets") for name, args in story.commands] or story.commands == []


async def test_source_is_that_of_the_row_under_the_cursor() -> None:
    rows = sample()
    with_file, without = (replace(item(900 + n, f"one{n}"), job="todos", key=f"m{n}") for n in (1, 2))
    rows.details = {("todos", "m1"): detail(with_file), ("todos", "m2"): detail(replace(without, path=None))}
    async with open_room(rows, "2", "space", "o") as story:
        assert story.toasts == ["Source: it comes from no file"]


async def test_what_is_typed_stays_until_it_can_be_taken() -> None:
    async with open_room(None, "2", "enter", "D", *"size", "enter") as story:
        assert "write FIELD=VALUE" in story.text()
        await story.press(*"=3", "enter")
        assert story.commands[-1] == ("amend", {"job": "todos", "keys": ["k0001"], "fields": {"size": 3}})


@pytest.mark.parametrize("path", ["x" * 5_000, "a\0b.py"], ids=["long", "null"])
async def test_source_that_is_no_file_name_is_said(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "true")
    rows = sample()
    one = replace(item(901, "one"), job="todos", key="m1", path=path, line=1)
    rows.details = {("todos", "m1"): detail(one)}
    async with open_room(rows, "2", "o") as story:
        assert "is no file name" in story.toasts[-1]


async def test_export_of_a_state_file_that_vanished_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_room(None, "2", "E") as story:
        story.reader.page_problem = StateError("the file is not there")
        story.clock.advance(1)
        await story.press("1")
        assert story.toasts[-1] == "not written: the file is not there"


async def test_screen_that_is_gone_to_by_name_is_as_it_was_left() -> None:
    async with open_room(None, "2", "slash", *"cache", "enter", "comma", "1", "colon", *"items", "enter") as story:
        assert "/ cache" in story.text()
        assert "[External]" in story.text()
