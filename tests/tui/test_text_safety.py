"""Text from outside is shown as it is: no markup, no control bytes, no moved columns, whatever it looks like."""

from __future__ import annotations

import ast
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App

from engine.contracts.commands import CommandOutcome
from rivus_tui.rooms import standing
from tests.tui.fakes import FakeEngine
from tests.tui.pictures import ROOT
from tests.tui.rows import Sample, attempt, detail, event, item, item_stage, job, run, sample, stage
from tests.tui.story import open_room

PAYLOADS = {
    "markup": "closing [/] tag [/foo] [red]list[int] [@click=app.quit]x[/] [link=https://evil.example]x[/link]",
    "cut markup": "[/",
    "control": "\x1b]0;PWNED\x07t \x1b[2J\x1b[H\x1b[31mred \x1b]52;c;ZXZpbA==\x07 \x9b31m\x90q\x9c a\nb\r\tc\x0b\x0c",
    "invisible and wide": "\u202egnp.exe \u2066 bidi \u200b zero e\u0301\u0301\u0301 combining \ufe0f "
    + "漢字のファイル名で列が崩れる 👩‍👩‍👧‍👦👍🏽❤️🇩🇪 " * 3,
    "long": "x" * 3_000,
}
OTHERS = tuple((room.key,) for room in standing() if room.mode not in ("jobs", "items"))
STEPS = (
    *((), ("w",), ("escape", "2"), ("w",), ("escape", "enter"), *[("]",)] * 5),
    *OTHERS,
    *(("question_mark",), ("escape", "ctrl+p"), ("escape",)),
)
"""Keys that lead over every screen, every part of an item, help and palette, one after the other."""

PIECES = (
    "[", "]", "[/", "[/]", "[b]", "[@click=app.quit]", "[link=x]", "\\[", "$x", "{0}", "%s", "\x1b[31m", "\x1b]0;t\x07",
    "\x1b]52;c;eA==\x07", "\x1bP1$r\x1b\\", "\x9b31m", "\x90q\x9c", "\x07", "\x08", "\x7f", "\x00", "\r", "\n", "\t",
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\ufe0f", "e\u0301", "\u0301" * 9, "漢字", "👩‍👩‍👧‍👦", "🇩🇪",
    "👍🏽", "ﷺ", "𝕏", "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace"), "'; DROP TABLE items --",
    "=cmd|' /C calc'!A0", "../../etc/passwd", "a" * 300, " ", "  ", "job:x", "!", "re:(a+)+$", "<script>",
)  # fmt: skip


def generated(number: int) -> list[str]:
    """Return payloads put together from nasty pieces, the same ones at every run."""
    chance = random.Random(4711)
    return ["".join(chance.choices(PIECES, k=chance.randint(1, 9))) for _ in range(number)]


FUZZ = generated(int(os.environ.get("RIVUS_FUZZ", "1")))
"""A few in `make test`, two hundred in `make fuzz`."""


def hostile(payload: str) -> Sample:
    """Return rows with the payload everywhere that text can come from outside."""
    rows = sample()
    rows.status = replace(rows.status, problem=payload)
    rows.jobs = [
        job(
            payload,
            stage(payload, 0, {"ready": 1, "waiting": 2}, gate=payload),
            title=payload, emoji=payload, why=payload, last_error=payload, state="paused",
            last_run=run("x", state="failed", error=payload),
        ),
        job(f"{payload}!", title=payload, is_check=True, findings_to=payload, last_run=run(payload, error=payload)),
    ]  # fmt: skip
    output = {
        "summary": payload,
        "facts": [[payload, payload]],
        "snippet": {"path": payload, "start": 1, "here": 2, "lines": [payload, payload]},
        payload: {payload: [payload, {payload: payload}]},
        "text": payload * 3,
    }
    rows.limits = [replace(one, name=payload, pace=payload if one.pace else None) for one in rows.limits]
    rows.limits = [
        replace(one, uses=tuple(replace(use, job=payload, stage=payload) for use in one.uses)) for one in rows.limits
    ]
    rows.coming = [replace(one, job=payload, stage=payload, key=payload, title=payload) for one in rows.coming]
    rows.runs = [run(payload, state="failed", error=payload)]
    rows.details = {}
    for number in (1, 2):
        view = item(
            number, payload, "waiting", key=f"{payload}{number}", job=payload, path=payload, why=payload,
            headings=(payload, payload), stage=payload, data={payload: payload, "rule": payload}, source=f"{payload}!",
        )  # fmt: skip
        rows.details[view.job, view.key] = detail(
            view,
            item_stage(payload, 0, "failed", output=output, why=payload),
            item_stage("gate", 1, "waiting", gate=payload, why=payload, choices=(payload,), after=(payload,)),
            attempts=(attempt(payload, 1, payload, payload),),
        )
    rows.events = [
        event(number, payload, kind=payload, job=payload, key=payload, stage=payload, data={payload: payload})
        for number in range(1, 4)
    ]
    return rows


def rows_of(app: App[Any]) -> list[str]:
    """Return the rows of the screen, each from its segments."""
    lines = app.screen._compositor.render_strips(app.size)
    return ["".join(segment.text for segment in line) for line in lines]


def dangerous(row: str) -> list[str]:
    """Return the signs that would steer a terminal."""
    return [sign for sign in row if ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 or sign in "\u202e\u2066\u200b"]


@pytest.mark.parametrize("payload", [*PAYLOADS.values(), *FUZZ], ids=[*PAYLOADS, *map(str, range(len(FUZZ)))])
async def test_hostile_text_is_harmless_on_every_screen(payload: str) -> None:
    async with open_room(hostile(payload), size=(100, 30), note=payload) as story:
        for keys in STEPS:
            await story.press(*keys)
            for row in rows_of(story.app):
                assert dangerous(row) == []
                assert cell_len(row) == 100, row
        assert story.app.is_running


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
async def test_hostile_text_is_harmless_in_toasts_and_dialogs(payload: str) -> None:
    engine = FakeEngine()
    engine.effects["accept"] = lambda _: CommandOutcome(ok=True, message=payload, operation=1)
    engine.effects["drop"] = lambda _: CommandOutcome(ok=False, message=payload)
    async with open_room(hostile(payload), "3", "a", "x", "N", engine=engine, size=(100, 30)) as story:
        assert "until when?" in story.text()
        for row in rows_of(story.app):
            assert dangerous(row) == []
        story.clock.advance(1)
        await story.press("escape", "slash", *"[/foo] state:[x]", "enter")
        assert story.app.is_running


# What text reaches a widget of Textual's own must be a literal, or go through a door that reads no markup.
DOORS = frozenset({"Static", "Label", "Button", "update", "notify", "add_row", "add_column", "set_title", "Option"})
ATTRIBUTES = frozenset({"border_title", "border_subtitle", "tooltip"})


def bare_text(tree: ast.AST) -> list[int]:
    """Return the lines where text that is not a literal goes to a widget that reads markup."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
            if targets & ATTRIBUTES and not isinstance(node.value, ast.Constant):
                found.append(node.lineno)
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in DOORS or not node.args:
            continue
        plain = any(
            word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
            for word in node.keywords
        )
        first = node.args[0]
        typed = isinstance(first, ast.Call) and getattr(first.func, "id", "") in ("Text", "Content")
        if not (plain or typed or isinstance(first, ast.Constant)):
            found.append(node.lineno)
    return found


SOURCES = sorted(path for path in (ROOT / "rivus_tui").rglob("*.py") if "cli" not in path.parts)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_text_goes_to_a_widget_that_reads_markup(path: Path) -> None:
    assert bare_text(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_ban_finds_what_it_is_there_for() -> None:
    for bad in ("Static(f'{x}')", "self.notify(x)", "w.border_title = title", "t.add_row(a, b)", "l.update(x + y)"):
        assert bare_text(ast.parse(bad)) == [1], bad
    for good in ("Static('x')", "self.notify(x, markup=False)", "t.update(Text(x))", "w.border_title = 'x'"):
        assert bare_text(ast.parse(good)) == [], good
