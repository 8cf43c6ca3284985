"""The last hours of a job as blocks, and the table of jobs as it stood an hour ago."""

from __future__ import annotations

from engine.contracts.history import HourView
from rivus_tui.history_page import history_lines, series, stood, throughput
from tests.tui.rows import HOUR, NOW, hours, sample
from tests.tui.story import open_room

THIS = NOW - NOW % HOUR


def test_series_has_a_place_for_each_hour_and_nothing_for_unknown_ones() -> None:
    known = [HourView(hour=THIS - 2 * HOUR, settled=7), HourView(hour=THIS, settled=1)]
    assert series(known, NOW, lambda one: one.settled) == [*[0] * 21, 7, 0, 1]
    assert throughput(known, NOW, 12) == "··········█▂"


def test_lines_tell_what_the_blocks_cannot() -> None:
    text = ["".join(part.text for part in line) for line in history_lines(hours(4, 2, spent=1_000_000), NOW, 100)]
    assert text[0].endswith("6 settled in 24 hours, 4 in the best")
    assert text[1].endswith("$6.00 in 24 hours, $4.00 in the dearest")
    assert text[2].endswith("102 now, 112 at most")
    assert history_lines((), NOW, 100) == []


def test_job_that_was_not_there_then_did_not_stand() -> None:
    job = sample().jobs[2]
    assert stood(job, hours(1, 2), THIS - 5 * HOUR) is None
    then = stood(job, hours(1, 2), THIS - HOUR)
    assert then is not None
    assert (then.count("ready"), then.items["failed"]) == (110, 5)


async def test_brackets_go_through_the_hours() -> None:
    async with open_room(None, "j", "j", "[", size=(110, 40)) as story:
        assert "as it stood at 14:00:00, ] later" in story.text()
        assert "LAST RUN" not in story.text()
        assert story.line("> docs").split()[1:6] == ["docs", ">", "running", "110", "2"]
        await story.press("[")
        assert "as it stood at 13:00:00" in story.text()
        await story.press("p")
        assert story.commands == [("pause", {"job": "docs"})]
        await story.press("]", "]")
        assert "as it stood" not in story.text()
        await story.press("]")
        assert story.toasts[-1] == "Later: this is how the jobs stand now"


async def test_first_hour_of_a_project_has_none_before() -> None:
    rows = sample()
    rows.history = {}
    async with open_room(rows, "[") as story:
        assert story.toasts == ["Earlier: no earlier hour is known"]


async def test_jobs_and_inspector_draw_the_last_day() -> None:
    async with open_room(None, "j", "j", size=(110, 40)) as story:
        assert "throughput" in story.text()
        assert "287 settled in 24 hours" in story.text()
        assert "24 HOURS" in story.text()
