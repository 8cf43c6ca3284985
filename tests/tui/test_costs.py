"""Where the money went, for people who look rather than read."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from engine.contracts.costs import BudgetView
from engine.rules.budget import forecast
from rivus_tui.cost_chart import chart_lines
from rivus_tui.cost_page import cost_lines, is_of
from tests.tui import model_rows
from tests.tui.rows import NOW, sample
from tests.tui.story import open_room

HOUR = 3_600_000
DAY = 24 * HOUR


def drawn(quarters: list[tuple[int, int]], days: int, width: int = 100) -> list[str]:
    rows = chart_lines(quarters, NOW - days * DAY, NOW, width)
    return ["".join(part.text for part in row) for row in rows]


def test_bars_stand_where_the_money_was_spent_the_newest_at_the_right() -> None:
    rows = drawn([(NOW - 2 * HOUR - 1, 1_000_000), (NOW, 4_000_000)], 1)
    assert rows[0] == "SPENT AN HOUR"
    assert rows[1].startswith("  $4.00 |")
    assert rows[1].count("█") == 2
    assert rows[4].rstrip().endswith("██ ·· ██")
    assert rows[5].startswith(" " * 9)
    assert rows[5].endswith("now")


def test_little_beside_much_is_not_nothing() -> None:
    assert "▁" in drawn([(NOW - 5 * HOUR, 1), (NOW, 9_000_000)], 1)[4]


def test_what_does_not_fit_or_never_was_is_not_drawn() -> None:
    assert drawn([], 1) == []
    assert drawn([(NOW, 5)], 30, width=30) == []


async def test_status_line_shows_what_of_the_day_is_spent_and_the_banner_when_all_is() -> None:
    rows = sample()
    budget = BudgetView(
        name="all jobs", limit_usd_micros=5_000_000, spent_usd_micros=1_840_000, reserved_usd_micros=0,
        resets_at=NOW + HOUR,
    )  # fmt: skip
    rows.status = replace(rows.status, budget=budget)
    async with open_room(rows) as story:
        assert "$1.84/$5.00" in story.text().splitlines()[0]
        assert "GUARD HIT" not in story.text()
        rows.status = replace(rows.status, budget=replace(budget, spent_usd_micros=5_010_000))
        await story.press("ctrl+r")
        assert "GUARD HIT: $5.00 a day is spent; what costs money goes on in 1h00" in story.text()


async def test_what_failed_and_waits_is_said_before_what_is_spent_where_it_is_narrow() -> None:
    rows = sample()
    budget = BudgetView(
        name="all jobs", limit_usd_micros=5_000_000, spent_usd_micros=1_840_000, reserved_usd_micros=0,
        resets_at=NOW + HOUR,
    )  # fmt: skip
    rows.status = replace(rows.status, budget=budget, project="post-office")
    async with open_room(rows, size=(40, 16)) as story:
        top = story.text().splitlines()[0]
        assert "x7  #14" in top
        assert "LIVE" in top
        assert "$" not in top
    async with open_room(rows, size=(60, 16)) as story:
        assert "$1.84/$5.00" in story.text().splitlines()[0]


async def test_costs_are_shown_by_one_thing_over_one_time() -> None:
    async with open_room(None, "7") as story:
        assert "[24 hours]" in story.text()
        assert "todos " in story.text()
        await story.press("right_square_bracket")
        assert "by  job [model]" in story.text()
        assert "$0.50?" in story.text()
        assert "? was not priced by its model" in story.text()
        await story.press("full_stop")
        assert "[7 days]" in story.text()
        assert "by midnight about $1.10" in story.text()


async def test_enter_shows_the_requests_that_a_row_is_made_of() -> None:
    async with open_room(None, "7", "enter") as story:
        assert "Requests to models of job docs" in story.text()
        assert "docs docs/a.md summarise openai/gpt-5" in story.text()
        assert "(asked) summarise" not in story.text()
        await story.press("escape", "G", "enter")
        assert "Requests to models of job (asked)" in story.text()
        assert "failed: 429 Too Many Requests" in story.text()


@pytest.mark.parametrize(
    ("group", "name"),
    [("job", "docs"), ("model", "openai/gpt-5"), ("stage", "docs.summarise"), ("item", "docs/docs/a.md"),
     ("purpose", "summarise")],
)  # fmt: skip
def test_request_is_of_its_rows_only(group: str, name: str) -> None:
    call = model_rows.calls(NOW)[0]
    assert is_of(call, group, name)
    assert not is_of(call, group, f"{name}x")


def test_request_is_of_the_day_that_it_ended_on() -> None:
    call = model_rows.calls(NOW)[0]
    ended = datetime.datetime.fromtimestamp(call.ended_at / 1000).astimezone()
    assert is_of(call, "day", f"{ended:%Y-%m-%d}")
    assert not is_of(call, "day", f"{ended - datetime.timedelta(days=1):%Y-%m-%d}")


async def test_cursor_stays_on_its_row_while_others_become_dearer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_room(None, "7", "j") as story:
        view = model_rows.costs(0, NOW)
        monkeypatch.setattr(model_rows, "costs", lambda since, now: replace(view, jobs=view.jobs[::-1]))
        await story.press("j", "k", "ctrl+r", "y")
        assert story.room.situation().copyable == "todos"


async def test_filter_narrows_the_sums_and_says_when_it_hides_all() -> None:
    async with open_room(None, "7", "slash", *"tod", "enter") as story:
        assert "1 of 3" in story.text()
        await story.press("slash", *"zzz", "enter")
        assert "The filter hides every row" in story.text()
        await story.press("enter")
        assert story.toasts[-1] == "Calls: the list is empty"


def test_a_limit_is_told_whole_where_it_is_narrow() -> None:
    rows = ["".join(part.text for part in row) for row in cost_lines(model_rows.costs(0, NOW), "job", NOW, 48)]
    assert "  ($0.01 on its way)  anew in 9h00" in rows
    assert all(len(row) <= 48 for row in rows)


def test_rest_of_the_day_goes_as_the_last_one_went() -> None:
    assert forecast(640_000, 2_400_000, 6 * HOUR) == 1_240_000
    assert forecast(640_000, 2_400_000, -1) == 640_000
