"""Checks: what each found, and the way to its findings."""

from __future__ import annotations

from rivus_tui.spark import bar, sparkline
from tests.tui.rows import sample, with_finding
from tests.tui.story import open_room


async def test_check_shows_runs_and_open_findings_by_rule() -> None:
    async with open_room(with_finding(sample()), "6", size=(140, 40)) as story:
        text = story.text()
        assert "broken-anchor" in text
        assert "Dec 30 14:07 9 found, 2 new, 3 fixed" in text
        assert "x failed: git: not a repository" in text
        assert "3 open findings" in text


async def test_enter_leads_to_the_findings_and_escape_back() -> None:
    async with open_room(with_finding(sample()), "6", "enter") as story:
        assert "/ source:doc-health state:pending" in story.text()
        assert "1 of 18" in story.text()
        await story.press("escape")
        assert "[6 Checks]" in story.text()


async def test_check_is_run_and_paused_by_key() -> None:
    async with open_room(None, "6", "r", "p") as story:
        assert story.commands == [("run", {"job": "doc-health"}), ("pause", {"job": "doc-health"})]


def test_sparkline_shows_the_newest_values() -> None:
    assert sparkline([0, 1, 2, 4, 8], 5) == "·▁▂▄█"
    assert sparkline([1, 2, 4, 8], 2) == "▄█"
    assert sparkline([8], 3) == "  █"
    assert sparkline([0, 0], 2) == "··"
    assert sparkline([], 2) == "  "


def test_bar_is_never_empty_for_something_nor_over_the_edge() -> None:
    assert bar(1, 100, 10) == "#........."
    assert bar(200, 100, 4) == "####"
    assert bar(0, 100, 4) == "...."
    assert bar(1, 0, 4) == "#..."
    assert bar(1, 1, 0) == ""
