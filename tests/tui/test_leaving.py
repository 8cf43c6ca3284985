"""Quit, viewer, engine gone, state unreadable, crash: the ways out and the bad days."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from engine.contracts.commands import CommandOutcome
from engine.contracts.errors import EngineStopped, StateError
from rivus_tui.app import RivusApp
from tests.tui.fakes import FakeEngine
from tests.tui.rows import sample
from tests.tui.story import open_room


async def test_quit_with_nothing_running_leaves_at_once() -> None:
    async with open_room(None, "q") as story:
        assert story.app.return_value == 0
        assert story.engine.stopped == []


async def test_quit_asks_while_something_runs_and_staying_is_the_default() -> None:
    async with open_room(None, "q", engine=FakeEngine(running=3)) as story:
        assert "3 running" in story.text()
        story.clock.advance(1)
        await story.press("enter")
        assert story.app.is_running
        assert "drain: let it end" not in story.text()
        assert story.engine.stopped == []


@pytest.mark.parametrize(("key", "drain"), [("d", True), ("s", False)])
async def test_quit_drains_or_stops_as_asked(key: str, drain: bool) -> None:
    async with open_room(None, "q", engine=FakeEngine(running=3)) as story:
        story.clock.advance(1)
        await story.press(key)
        assert story.engine.stopped == [drain]
        assert story.app.return_value == 0


async def test_key_held_down_is_no_answer() -> None:
    async with open_room(None, "q", "d", "s", engine=FakeEngine(running=1)) as story:
        assert story.engine.stopped == []


async def test_ctrl_c_with_nothing_selected_is_quit() -> None:
    async with open_room(None, "ctrl+c", engine=FakeEngine(running=2)) as story:
        assert "2 running" in story.text()


async def test_ctrl_q_quits_from_an_input() -> None:
    async with open_room(None, "slash", *"abc", "ctrl+q") as story:
        assert story.app.return_value == 0


async def test_summary_says_what_was_done() -> None:
    async with open_room(None, "3", "a", "a", "x", "1", "p", "q") as story:
        assert story.app.summary == "2 accepted, 1 dropped, 1 paused"


async def test_viewer_without_engine_looks_and_changes_nothing() -> None:
    rows = sample()
    rows.status = replace(rows.status, engine=None)
    async with open_room(rows, "p", "3", "a", viewer=True) as story:
        assert "no engine runs here; start `rivus`" in story.text()
        assert "NO ENGINE" in story.text()
        assert story.commands == []
        assert all("read-only: no engine runs here" in toast for toast in story.toasts)


async def test_viewer_of_another_engine_shows_its_note() -> None:
    note = "READ-ONLY: the engine with pid 4711 owns this project"
    async with open_room(viewer=True, note=note) as story:
        assert note in story.text()
        assert "READ-ONLY  14:07" in story.text()
        await story.press("q")
        assert story.app.return_value == 0


async def test_engine_that_ended_is_said() -> None:
    rows = sample()
    async with open_room(rows) as story:
        rows.status = replace(rows.status, engine=None)
        await story.press("ctrl+r", "p")
        assert "the engine has ended; start `rivus` again" in story.text()
        assert story.commands == []


async def test_problem_of_the_project_is_in_the_banner() -> None:
    rows = sample()
    rows.status = replace(rows.status, problem="jobs.yaml is broken; the last good one runs")
    async with open_room(rows) as story:
        assert "jobs.yaml is broken; the last good one runs" in story.text()


async def test_engine_that_cannot_write_says_so() -> None:
    engine = FakeEngine()
    async with open_room(engine=engine) as story:
        engine.trouble = "the state cannot be written: disk full"
        await story.press("ctrl+r")
        assert "the state cannot be written: disk full" in story.text()


async def test_unreadable_state_keeps_the_rows_and_recovers() -> None:
    async with open_room() as story:
        story.reader.problem = StateError("the file is gone")
        await story.press("ctrl+r")
        assert "the state cannot be read: the file is gone" in story.text()
        assert "link-check" in story.text()
        story.reader.problem = None
        await story.press("ctrl+r")
        assert "cannot be read" not in story.text()


async def test_command_to_a_stopped_engine_is_an_error_toast() -> None:
    engine = FakeEngine()

    def stopped(_: object) -> CommandOutcome:
        raise EngineStopped("the engine is not running")

    engine.effects["accept"] = stopped
    async with open_room(None, "3", "a", engine=engine) as story:
        assert story.toasts == ["the engine is not running"]
        assert story.room.situation().items[0].key == "k0002"


async def test_wake_up_after_the_end_is_dropped() -> None:
    async with open_room() as story:
        (wake,) = story.engine.wakes
    assert story.engine.wakes == []
    wake()


async def test_crash_shows_no_values_and_logs_the_traceback(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "a-value-nobody-may-see"
    apps: list[RivusApp] = []

    async def crash() -> None:
        async with open_room() as story:

            def fail() -> None:
                password = secret
                raise ZeroDivisionError(password)

            apps.append(story.app)
            story.app.call_later(fail)
            await story.pilot.pause()
            story.app._print_error_renderables()

    with caplog.at_level(logging.CRITICAL, "rivus.tui"), pytest.raises(ZeroDivisionError):
        await crash()
    shown = capsys.readouterr().err
    assert apps[0].return_code == 1
    assert "Rivus stopped on an unexpected ZeroDivisionError" in shown
    assert secret not in shown
    assert "Traceback" not in shown
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("size", [(80, 11), (40, 11), (120, 30)], ids=str)
async def test_status_line_of_a_viewer_beside_an_engine_says_read_only(size: tuple[int, int]) -> None:
    async with open_room(None, "3", size=size, viewer=True) as story:
        status = story.text().splitlines()[0]
        assert "READ-ONLY" in status
        assert "LIVE" not in status
