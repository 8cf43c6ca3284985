"""Triage: one key decides, the cursor moves on, undo walks back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped
from tests.tui.fakes import FakeEngine
from tests.tui.rows import NOW, Sample, detail, item, item_stage, sample
from tests.tui.story import Story, open_room

NINE_TOMORROW = NOW - (14 * 3600 + 7 * 60 + 12) * 1000 + (24 + 9) * 3_600_000


def deciding(rows: Sample) -> FakeEngine:
    """Return an engine whose decisions take the items off the rows, and whose undo puts them back."""
    engine = FakeEngine()
    taken: list[dict[tuple[str, str], Any]] = []

    def decide(args: Mapping[str, Any]) -> None:
        taken.append({(args["job"], key): rows.details.pop((args["job"], key)) for key in args["keys"]})

    def undo(_: Mapping[str, Any]) -> CommandOutcome:
        back = taken.pop()
        rows.details = dict(sorted({**rows.details, **back}.items(), key=lambda one: one[1].item.id))
        return CommandOutcome(ok=True, message="undone", changed=tuple(key for _, key in back))

    engine.effects = {"accept": decide, "drop": decide, "snooze": decide, "triage": decide, "undo": undo}
    return engine


def focused(story: Story) -> str:
    """Return the key under the cursor."""
    return str(story.room.situation().items[0].key)


async def test_each_key_decides_about_the_item_under_the_cursor() -> None:
    rows = sample()
    async with open_room(rows, "3", "a", "x", "n", engine=deciding(rows)) as story:
        assert story.commands == [
            ("accept", {"job": "todos", "keys": ["k0001"]}),
            ("drop", {"job": "todos", "keys": ["k0002"]}),
            ("snooze", {"job": "todos", "keys": ["k0003"], "until": NINE_TOMORROW}),
        ]
        assert focused(story) == "k0004"
        assert "3 triaged this session, 11 left" in story.text()
        assert "snooze 1 item" in story.line("last:")


async def test_what_failed_is_shown_with_why() -> None:
    rows = sample()
    why = "claude was stopped: it worked longer than 60 minutes"
    failed = replace(item(1, "Wait for ever", "failed"), job="todos", key="slow")
    rows.details[("todos", "slow")] = detail(failed, item_stage("execute", 0, "failed", why=why))
    async with open_room(rows, "3", "[") as story:
        while focused(story) != "slow":
            await story.press("j")
        assert "x execute failed: " + why in " ".join(story.text().split())


async def test_last_item_leaves_the_cursor_on_the_one_above() -> None:
    rows = sample()
    async with open_room(rows, "3", "G", "k", "a", engine=deciding(rows)) as story:
        assert story.commands == [("accept", {"job": "todos", "keys": ["k0010"]})]
        assert focused(story) == "docs/ref/errors.md"


async def test_undo_goes_back_to_the_item() -> None:
    rows = sample()
    async with open_room(rows, "3", "j", "a", "j", "u", engine=deciding(rows)) as story:
        assert story.commands[-1] == ("undo", {"operation": 1})
        assert focused(story) == "k0002"
        assert "0 triaged this session, 14 left" in story.text()


async def test_marked_items_are_decided_at_once() -> None:
    rows = sample()
    async with open_room(rows, "3", "space", "space", "j", "space", engine=deciding(rows)) as story:
        assert "a Accept 3" in story.text()
        await story.press("a")
        assert story.commands == [("accept", {"job": "todos", "keys": ["k0001", "k0002", "k0004"]})]
        assert "3 triaged this session, 11 left" in story.text()
        assert "marked" not in story.text()


async def test_items_of_two_jobs_are_two_commands() -> None:
    async with open_room(None, "3", "space", "G", "space", "x") as story:
        assert [(name, args["job"]) for name, args in story.commands] == [("drop", "todos"), ("drop", "docs")]


async def test_more_than_twenty_are_asked_about_and_no_is_the_default() -> None:
    rows = sample()
    for number in range(100, 130):
        view = item(number, f"more {number}", "waiting")
        rows.details["todos", view.key] = detail(view)
    async with open_room(rows, "3", "V", "a") as story:
        assert story.commands == []
        assert "Accept: 41 items?" in story.text()
        story.clock.advance(1)
        await story.press("enter")
        assert story.commands == []
        await story.press("a")
        await story.press("y")
        assert story.commands == []
        story.clock.advance(1)
        await story.press("y")
        ((name, args),) = story.commands
        assert (name, args["name"], args["targets"].count(",")) == ("bulk", "accept", 40)
        assert "marked" not in story.text()


async def test_priority_climbs_one_step_and_the_item_stays() -> None:
    async with open_room(None, "3", "plus", "j", "minus", "plus") as story:
        assert story.commands == [
            ("prioritise", {"job": "todos", "keys": ["k0001"], "priority": 0}),
            ("prioritise", {"job": "todos", "keys": ["k0002"], "priority": 3}),
        ]
        assert "already without a priority" in story.toasts
        assert focused(story) == "k0002"


async def test_brackets_switch_the_bucket() -> None:
    async with open_room(None, "3", "right_square_bracket") as story:
        assert "[Bare bullets 3]" in story.text()
        assert "maybe: look at the log format" in story.text()
        assert "retry logic" not in story.text()


async def test_only_bare_bullets_open_their_bucket_at_once() -> None:
    rows = sample()
    rows.details = {key: one for key, one in rows.details.items() if one.item.confidence == "low"}
    async with open_room(rows, "3") as story:
        assert "[Bare bullets 3]" in story.text()


async def test_question_is_answered_with_a_choice() -> None:
    async with open_room(None, "3", "G", "a") as story:
        assert "Two headings have the same name: which one is meant?" in story.text()
        story.clock.advance(1)
        await story.press("2")
        assert story.commands == [
            ("answer", {"job": "docs", "keys": ["docs/ref/errors.md"], "answer": "the second"}),
        ]


async def test_question_is_answered_in_own_words() -> None:
    async with open_room(None, "3", "G", "a") as story:
        story.clock.advance(1)
        await story.press("o", *"neither", "enter")
        assert story.commands[0][1]["answer"] == "neither"


async def test_later_can_be_picked() -> None:
    async with open_room(None, "3", "N") as story:
        story.clock.advance(1)
        await story.press("3", "enter")
        assert story.commands == [
            ("snooze", {"job": "todos", "keys": ["k0001"], "until": NINE_TOMORROW + 6 * 86_400_000}),
        ]


async def test_later_can_be_any_time_with_a_reason() -> None:
    async with open_room(None, "3", "N") as story:
        story.clock.advance(1)
        await story.press("o", *"0s", "enter")
        assert "0s is over already" in story.text()
        await story.press("escape", "N")
        story.clock.advance(1)
        await story.press("o", *"2h", "enter", *"the pump", "enter")
        until = story.clock.now() - 1_000 + 7_200_000
        assert story.commands == [
            ("snooze", {"job": "todos", "keys": ["k0001"], "until": until, "why": "the pump"}),
        ]


async def test_detail_shows_what_the_stages_found() -> None:
    async with open_room(None, "3", size=(120, 36)) as story:
        text = story.text()
        assert "waits at gate accept" in text
        assert "> 204     except BaseException:" in text
        assert "9 days" in text


async def test_refused_command_is_an_error_and_counts_nothing() -> None:
    engine = FakeEngine()
    engine.effects["accept"] = lambda _: CommandOutcome(ok=False, message="k0001 was not waiting")
    async with open_room(None, "3", "a", engine=engine) as story:
        assert story.toasts == ["k0001 was not waiting"]
        assert "0 triaged this session" in story.text()


async def test_filter_narrows_and_escape_clears_it() -> None:
    async with open_room(None, "3", "slash", *"flaky", "enter") as story:
        assert "1 of 11" in story.text()
        await story.press("escape")
        assert "11 of 11" in story.text()


async def test_nothing_waiting_says_what_comes_next() -> None:
    rows = sample()
    rows.details.clear()
    async with open_room(rows, "3") as story:
        assert "Nothing waits for you." in story.text()
        await story.press("a")
        assert story.commands == []
        assert story.toasts == ["Accept: no item is selected"]


async def test_rows_that_come_and_go_leave_the_cursor_on_its_item() -> None:
    rows = sample()
    async with open_room(rows, "3", "j", "j", "j") as story:
        assert focused(story) == "k0004"
        del rows.details["todos", "k0001"]
        story.clock.advance(5)
        story.engine.wake()
        await story.press()
        assert focused(story) == "k0004"
        await story.press("a")
        assert story.commands == [("accept", {"job": "todos", "keys": ["k0004"]})]


async def test_failed_item_with_an_open_gate_is_still_there_to_decide() -> None:
    rows = sample()
    view = item(40, "one branch failed", "failed", line=1)
    rows.details["todos", view.key] = detail(
        view, item_stage("one", 0, "failed"), item_stage("two", 1, "waiting", gate="accept")
    )
    async with open_room(rows, "3", "slash", *"branch", "enter", "a") as story:
        assert story.commands == [("accept", {"job": "todos", "keys": ["k0040"]})]


async def test_refused_undo_is_said_once_and_the_next_is_about_the_deed_before() -> None:
    rows = sample()
    engine = deciding(rows)
    undo = engine.effects["undo"]
    refused = CommandOutcome(ok=False, message="its job is not in the configuration any more")
    engine.effects["undo"] = lambda args: refused if args["operation"] == 2 else undo(args)
    async with open_room(rows, "3", "a", "x", "u", engine=engine) as story:
        assert story.toasts == ["cannot take back `drop 1 item`: its job is not in the configuration any more"]
        assert "2 triaged this session" in story.text()
        assert "u undo" not in story.line("last:")
        await story.press("u")
        assert story.commands[-2:] == [("undo", {"operation": 2}), ("undo", {"operation": 1})]


async def test_undo_that_found_no_engine_to_answer_can_be_tried_again() -> None:
    def gone(_: Mapping[str, Any]) -> CommandOutcome:
        raise EngineStopped

    engine = FakeEngine()
    engine.effects["undo"] = gone
    async with open_room(None, "3", "a", "u", "u", engine=engine) as story:
        assert story.commands[-2:] == [("undo", {"operation": 1}), ("undo", {"operation": 1})]


async def test_marking_all_asks_however_few_they_are() -> None:
    async with open_room(None, "3", "right_square_bracket", "V", "x") as story:
        assert "Won't do: 3 items?" in story.text()
        assert story.commands == []
        story.clock.advance(1)
        await story.press("y")
        assert [(name, args["name"]) for name, args in story.commands] == [("bulk", "drop")]


async def test_title_is_edited_in_place() -> None:
    async with open_room(None, "3", "e") as story:
        title = focused_title(story)
        assert title in story.text()
        await story.press("end", *" now", "enter")
        assert story.commands == [("edit", {"job": "todos", "keys": ["k0001"], "title": f"{title} now"})]


def focused_title(story: Story) -> str:
    return str(story.room.situation().items[0].title)


async def test_marked_duplicates_are_merged_into_the_one_under_the_cursor() -> None:
    rows = sample()
    async with open_room(rows, "3", "space", "space", "M", engine=deciding(rows)) as story:
        assert story.commands == [("merge", {"job": "todos", "keys": ["k0001", "k0002"], "into": "k0003"})]
    async with open_room(None, "3", "M") as story:
        assert story.toasts == ["mark the ones that are the same, then go to the one that stays"]


async def test_a_todo_of_ones_own_is_added() -> None:
    async with open_room(None, "3", "A", *"Buy milk", "enter") as story:
        assert story.commands == [("add", {"job": "todos", "title": "Buy milk"})]


async def test_a_hundred_items_are_triaged_by_a_hundred_keys() -> None:
    rows = sample()
    rows.details.clear()
    for number in range(1, 101):
        view = item(number, f"todo {number}", "waiting", job="todos", confidence="high", line=number)
        rows.details["todos", view.key] = detail(view, item_stage("brief", 0, "waiting", gate="accept"))
    engine = deciding(rows)
    keys = [("a", "x", "n")[number % 3] for number in range(100)]
    async with open_room(rows, "3", *keys, engine=engine) as story:
        assert len(story.commands) == 100
        assert {args["keys"][0] for _, args in story.commands} == {f"k{number:04d}" for number in range(1, 101)}
        assert "Nothing waits for you." in story.text()
        assert "100 triaged this session, 0 left" in story.text()
        await story.press("u", "u")
        assert "98 triaged this session, 2 left" in story.text()


async def test_what_rules_propose_is_done_with_one_key() -> None:
    rows = sample()
    for number, (do, why) in enumerate((("drop", "rule 1: path is a.md (within a.md)"), ("accept", "rule 2")), start=1):
        old = rows.details["todos", f"k000{number}"]
        steering = replace(old.steering, proposed_why=why)
        rows.details["todos", f"k000{number}"] = replace(old, item=replace(old.item, proposed=do), steering=steering)
    async with open_room(rows, "3", engine=deciding(rows)) as story:
        assert "b won't do, rule 1: path is a.md (within a.md)" in story.text()
        assert "14 left" in story.text(), "what rules propose is not counted twice"
        await story.press("right_square_bracket", "right_square_bracket")
        assert "[By rule 2]" in story.text()
        assert "RULE SAYS" in story.text()
        await story.press("b")
        assert story.commands == []
        assert "Do by rule: 2 items?" in story.text()
        assert "accept 1, won't do 1." in story.text()
        story.clock.advance(1)
        await story.press("y")
        assert story.commands == [("triage", {"job": "todos", "keys": ["k0001", "k0002"]})]


async def test_a_marked_item_is_decided_by_its_rule_at_once_and_without_rules_the_key_says_so() -> None:
    rows = sample()
    old = rows.details["todos", "k0002"]
    rows.details["todos", "k0002"] = replace(old, item=replace(old.item, proposed="drop"))
    async with open_room(rows, "3", "space", "b", engine=deciding(rows)) as story:
        assert "By rule 1: no rule of triage proposes anything here" in story.toasts
        await story.press("space", "b")
        assert story.commands == [("triage", {"job": "todos", "keys": ["k0002"]})]


async def test_an_empty_bucket_that_a_person_goes_to_stays_open() -> None:
    rows = sample()
    for key in ("k0011", "k0012", "k0013"):
        del rows.details["todos", key]
    async with open_room(rows, "3", "right_square_bracket") as story:
        assert "[Bare bullets 0]" in story.text()
