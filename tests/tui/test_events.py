"""Events: newest first, following at the top, staying put below, filtered honestly."""

from __future__ import annotations

from rivus_tui.feed import KEPT, EventFeed
from tests.tui.fakes import FakeReader
from tests.tui.rows import event, sample
from tests.tui.story import open_room


async def test_top_follows_new_events() -> None:
    rows = sample()
    async with open_room(rows, "9") as story:
        rows.events.append(event(99, "something new"))
        await story.press("ctrl+r")
        assert story.text().splitlines()[4].startswith(">")
        assert "something new" in story.text().splitlines()[4]


async def test_further_down_the_cursor_stays_on_its_event() -> None:
    rows = sample()
    async with open_room(rows, "9", "j", "j", "j") as story:
        before = story.room.situation().copyable
        rows.events.append(event(99, "something new"))
        await story.press("ctrl+r")
        assert story.room.situation().copyable == before
        assert "g follows" in story.text()


async def test_frozen_view_counts_what_it_does_not_show() -> None:
    rows = sample()
    async with open_room(rows, "9", "f") as story:
        rows.events.append(event(99, "something new"))
        story.clock.advance(5)
        story.engine.wake()
        await story.press()
        assert "something new" not in story.text()
        assert "FROZEN 14:07:12 +1" in story.text()
        await story.press("f")
        assert "something new" in story.text()
        assert "LIVE" in story.text()


async def test_level_and_words_filter() -> None:
    async with open_room(None, "9", "slash", *"level:error install", "enter") as story:
        assert "5 of 30" in story.text()
        assert "engine started" not in story.text()
        await story.press("escape")
        assert "30 events" in story.text()


async def test_scope_shows_the_events_of_its_jobs() -> None:
    rows = sample()
    rows.events = [
        event(1, "the engine begins", job=None),
        event(2, "a feed was read", job="feeds"),
        event(3, "a TODO was found"),
        event(4, "a feed was gone", job="feeds"),
    ]
    async with open_room(rows, "9") as story:
        assert "[All]" in story.line("Internal")
        assert "4 events" in story.text()
        await story.press("comma")
        assert "[External]" in story.line("Internal")
        assert "2 events" in story.text()
        assert "a TODO was found" not in story.text()
        assert "the engine begins" not in story.text()
        rows.events += [event(5, "a feed is back", job="feeds"), event(6, "a TODO is gone")]
        await story.press("ctrl+r")
        assert "a feed is back" in story.text().splitlines()[4]
        assert "a TODO is gone" not in story.text()
        await story.press("comma")
        assert "3 events" in story.text()
        assert "a feed" not in story.text()
        assert "the engine begins" in story.text()


async def test_scope_of_another_screen_holds_for_events_too() -> None:
    async with open_room(None, "9", "1", "comma", "9") as story:
        assert "[External]" in story.line("Internal")
        assert "No events of external jobs.  , shows the others." in story.text()


async def test_job_that_is_asked_for_is_shown_whatever_the_scope() -> None:
    async with open_room(None, "9", "comma", "slash", *"job:todos", "enter") as story:
        assert "30 of 30" in story.text()


async def test_wrong_level_is_said() -> None:
    async with open_room(None, "9", "slash", *"level:loud", "enter") as story:
        assert "level: one of debug, info, warning, error" in story.text()


async def test_enter_opens_the_item_of_the_event() -> None:
    rows = sample()
    rows.events.append(event(99, "accepted", key="k0001"))
    async with open_room(rows, "9", "enter") as story:
        assert "retry logic swallows CancelledError" in story.text()
        await story.press("escape", "j", "enter")
        assert story.toasts == ["this event is not about an item"]


async def test_no_events_is_said() -> None:
    rows = sample()
    rows.events.clear()
    async with open_room(rows, "9") as story:
        assert "Nothing has happened yet." in story.text()


def feed_of(number: int) -> tuple[EventFeed, FakeReader]:
    """Return a feed over so many events."""
    rows = sample()
    rows.events = [event(index, f"event {index}") for index in range(1, number + 1)]
    reader = FakeReader(rows)
    feed = EventFeed(reader)
    feed.refresh()
    return feed, reader


def test_feed_reads_older_events_on_demand() -> None:
    feed, _ = feed_of(450)
    assert feed.count() == 200
    assert feed.extend()
    assert feed.extend()
    assert feed.count() == 450
    assert not feed.extend()
    assert not feed.is_cut
    assert [row.id for row in feed.page((200,), 2)] == [250, 249]


def test_feed_puts_new_events_on_top_in_order() -> None:
    feed, reader = feed_of(10)
    reader.sample.events += [event(index, f"event {index}") for index in range(11, 500)]
    assert feed.refresh() == 489
    assert [row.id for row in feed.page(None, 3)] == [499, 498, 497]


def test_feed_starts_over_when_more_happened_than_it_holds() -> None:
    feed, reader = feed_of(10)
    reader.sample.events += [event(index, f"event {index}") for index in range(11, KEPT + 1_000)]
    feed.refresh()
    assert [row.id for row in feed.page(None, 1)] == [KEPT + 999]
    assert feed.count() == 200


def test_feed_holds_no_more_than_its_limit() -> None:
    feed, _ = feed_of(KEPT + 700)
    feed.extend_all()
    assert feed.count() == KEPT
    assert feed.is_cut
