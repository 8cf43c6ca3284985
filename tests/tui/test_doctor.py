"""The doctor's screen: incidents by cause, a person's word, and what cannot be done said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.incidents import incident
from tests.tui.rows import sample
from tests.tui.story import open_room
from tests.tui.test_text_safety import PAYLOADS


async def test_each_incident_is_one_line_with_class_hits_and_action() -> None:
    async with open_room(None, "4") as story:
        assert "4 Doctor" in story.text()
        for words in (("systemic", "7", "job paused"), ("code_bug", "will todo"), ("item", "1,204", "failed")):
            line = story.line(words[0])
            assert all(word in line for word in words)


@pytest.mark.parametrize(
    ("key", "command", "args"),
    [
        ("a", "apply", {"incident": "1"}),
        ("x", "dismiss", {"incident": "1"}),
        ("T", "send", {"incident": "1"}),
        ("r", "probe", {"job": "feeds"}),
        ("R", "clear-errors", {"job": "feeds"}),
    ],
)
async def test_one_key_is_one_command(key: str, command: str, args: dict[str, str]) -> None:
    async with open_room(None, "4") as story:
        await story.press(key)
        assert story.commands == [(command, args)]


async def test_classify_asks_what_it_is() -> None:
    async with open_room(None, "4", "j") as story:
        await story.press("t")
        assert "What is it?" in story.text()
        story.clock.advance(1)
        await story.press("s")
        assert story.commands == [("overrule", {"incident": "2", "class": "systemic"})]


async def test_probe_without_a_breaker_says_why_not() -> None:
    async with open_room(None, "4", "j", "r") as story:
        assert story.commands == []
        assert any("no breaker is open" in toast for toast in story.toasts)


async def test_parts_and_filter_narrow_the_list() -> None:
    rows = sample()
    rows.incidents.append(incident(6, "an old one", state="resolved", cls="item"))
    async with open_room(rows, "4") as story:
        assert "an old one" not in story.text()
        await story.press("right_square_bracket")
        assert "an old one" in story.text()
        await story.press("slash", *"keyerror", "enter")
        assert "1 of 6" in story.text()
        await story.press("escape")
        assert "6 of 6" in story.text()


async def test_the_bell_rings_when_an_incident_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sample()
    rows.status = replace(rows.status, rings=5)
    async with open_room(rows, "4") as story:
        rung: list[bool] = []
        monkeypatch.setattr(story.app, "bell", lambda: rung.append(True))
        story.room.reload()
        assert rung == []
        rows.status = replace(rows.status, rings=6)
        story.room.reload()
        story.room.reload()
        assert rung == [True]
        rows.status = replace(rows.status, rings=None)
        story.room.reload()
        assert rung == [True]


async def test_nothing_wrong_says_so() -> None:
    rows = sample()
    rows.incidents = []
    rows.status = replace(rows.status, badges={})
    async with open_room(rows, "4") as story:
        assert "Nothing is wrong." in story.text()


@pytest.mark.parametrize("kind", PAYLOADS)
async def test_hostile_error_text_stays_text(kind: str) -> None:
    rows = sample()
    text = PAYLOADS[kind]
    told = {"exc_type": text, "message": text, "traceback_tail": text, "keys": [text]}
    rows.incidents = [incident(1, text, reason=text, fix=text, jobs=(text,), evidence=told)]
    async with open_room(rows, "4") as story:
        shown = story.text()
        assert not any((ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 for char in shown)
