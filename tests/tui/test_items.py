"""Items and one item: filter, marks, deeds, parts, and the ladder of Esc."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.bulk import BulkView
from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import StateError
from tests.tui.fakes import FakeEngine
from tests.tui.rows import Sample, detail, item, item_stage, sample
from tests.tui.story import Story, open_room


def counts(story: Story) -> str:
    """Return the `n of m` of the list."""
    return story.line(" of ").split("  ")[-1].strip()


async def test_filter_narrows_by_words_and_qualifiers() -> None:
    async with open_room(None, "2", "slash", *"state:failed,done", "enter") as story:
        assert counts(story) == "2 of 17"
        await story.press("slash")
        assert "Typing replaces it, an arrow key keeps it" in story.text()
        await story.press("end", *" cache", "enter")
        assert counts(story) == "1 of 17"


async def test_filter_is_replaced_by_what_is_typed_and_kept_by_enter() -> None:
    async with open_room(None, "2", "slash", *"state:failed", "enter", "slash", "enter") as story:
        assert "/ state:failed" in story.text()
        await story.press("slash", *"cache", "enter")
        assert "/ cache" in story.text()


async def test_unknown_value_is_said_and_ignored() -> None:
    async with open_room(None, "2", "slash", *"state:broken", "enter") as story:
        assert "at 1: state: knows no broken" in story.text()


async def test_escape_climbs_down_one_step_at_a_time() -> None:
    async with open_room(None, "j", "j", "enter", "slash", *"install", "enter", "space") as story:
        assert "1 marked" in story.text()
        await story.press("escape")
        assert "marked" not in story.text()
        assert "install" in story.line("job:docs")
        await story.press("escape")
        assert "/ job:docs" in story.text()
        assert "install" not in story.line("/ job:docs")
        await story.press("escape")
        assert "[1 Jobs]" in story.text()


async def test_escape_never_quits() -> None:
    async with open_room(None, *["escape"] * 6) as story:
        assert story.app.is_running


async def test_items_again_shows_every_job() -> None:
    async with open_room(None, "enter", "2") as story:
        assert counts(story) == "17 of 17"


async def test_retry_goes_to_failed_items_only() -> None:
    async with open_room(None, "2", "r", "slash", *"install", "enter", "r") as story:
        assert story.toasts[0] == "Retry: it has not failed"
        assert story.commands == [("retry", {"job": "docs", "keys": ["docs/guide/install.md"]})]


@pytest.mark.parametrize("mode", ["2", "3"])
async def test_a_finding_is_put_aside_with_a_reason_wherever_it_is_refused(mode: str) -> None:
    rows = sample()
    found = replace(item(1, "a.md links to b.md", "waiting"), job="todos", key="doc:1", data={"check": "doc-health"})
    rows.details = {("todos", "doc:1"): detail(found)}
    async with open_room(rows, mode, "x") as story:
        assert "Dismiss the finding: why?" in story.text()
        story.clock.advance(1)
        await story.press("2")
        assert story.commands == [("drop", {"job": "todos", "keys": ["doc:1"], "why": "won't fix"})]


async def test_cancel_asks_first_and_takes_no_for_an_answer() -> None:
    async with open_room(None, "2", "slash", *"upgrade", "enter", "x") as story:
        assert "Cancel 1 item?" in story.text()
        story.clock.advance(1)
        await story.press("n", "x")
        story.clock.advance(1)
        await story.press("escape", "x")
        story.clock.advance(1)
        await story.press("x", "enter")
        assert story.commands == []
        await story.press("x")
        story.clock.advance(1)
        await story.press("y")
        assert story.commands == [("cancel", {"job": "docs", "keys": ["docs/guide/upgrade.md"]})]


async def test_marks_stay_on_their_items_while_rows_move() -> None:
    rows = sample()
    async with open_room(rows, "2", "j", "j", "space") as story:
        del rows.details["todos", "k0001"]
        await story.press("ctrl+r", "a")
        assert story.commands[-1] == ("accept", {"job": "todos", "keys": ["k0003"]})


async def test_another_filter_clears_the_marks() -> None:
    async with open_room(None, "2", "space", "slash", *"flaky", "enter") as story:
        assert "marked" not in story.text()


async def test_item_shows_stages_and_the_failure() -> None:
    async with open_room(None, "2", "slash", *"install", "enter", "enter") as story:
        text = story.text()
        assert "> outline  x failed" in text
        assert "KeyError: 'section'" in text
        assert 'File "check.py", line 88, in check' in text
        await story.press("k")
        assert "words: 1204" in story.text()


async def test_parts_of_an_item_turn_with_brackets() -> None:
    async with open_room(None, "2", "slash", *"install", "enter", "enter", "]") as story:
        assert "[Session]" in story.text()
        await story.press("]")
        assert "[Data]" in story.text()
        assert "text: docs/guide/install.md" in story.text()
        await story.press("]")
        assert "outline, attempt 2" in story.text()
        await story.press("]")
        assert "found by todos" in story.text()
        await story.press("]", "[")
        assert "[Events 1]" in story.text()


async def test_item_that_vanishes_while_open_keeps_what_was_known() -> None:
    rows = sample()
    async with open_room(rows, "2", "enter") as story:
        del rows.details["todos", "k0001"]
        await story.press("ctrl+r")
        assert "retry logic swallows CancelledError" in story.text()
        assert "It has been taken out since" in story.text()
        await story.press("a")
        assert [name for name, _ in story.commands] == ["reload"]
        await story.press("escape")
        assert "[2 Items]" in story.text()


async def test_accept_works_on_the_item_itself() -> None:
    async with open_room(None, "2", "enter", "a") as story:
        assert story.commands == [("accept", {"job": "todos", "keys": ["k0001"]})]


async def test_why_names_gate_and_key() -> None:
    async with open_room(None, "2", "w") as story:
        assert "brief waits at gate accept for a person   a accept" in story.text()


async def test_why_tells_of_a_paused_job_and_a_missing_engine() -> None:
    rows = sample()
    rows.status = replace(rows.status, engine=None)
    view = item(50, "held back", job="feeds", source="feeds")
    rows.details["feeds", view.key] = detail(view, item_stage("fetch", 0, "ready"))
    async with open_room(rows, "2", "slash", *"held", "enter", "w", viewer=True) as story:
        text = story.text()
        assert "job feeds is paused: paused by a person" in text
        assert "no engine runs here" in text


async def test_job_without_items_says_so() -> None:
    async with open_room(None, "G", "enter") as story:
        assert "scanner has no items yet." in story.text()


async def test_source_opens_in_the_editor_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "TODO.md").write_text("- [ ] x\n")
    monkeypatch.setenv("VISUAL", "true")
    async with open_room(None, "2", "o", root=tmp_path) as story:
        assert story.toasts == ["this terminal cannot be handed to an editor"]


async def test_source_that_is_gone_is_said(tmp_path: Path) -> None:
    async with open_room(None, "2", "o", root=tmp_path) as story:
        assert story.toasts == ["TODO.md is not there any more"]


async def test_mouse_puts_the_cursor_and_opens() -> None:
    async with open_room(None, "2") as story:
        await story.pilot.click("#list", offset=(6, 3))
        await story.press("y")
        assert story.room.situation().copyable == "k0003"
        await story.pilot.click("#list", offset=(6, 3))
        await story.pilot.pause()
        assert "> context" in story.text() or "[Output]" in story.text()


async def test_resize_keeps_cursor_and_filter_and_changes_the_layout() -> None:
    async with open_room(None, "2", "slash", *"state:waiting", "enter", "j", "j") as story:
        await story.pilot.resize_terminal(150, 40)
        await story.press()
        assert "│" in story.text()
        assert "> add --json to list" in story.text()
        assert "state:waiting" in story.text()
        await story.pilot.resize_terminal(60, 14)
        await story.press()
        assert "> add --json to list" in story.text()


async def test_click_on_the_footer_is_the_key() -> None:
    async with open_room(None, "2") as story:
        at = story.text().splitlines()[23].index("/ Filter")
        await story.pilot.click("#footer", offset=(at, 0))
        await story.press(*"flaky", "enter")
        assert counts(story) == "1 of 17"


async def test_click_on_a_tab_goes_there() -> None:
    async with open_room(size=(120, 30)) as story:
        at = story.text().splitlines()[1].index("9 Events")
        await story.pilot.click("#tabs", offset=(at, 0))
        await story.pilot.pause()
        assert "[9 Events]" in story.text()


@pytest.mark.parametrize("screen", ["2", "3"])
async def test_damaged_result_is_said_in_its_place_and_the_list_goes_on(screen: str) -> None:
    async with open_room(None, screen) as story:
        story.reader.damaged = {("todos", "k0002")}
        await story.press("j")
        assert "This item cannot be read: a stored result does not match its checksum" in story.text()
        await story.press("ctrl+r", "w")
        assert "the state cannot be read" not in story.text()
        await story.press("j")
        assert "cannot be read" not in story.text()
        assert story.room.situation().copyable == "k0003"


async def test_damaged_item_can_be_opened_and_left() -> None:
    async with open_room(None, "2") as story:
        story.reader.damaged = {("todos", "k0002")}
        await story.press("j", "enter")
        assert "the state cannot be read: a stored result does not match its checksum" in story.text()
        assert "This item cannot be read.  Esc goes back." in story.text()
        await story.press("escape")
        assert "[2 Items]" in story.text()
        assert "the state cannot be read" not in story.text()


async def test_rows_that_cannot_be_read_are_said_in_the_banner() -> None:
    async with open_room(None, "2") as story:
        story.reader.page_problem = StateError("database disk image is malformed")
        await story.press("ctrl+r", "j", "space", "g")
        assert "the state cannot be read: database disk image is malformed" in story.text()
        story.reader.page_problem = None
        await story.press("ctrl+r")
        assert "malformed" not in story.text()
        assert story.line("retry logic").startswith("> ")


@pytest.mark.parametrize("keys", [("w",), ("f",), ("slash", *"flaky", "enter"), ("comma",)], ids=lambda keys: keys[0])
async def test_no_key_ends_the_app_while_the_state_cannot_be_read(keys: tuple[str, ...]) -> None:
    async with open_room(None, "2") as story:
        story.reader.problem = StateError("unable to open database file")
        await story.press(*keys)
        assert story.app.is_running
        story.reader.problem = None
        await story.press("escape", "ctrl+r")
        assert "the state cannot be read" not in story.text()


async def test_reload_asks_the_engine_to_read_the_configuration_too() -> None:
    engine = FakeEngine()
    engine.effects["reload"] = lambda _: CommandOutcome(ok=False, message="nothing changed: jobs.yaml:3: no such key")
    async with open_room(None, "2", "ctrl+r", engine=engine) as story:
        assert story.commands == [("reload", {})]
        assert story.toasts == ["nothing changed: jobs.yaml:3: no such key"]
        assert story.app.summary == ""


async def test_reload_of_a_viewer_reads_rows_only() -> None:
    rows = sample()
    async with open_room(rows, "2", viewer=True) as story:
        del rows.details["todos", "k0001"]
        await story.press("ctrl+r")
        assert "16 of 16" in story.text()
        assert story.commands == []
        assert story.toasts == []


def crowd(state: str = "failed", n: int = 1_200) -> Sample:
    """A sample with so many more items that cannot be marked one by one."""
    rows = sample()
    for number in range(1_000, 1_000 + n):
        view = item(number, f"many {number}", state, job="docs", key=f"m{number}")  # type: ignore[arg-type]
        rows.details["docs", view.key] = detail(view)
    return rows


async def test_deed_on_all_that_match_is_bound_to_what_the_question_showed() -> None:
    rows = crowd()
    async with open_room(rows, "2", "slash", *"many", "enter", "V") as story:
        assert "1,200 marked" in story.text()
        await story.press("r")
        assert "Try again: 1,200 items?" in story.text()
        assert "It costs at most $1.20 and takes about 2m30" in story.text()
        assert "what has run by then stays" in story.text()
        for key in [key for key in rows.details if key[1].startswith("m1")][:100]:
            del rows.details[key]
        story.clock.advance(1)
        await story.press("y")
        ((name, args),) = story.commands
        assert (name, args["name"], args["targets"].count(",")) == ("bulk", "retry", 1_199)
        assert "marked" not in story.text()
        await story.press("u", "U")
        assert [one for one, _ in story.commands] == ["bulk", "undo", "redo"]


async def test_priority_of_all_that_match_is_asked_for() -> None:
    async with open_room(crowd(), "2", "slash", *"many", "enter", "V", "plus") as story:
        assert "Which priority for all" in story.text()
        story.clock.advance(1)
        await story.press("1")
        story.clock.advance(1)
        await story.press("y")
        assert story.commands[0][1]["priority"] == 1


async def test_all_that_match_run_again_from_a_stage_that_is_picked() -> None:
    async with open_room(crowd("done"), "2", "slash", *"job:docs many", "enter", "V", "B") as story:
        assert "1  read" in story.text()
        story.clock.advance(1)
        await story.press("2")
        assert "Run again from outline: 1,200 items?" in story.text()
        assert "It costs at most $1.20 and takes about 2m30" in story.text()
        story.clock.advance(1)
        await story.press("y")
        ((name, args),) = story.commands
        assert (name, args["name"], args["stage"]) == ("bulk", "reset", "outline")
        assert args["targets"].count(",") == 1_199


async def test_what_nothing_of_the_set_can_take_is_not_asked() -> None:
    async with open_room(crowd("done"), "2", "slash", *"many", "enter", "V", "r") as story:
        assert story.toasts == ["try again: none of 1,200 items: retry is not for them"]
        await story.press("escape")
        assert "marked" not in story.text()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("running", "RETRY: 340 of 1,200; u stops it and takes it back"),
        ("undoing", "UNDO of retry: 340 of 1,100"),
        ("done", "will retry 1,100 items; 100 not: no stage of it failed; u takes it back"),
        ("undone", "undid retry of 1,090 items; 10 not: no stage of it failed; U does it again"),
    ],
)
async def test_banner_says_how_far_a_command_on_many_is(state: Any, said: str) -> None:
    rows = sample()
    ended = None if state in ("running", "undoing") else 5
    view = BulkView(
        operation=1, name="retry", total=1_200, looked=340, changed=1_100, restored=1_090, state=state,
        why="no stage of it failed", begun_at=1, ended_at=ended,
    )  # fmt: skip
    rows.status = replace(rows.status, bulk=view)
    async with open_room(rows, "2", size=(100, 24)) as story:
        assert said in story.text()


async def test_item_is_run_again_from_the_stage_that_is_chosen() -> None:
    async with open_room(None, "2", "slash", *"install", "enter", "enter", "k", "B") as story:
        text = story.text()
        assert "Again from read?" in text
        assert "Runs again: read, outline" in text
        assert "Their results stay until they are replaced: read" in text
        story.clock.advance(1)
        await story.press("enter")
        assert story.commands == []
        await story.press("B")
        story.clock.advance(1)
        await story.press("y")
        assert story.commands == [("reset", {"job": "docs", "keys": ["docs/guide/install.md"], "stage": "read"})]


async def test_data_of_an_item_is_changed_in_place() -> None:
    async with open_room(None, "2", "slash", *"install", "enter", "enter", "D", *"depth=3", "enter") as story:
        args = {"job": "docs", "keys": ["docs/guide/install.md"], "fields": {"depth": 3}}
        assert story.commands == [("amend", args)]
        await story.press("D", *"nonsense", "enter")
        assert "write FIELD=VALUE" in story.text()


async def test_the_chosen_stage_is_in_sight_where_there_are_more_than_fit() -> None:
    rows = sample()
    (job, key), view = next(iter(rows.details.items()))
    stages = [item_stage(f"part{number}", number, "done", output={"n": number}) for number in range(30)]
    rows.details[job, key] = detail(view.item, *stages)
    async with open_room(rows, "2", "g", "enter", "G") as story:
        assert "> part29" in story.text()
        await story.press("g")
        assert "> part0 " in story.text()
        await story.press("j")
        assert "> part1 " in story.text()
