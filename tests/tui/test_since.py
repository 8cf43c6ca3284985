"""What a person is told who comes back, and before a job goes on that costs something."""

from __future__ import annotations

from engine.contracts.since import JobSince, SinceView
from rivus_tui.memory import Memory
from tests.tui.rows import NOW, Sample, sample
from tests.tui.story import open_room

HOUR = 3_600_000


def busy() -> Sample:
    rows = sample()
    rows.since = SinceView(
        since=NOW - 14 * HOUR,
        jobs=(
            JobSince(job="docs", finished=120, failed=3, usd_micros=1_250_000, new=130),
            JobSince(job="feeds", finished=1, failed=0, usd_micros=0, new=0),
        ),
        incidents=("[/] KeyError (code_bug, 3 times)",),
        incidents_open=2,
        failed=7,
        waiting=1,
        paused={"feeds": "a code_bug of \x1b[31mfetch"},
        deeds={"accept": 2, "retry": 1},
    )
    return rows


async def test_who_comes_back_is_told_at_once_and_a_key_goes_on() -> None:
    async with open_room(busy(), memory=Memory(seen_at=NOW - 14 * HOUR), size=(100, 30)) as story:
        await story.press()
        text = story.text()
        assert "docs  120 done, 3 given up, 130 new, $1.25" in text
        assert "[/] KeyError (code_bug, 3 times)" in text
        assert "and 1 more incidents" in text
        assert "1 item waits for you" in text
        assert "done by hand  accept (2), retry" in text
        assert "\x1b" not in text
        await story.press("3")
        assert "[3 Triage" in story.text()
        assert "Since" not in story.line("KeyError")


async def test_who_was_here_a_moment_ago_or_missed_nothing_is_told_nothing() -> None:
    for rows, seen_at in ((busy(), NOW - 60_000), (busy(), 0), (sample(), NOW - 14 * HOUR)):
        async with open_room(rows, memory=Memory(seen_at=seen_at)) as story:
            await story.press()
            assert "Esc closes" not in story.text()
            await story.press("L")
            assert "Since" in story.text()


async def test_room_remembers_when_it_was_left() -> None:
    memory = Memory()
    async with open_room(None, memory=memory) as story:
        story.clock.advance(5)
    assert memory.seen_at == NOW + 5_000


async def test_resume_that_spends_asks_with_what_it_will_spend() -> None:
    rows = sample()
    rows.costly = {"feeds"}
    async with open_room(rows, "j", "j", "j", "p") as story:
        assert "Resume feeds?" in story.text()
        assert "at most $2.50 and takes about 1h00" in story.text()
        story.clock.advance(1)
        await story.press("enter")
        assert story.commands == []
        await story.press("p")
        story.clock.advance(1)
        await story.press("y")
        assert story.commands == [("resume", {"job": "feeds"})]
