"""The session of an item: what its stage logs while it runs, and what was said with models."""

from __future__ import annotations

from dataclasses import replace

from engine.contracts.view import LogView, OriginView, ProgressView, TalkView
from rivus_tui.session_page import session_lines
from tests.tui.rows import NOW, detail, item, item_stage, sample
from tests.tui.story import open_room

LOG = LogView(
    stage="execute", fence=2, lines=tuple((NOW - 60_000 + n * 1000, "info", f"Edit file {n}.py") for n in range(60))
)
TALK = TalkView(
    name="plan", alias="deep", state="asking", why=None,
    turns=((NOW - 9000, "What comes [b]first[/b]?", "The parser."), (NOW - 1000, "And then?", None)),
)  # fmt: skip


def text(width: int, **changes: object) -> str:
    stage = item_stage(
        "execute",
        0,
        "running",
        started_at=NOW - 60_000,
        progress=ProgressView(done=7, total=None, text="turn 7, $0.20"),
    )
    shown = replace(detail(item(1, "Greet", "pending"), stage), **changes)
    return "\n".join("".join(part.text for part in line) for line in session_lines(shown, 0, NOW, width))


def test_what_was_said_and_logged_stands_in_order_with_how_far_it_is() -> None:
    shown = text(80, origin=OriginView(logs=(LOG, replace(LOG, fence=1))), talks=(TALK,))
    order = ("conversation plan with deep, asking", "asked  What comes [b]first[/b]?", "said   The parser.",
             "asked  And then?", "no answer yet", "execute, attempt 2", "Edit file 0.py", "Edit file 59.py",
             "runs for 1m", "turn 7, $0.20")  # fmt: skip
    places = [shown.index(part) for part in order]
    assert places == sorted(places)
    assert "attempt 1" not in shown


def test_a_stage_that_has_said_nothing_says_so() -> None:
    quiet = replace(detail(item(1, "Greet", "done"), item_stage("execute", 0, "done")))
    (line,) = session_lines(quiet, 0, NOW, 80)
    assert "execute has logged nothing" in line[0].text


async def test_the_newest_lines_are_followed_until_a_person_scrolls_up() -> None:
    rows = sample()
    old = rows.details["todos", "k0001"]
    stage = item_stage("execute", 0, "waiting", gate="accept")
    rows.details["todos", "k0001"] = replace(old, stages=(stage,), origin=OriginView(logs=(LOG,)))
    async with open_room(rows, "3", "enter", "right_square_bracket") as story:
        assert "Edit file 59.py" in story.text()
        longer = replace(LOG, lines=(*LOG.lines, (NOW, "info", "Ran the tests")))
        rows.details["todos", "k0001"] = replace(old, stages=(stage,), origin=OriginView(logs=(longer,)))
        story.room.reload(even_frozen=True)
        await story.pilot.pause()
        assert "Ran the tests" in story.text()
        await story.press("tab", "g")
        story.room.reload(even_frozen=True)
        await story.pilot.pause()
        assert "Edit file 0.py" in story.text()
