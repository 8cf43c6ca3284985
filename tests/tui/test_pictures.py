"""Pictures of every screen: frames of text at several sizes, SVG for the README; each also says what it must show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.tui.fakes import FakeEngine
from tests.tui.pictures import check_frame, check_svg
from tests.tui.rows import Sample, sample, with_finding
from tests.tui.story import Story, open_room
from tests.tui.test_text_safety import PAYLOADS, hostile
from tests.tui.test_triage import deciding

SIZES = {"80x24": (80, 24), "100x30": (100, 30), "160x48": (160, 48)}

SCREENS: dict[str, tuple[tuple[str, ...], str]] = {
    "jobs": (("j", "j"), "> docs"),
    "items": (("2", "j"), "> rename cfg to"),
    "item": (("2", "slash", *"install", "enter", "enter"), "> outline"),
    "triage": (("3",), "waits at gate accept"),
    "doctor": (("4",), "> ! systemic"),
    "checks": (("6",), "LAST RUNS"),
    "resources": (("8",), "WAITS, IN THIS ORDER"),
    "costs": (("7",), "JOB"),
    "events": (("9", "j", "j", "j"), "> 13:07:39     x"),
}
"""Keys to the screen, and what it must show."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
async def test_picture_of_each_screen(screen: str, size: str) -> None:
    keys, shown = SCREENS[screen]
    async with open_room(None, *keys, size=SIZES[size]) as story:
        assert shown in story.text()
        check_frame(story.app, f"{screen}-{size}")


@pytest.mark.parametrize("size", [(60, 16), (40, 12)])
async def test_picture_of_a_small_split_shows_the_list(size: tuple[int, int]) -> None:
    async with open_room(None, "3", size=size) as story:
        assert "> retry logic" in story.text()
        check_frame(story.app, f"triage-{size[0]}x{size[1]}")


OTHERS: dict[str, tuple[tuple[str, ...], str]] = {
    "help": (("3", "question_mark", *"later"), "same as  rivus items snooze"),
    "why": (("j", "j", "j", "w"), "Why feeds is paused"),
    "cancel": (("2", "slash", *"upgrade", "enter", "x"), "Cancel 1 item?"),
    "attempts": (("2", "slash", *"install", "enter", "enter", "]", "]", "]"), "outline, attempt 2"),
    "marked": (("3", "space", "space"), "2 marked"),
    "decided": (("3", "a", "x"), "last: "),
    "frozen": (("9", "f"), "FROZEN"),
    "hidden": (("2", "slash", *"zzz", "enter"), "The filter hides every item."),
    "classify": (("4", "j", "t"), "What is it?"),
    "planned": (("4", "j"), "x vetoes"),
    "question": (("3", "G", "a"), "the second"),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_picture_of_a_state(name: str) -> None:
    keys, shown = OTHERS[name]
    async with open_room(None, *keys) as story:
        assert shown in story.text()
        check_frame(story.app, name)


async def test_picture_of_quit_while_running() -> None:
    async with open_room(None, "q", engine=FakeEngine(running=3)) as story:
        assert "drain: let it end, then quit" in story.text()
        check_frame(story.app, "quit")


async def test_picture_of_a_first_run() -> None:
    rows = sample()
    rows.jobs, rows.details, rows.events = [], {}, []
    rows.status = replace(rows.status, running=0, ready=0, failed=0, waiting=0)
    async with open_room(rows) as story:
        assert "No jobs yet." in story.text()
        check_frame(story.app, "first-run")


async def test_picture_of_a_viewer() -> None:
    rows = sample()
    rows.status = replace(rows.status, engine=None)
    async with open_room(rows, "3", viewer=True) as story:
        assert "read-only: no engine runs here" in story.text()
        check_frame(story.app, "viewer")


@pytest.mark.parametrize("kind", ["markup", "control", "invisible and wide"])
async def test_picture_of_hostile_text(kind: str) -> None:
    async with open_room(hostile(PAYLOADS[kind]), "3") as story:
        check_frame(story.app, f"hostile-{kind.split()[-1]}")


def segments(story: Story) -> list[Segment]:
    """Return the segments of the screen, filters applied."""
    lines = story.app.screen._compositor.render_strips(story.app.size)
    return [segment for line in lines for segment in Strip(line)]


async def test_picture_without_colour_is_legible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_room(None, "3", "j", "space") as story:
        styles = [segment.style or Style.null() for segment in segments(story)]
        assert {style.color.name for style in styles if style.color is not None} <= {"default"}
        assert {style.bgcolor.name for style in styles if style.bgcolor is not None} <= {"default"}
        cursor = [segment for segment in segments(story) if segment.text.startswith("add --json")]
        assert cursor[0].style is not None
        assert cursor[0].style.reverse
        check_frame(story.app, "no-color")


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "nord"])
async def test_themes_draw_the_same_words(theme: str) -> None:
    async with open_room(None, "3", theme=theme) as story, open_room(None, "3") as usual:
        assert story.text() == usual.text()


SHOTS: dict[str, tuple[tuple[str, ...], tuple[int, int]]] = {
    "jobs": (("j", "j"), (100, 30)),
    "items": (("2", "j", "j"), (120, 30)),
    "item": (("2", "slash", *"install", "enter", "enter"), (100, 30)),
    "triage": (("3", "j"), (120, 32)),
    "triage-80x24": (("3", "a", "x", "j"), (80, 24)),
    "doctor": (("4",), (120, 34)),
    "checks": (("6",), (100, 30)),
    "resources": (("8",), (100, 30)),
    "costs": (("7",), (120, 30)),
    "timeline": (("2", "slash", *"install", "enter", "enter", "["), (100, 24)),
    "events": (("9", "j", "j", "j"), (100, 30)),
    "help": (("3", "question_mark"), (100, 30)),
    "cancel": (("2", "slash", *"upgrade", "enter", "x"), (100, 30)),
}


def shown_rows() -> Sample:
    """Return rows without text that needs fonts a browser may lack."""
    rows = sample()
    rows.details = {key: one for key, one in rows.details.items() if one.item.title.isascii()}
    return rows


@pytest.mark.parametrize("name", SHOTS)
async def test_picture_for_the_readme(name: str) -> None:
    keys, size = SHOTS[name]
    rows = with_finding(shown_rows()) if name == "checks" else shown_rows()
    async with open_room(rows, *keys, size=size, engine=deciding(rows)) as story:
        check_svg(story.app, name)
