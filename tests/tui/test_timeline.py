"""The timeline of an item, and the list of gates before a ready row: pure lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.contracts.view import HoldView
from rivus_tui.format import width_of
from rivus_tui.timeline import Axis, Span, timeline_lines
from rivus_tui.why import gate_lines, why_item
from tests.tui.rows import HOUR, MINUTE, NOW, attempt, detail, item, item_stage, job, stage


def text(lines: object) -> list[str]:
    assert isinstance(lines, list)
    return ["".join(part.text for part in line).rstrip() for line in lines]


def long_story(name: str = "fetch") -> object:
    view = item(1, "x", "failed", created_at=NOW - 3 * HOUR)
    return detail(
        view,
        item_stage(
            name, 0, "done", attempts=1, started_at=NOW - 3 * HOUR + 5_000, ended_at=NOW - 3 * HOUR + 9_000,
            cost_usd_micros=30_000,
        ),
        item_stage("check", 1, "running", attempts=2, started_at=NOW - 12_000, after=(name,)),
        item_stage("report", 2, "blocked", after=("check",)),
        attempts=(replace(attempt("check", 1, "KeyError", "x"), started_at=NOW - 30_000, ended_at=NOW - 25_000),),
    )  # fmt: skip


def test_stages_stand_below_each_other_with_gaps_compressed() -> None:
    lines = text(timeline_lines(long_story(), 1, NOW, 100))  # type: ignore[arg-type]
    assert "…2h59…" in lines[0]
    assert [line.split()[0] for line in lines[1:5]] == ["found", "fetch", ">", "report"]
    assert "━" in lines[2]
    assert "4.0s + done  $0.03" in lines[2]
    assert "x" in lines[3].split("check")[1]
    assert lines[3].index("x") < lines[3].index(">", 3)
    assert "12s > running  2/3" in lines[3]
    assert "after check" in lines[4]
    assert lines[-1] == "worked 21s, waited 2h59, spent $0.03"


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("name", ["fetch", "\x1b[2J[/]" * 5, "漢字" * 12])
def test_timeline_fits_any_width_and_name(width: int, name: str) -> None:
    for line in timeline_lines(long_story(name), 0, NOW, width):  # type: ignore[arg-type]
        assert width_of(line) <= width
        assert all(ord(sign) >= 0x20 for part in line for sign in part.text)


def test_item_that_never_ran_says_what_it_waits_for() -> None:
    view = detail(item(1, "x"), item_stage("fetch", 0, "ready"), item_stage("check", 1, "blocked", after=("fetch",)))
    assert text(timeline_lines(view, 0, NOW, 80))[0] == "Nothing has run yet."


@pytest.mark.parametrize("ends", [[(0, 0)], [(0, 1), (10**12, 10**12 + 1)], [(5, 5), (5, 5), (6, 9)]])
def test_axis_keeps_every_time_inside(ends: list[tuple[int, int]]) -> None:
    axis = Axis([Span(start=start, end=end, kind="done") for start, end in ends], 30)
    cells = [axis.cell_of(time) for pair in ends for time in pair]
    assert cells == sorted(cells)
    assert all(0 <= at < 30 for at in cells)


def test_every_gate_is_listed_in_order_with_what_blocks() -> None:
    holds = (
        HoldView(stage="fetch", gate="pace", why="18 ready, pace 60/h", until=NOW + 48_000),
        HoldView(stage="fetch", gate="resource", why="18 ready, resource api 4 of 4 held", until=None),
        HoldView(stage="other", gate="concurrency", why="not this one", until=None),
    )
    view = job("feeds", stage("fetch", 0, {"ready": 18}), holds=holds)
    assert text(gate_lines("fetch", view, NOW, 3)) == [
        "  1 + the job is active",
        "  2 + this is its hour",
        "  3 + the limit of its job is not reached",
        "  4 + the stage is enabled",
        "  5 + the stage is not paused",
        "  6 ~ 18 ready, pace 60/h, in 48s",
        "  7 ~ 18 ready, resource api 4 of 4 held",
        "  8 + no model that it needs is used up",
        "  9 + a slot of the stage is free",
        "  10 o its turn: 3 go first",
    ]
    one = detail(item(1, "x", job="feeds"), item_stage("fetch", 0, "ready", due_at=NOW - MINUTE))
    assert "  10 + it is the next" in text(why_item(one, view, NOW, has_engine=True, ahead=0))
