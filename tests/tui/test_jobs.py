"""Jobs: how each is, why it does not run, pause, run, and the way to its items."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.rows import NOW, job, run, sample
from tests.tui.story import open_room


async def test_states_are_shape_and_word() -> None:
    async with open_room() as story:
        text = story.text()
        for shown in ("# waiting", "o idle", "> running", "= paused", "! broken"):
            assert shown in text


async def test_broken_job_says_why_and_cannot_run() -> None:
    async with open_room(None, "G") as story:
        assert "did you mean plugins.conventions.scan?" in " ".join(story.text().split())
        await story.press("r", "p")
        assert story.commands == []
        assert story.toasts == ["Run now: it is broken", "Pause: it is broken"]


async def test_paused_job_is_resumed_by_the_same_key() -> None:
    async with open_room(None, "j", "j", "p", "j", "p") as story:
        assert story.commands == [("pause", {"job": "docs"}), ("resume", {"job": "feeds"})]


@pytest.mark.parametrize(
    ("by", "way"),
    [
        ("person", " p resumes"),
        ("doctor", "4 shows the cause, p resumes"),
        ("daily_cost", "7 shows what was spent, p resumes"),
        ("limit", " p resumes"),
    ],
)
async def test_a_pause_tells_the_way_to_its_cause(by: str, way: str) -> None:
    rows = sample()
    rows.jobs = [replace(one, paused_by=by) if one.name == "feeds" else one for one in rows.jobs]
    async with open_room(rows, "j", "j", "j") as story:
        shown = " ".join(story.text().split())
        assert way in shown
        assert shown.count(" shows ") == way.count(" shows ")


async def test_one_stage_is_paused_with_a_reason_until_a_time() -> None:
    async with open_room(None, "1", "P") as story:
        story.clock.advance(1)
        assert "Pause what of todos?" in story.text()
        await story.press("3")
        story.clock.advance(1)
        await story.press("o", *"90m", "enter", *"too warm", "enter")
        until = story.clock.now() - 1_000 + 5_400_000
        assert story.commands == [("pause", {"job": "todos", "stage": "brief", "until": until, "why": "too warm"})]


async def test_label_says_resume_for_a_paused_job() -> None:
    async with open_room(None, "j", "j", "j") as story:
        assert "p Resume" in story.text()


async def test_run_now_is_refused_while_it_runs() -> None:
    rows = sample()
    rows.jobs[0] = replace(rows.jobs[0], last_run=run("todos", state="running", ended_at=None))
    async with open_room(rows, "r", "j", "r") as story:
        assert story.commands == [("run", {"job": "doc-health"})]
        assert story.toasts[0] == "Run now: it looks for items at this moment"


async def test_scope_shows_internal_or_external_jobs() -> None:
    async with open_room(None, "comma") as story:
        assert "[External]" in story.text()
        assert "todos" not in story.text()
        await story.press("comma")
        assert "[Internal]" in story.text()
        assert "link-check" not in story.text()
        await story.press("comma")
        assert "[All]" in story.text()


async def test_enter_opens_the_items_of_the_job_and_escape_comes_back() -> None:
    async with open_room(None, "j", "j", "enter") as story:
        assert "[2 Items]" in story.text()
        assert "/ job:docs" in story.text()
        assert "retry logic" not in story.text()
        await story.press("escape")
        assert "[1 Jobs]" in story.text()


async def test_check_opens_the_items_that_its_findings_became() -> None:
    async with open_room(None, "j", "enter") as story:
        assert "/ job:todos" in story.text()


async def test_cursor_stays_on_its_job_when_others_come() -> None:
    rows = sample()
    async with open_room(rows, "j", "j") as story:
        rows.jobs.insert(0, job("articles"))
        await story.press("ctrl+r", "p")
        assert story.commands[-1] == ("pause", {"job": "docs"})


async def test_why_lists_every_reason() -> None:
    async with open_room(None, "j", "j", "j", "w") as story:
        text = story.text()
        assert "Why feeds is paused" in text
        assert "paused by a person: the provider is down" in text
        await story.press("escape")
        assert "Why feeds" not in story.text()


async def test_a_pause_that_ends_by_itself_says_when() -> None:
    rows = sample()
    rows.jobs = [job("docs", state="paused", why="daily cost of this job", paused_until=NOW + 3_600_000)]
    async with open_room(rows) as story:
        assert "paused: daily cost of this job, goes on in 1h" in " ".join(story.text().split())


async def test_failed_run_is_shown_with_its_error() -> None:
    rows = sample()
    failed = run("docs", state="failed", error="PermissionError: docs is not readable", found=0)
    rows.jobs = [job("docs", last_run=failed)]
    async with open_room(rows) as story:
        assert "x run failed" in story.text()
        assert "PermissionError: docs is not readable" in story.text()


async def test_first_run_without_jobs_says_what_to_do() -> None:
    rows = sample()
    rows.jobs = []
    async with open_room(rows) as story:
        assert "No jobs yet." in story.text()
        await story.press("enter", "p")
        assert story.toasts == ["Open: the list is empty", "Pause: no job is selected"]


async def test_filter_that_hides_everything_names_its_key() -> None:
    async with open_room(None, "slash", *"zzz", "enter") as story:
        assert "The filter hides every job.  Esc clears it." in story.text()
        await story.press("escape")
        assert "6 of 6" in story.text()


async def test_scope_that_hides_everything_names_its_key() -> None:
    rows = sample()
    rows.jobs = [view for view in rows.jobs if view.internal]
    async with open_room(rows, "comma") as story:
        assert "No external jobs.  , shows the others." in story.text()
