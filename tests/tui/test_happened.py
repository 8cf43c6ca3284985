"""The third pane: what happened to the row under the cursor, where there is room to show it beside its inspector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from engine.contracts.view import EventView
from rivus_tui.event_lines import NEWEST, Happened, happened_lines
from rivus_tui.format import Line, width_of
from rivus_tui.widgets.lines_view import LinesView
from tests.tui.fakes import FakeReader
from tests.tui.rows import NOW, Sample, event, sample
from tests.tui.stale_rows import with_stale
from tests.tui.story import Story, open_room
from tests.tui.test_text_safety import PAYLOADS

WIDE = (160, 48)


def eventful() -> Sample:
    """Return rows with an event of each kind of thing that a list shows."""
    rows = with_stale()
    rows.events = [
        event(1, "all TODOs were read"),
        event(2, "the feed was paused", job="feeds", data={"incident": 1}),
        event(3, "links were looked at", job="doc-health"),
        event(4, "the outline is old", job="docs", stage="outline"),
        event(5, "the index is old", job="docs", stage="index"),
    ]
    return rows


def frame_lines(story: Story) -> list[str]:
    strips = story.app.screen._compositor.render_strips(story.app.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


def pane(story: Story) -> LinesView:
    return story.room.query_one("#happened", LinesView)


@pytest.mark.parametrize(
    ("keys", "shown", "hidden"),
    [
        ((), "all TODOs were read", "the feed was paused"),
        (("2",), "found by todos", "all TODOs were read"),
        (("3",), "found by todos", "all TODOs were read"),
        (("4",), "the feed was paused", "the outline is old"),
        (("5", "j"), "the outline is old", "the index is old"),
        (("6",), "links were looked at", "the feed was paused"),
    ],
    ids=["jobs", "items", "triage", "doctor", "stale", "checks"],
)
async def test_events_of_the_row_stand_beside_its_inspector(keys: tuple[str, ...], shown: str, hidden: str) -> None:
    async with open_room(eventful(), *keys, size=WIDE) as story:
        assert shown in pane(story).text
        assert hidden not in pane(story).text
        line = story.line("EVENTS")
        assert line.count("│") == 2, "list, inspector and events stand beside each other"


async def test_rows_without_events_of_their_own_leave_the_room_to_the_others() -> None:
    async with open_room(eventful(), size=WIDE) as story:
        for mode in "789":
            await story.press(mode)
            assert not story.room.query("#happened")


async def test_narrower_rooms_neither_show_nor_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    page = FakeReader.events_page

    def counted(self: FakeReader, before: int | None, limit: int, job: str | None = None, *rest: Any) -> Any:
        asked.append(job)
        return page(self, before, limit, job, *rest)

    monkeypatch.setattr(FakeReader, "events_page", counted)
    async with open_room(eventful(), size=(159, 48)) as story:
        assert not pane(story).display
        assert "EVENTS" not in story.text()
        assert asked == []
        assert len(story.room.panes()) == 2
        await story.pilot.resize_terminal(160, 48)
        await story.press()
        assert "all TODOs were read" in pane(story).text
        assert set(asked) == {"todos"}
        await story.pilot.resize_terminal(119, 48)
        await story.press()
        assert not pane(story).display


async def test_they_follow_cursor_and_wake_up_and_stand_still_when_frozen() -> None:
    rows = eventful()
    async with open_room(rows, size=WIDE) as story:
        await story.press("j", "j")
        assert "the outline is old" in pane(story).text
        rows.events.append(event(6, "the index is new", job="docs", stage="index"))
        story.clock.advance(5)
        story.engine.wake()
        await story.press()
        assert pane(story).text.index("the index is new") < pane(story).text.index("the index is old")
        await story.press("f")
        rows.events.append(event(7, "the outline is new", job="docs", stage="outline"))
        story.clock.advance(5)
        story.engine.wake()
        await story.press()
        assert "the outline is new" not in pane(story).text


def many(first: int, last: int, job: str = "todos") -> list[EventView]:
    return [event(number, f"event {number} of {job}", job=job) for number in range(first, last)]


async def test_arrow_keys_scroll_them_and_new_ones_leave_the_place() -> None:
    rows = sample()
    rows.events = [*many(1, 100), *many(100, 200, "doc-health")]
    async with open_room(rows, "tab", "tab", *"j" * 12, size=WIDE) as story:
        view = pane(story)

        def top() -> str:
            return view.text.splitlines()[round(view.scroll_offset.y)]

        assert story.room.pane is view
        assert view.has_class("-moving")
        before = top()
        assert "event 88 of todos" in before
        rows.events += many(200, 203)
        await story.press("ctrl+r")
        assert top() == before
        await story.press("tab", "j")
        assert top().startswith("EVENTS  doc-health")


async def test_an_event_that_cannot_be_read_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_room(eventful(), "4", size=WIDE) as story:

        def broken(*_: Any) -> Any:
            raise ValueError("the file is damaged")

        monkeypatch.setattr(story.reader, "events_of_incident", broken)
        await story.press("ctrl+r")
        assert "the state cannot be read: the file is damaged" in story.text()
        assert "HTTPStatusError" in story.text()


async def test_hostile_events_are_only_text() -> None:
    rows = sample()
    told = enumerate(PAYLOADS.values(), start=1)
    rows.events = [event(number, payload, key=payload, stage=payload) for number, payload in told]
    async with open_room(rows, size=WIDE) as story:
        assert "closing [/] tag" in pane(story).text
        assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in pane(story).text.replace("\n", ""))
        assert "\x1b" not in story.text()
        assert all(cell_len(line) == 160 for line in frame_lines(story))


def drawn(events: Sequence[EventView], width: int = 40, **more: Any) -> list[Line]:
    about = Happened(about="docs", known=("docs",), events=events, **more)
    return happened_lines(about, NOW, width)


def text(lines: Sequence[Line]) -> list[str]:
    return ["".join(part.text for part in line) for line in lines]


def test_where_is_said_as_far_as_it_is_not_known() -> None:
    one = event(1, "done", job="docs", stage="read", key="a.md")
    other = event(2, "done", job="feeds")
    assert text(drawn([one, other])) == ["EVENTS  docs", "13:07:13   done  read a.md", "13:07:14   done  feeds"]


def test_long_event_takes_a_few_lines_and_none_is_too_wide() -> None:
    lines = drawn([event(1, "word " * 200, job="docs", key="k" * 100), event(2, "漢字" * 200, level="error")])
    assert all(width_of(line) <= 40 for line in lines)
    assert len(lines) <= 1 + 2 * 5
    assert any(line.startswith("13:07:14 x ") for line in text(lines))


def test_event_without_a_text_is_told_by_its_kind() -> None:
    lines = text(drawn([event(1, "", job="docs", key="k" * 60)]))
    assert lines[1].startswith("13:07:13   stage.done")


def test_bounds_are_said() -> None:
    assert text(drawn([])) == ["EVENTS  docs", "Nothing that is still known."]
    whole = text(drawn([event(number, "done", job="docs") for number in range(NEWEST)]))
    assert whole[-1] == f"The newest {NEWEST}."
    assert text(drawn([], width=80, note="Looked for in part."))[-1] == "Looked for in part."
