from __future__ import annotations

import json
import logging
import stat
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kit.clock import ManualClock, SystemClock
from engine.kit.exceptions import MESSAGE_LIMIT, TRACEBACK_LIMIT, describe, first_line
from engine.kit.logs import JsonLines, PlainLines, open_log
from engine.kit.safe_text import safe_block, safe_line

anything = st.text(st.characters(codec=None))


def is_harmless(text: str, allowed: str = "") -> bool:
    return all(
        character in allowed or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") for character in text
    )


@given(anything, st.integers(1, 50))
def test_line_is_one_short_harmless_line_and_stays_so(text: str, limit: int) -> None:
    line = safe_line(text, limit)
    assert len(line) <= limit
    assert is_harmless(line)
    assert safe_line(line, limit) == line
    line.encode()


@given(anything)
def test_block_keeps_only_breaks_and_tabs(text: str) -> None:
    block = safe_block(text)
    assert is_harmless(block, "\n\t")
    assert safe_block(block) == block
    block.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\x1b[2Jb", "a␛[2Jb"),
        ("a\r\n\tb ", "a b"),
        ("a\u202eb", "a⟨202E⟩b"),
        ("a\u200bb", "a⟨200B⟩b"),
        ("a\x9bb", "a⟨9B⟩b"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("[red]markup[/]", "[red]markup[/]"),
        ("\U000e0041", "⟨E0041⟩"),
    ],
)
def test_what_could_do_harm_is_made_visible(text: str, line: str) -> None:
    assert safe_line(text) == line


def test_cut_text_says_so() -> None:
    assert safe_line("x" * 20, 10) == "x" * 9 + "…"
    assert safe_block("x" * 20, 10) == "x" * 10 + "\n… (cut after 10 characters)"


class Wicked(Exception):
    """Everything it says about itself goes wrong."""

    def __str__(self) -> str:
        raise KeyboardInterrupt

    __repr__ = __str__


@pytest.mark.parametrize(
    "error",
    [Wicked(), ValueError("x" * 10_000_000), ValueError("\x1b]0;x\x07\ud800"), ExceptionGroup("g", [OSError()])],
)
def test_exception_is_described_in_bounds_whatever_it_does(error: Exception) -> None:
    try:
        raise error
    except Exception as raised:
        told = describe(raised)
    assert told.error_type == type(error).__name__
    assert len(told.message) <= MESSAGE_LIMIT + 100
    assert len(told.traceback) <= TRACEBACK_LIMIT + 100
    assert is_harmless(told.message + told.traceback, "\n\t")


def test_traceback_holds_no_local_variables() -> None:
    password = "hunter2"  # it must not be told
    try:
        raise ValueError("no")
    except ValueError as raised:
        told = describe(raised)
    assert password not in told.traceback.replace('password = "hunter2"', "")
    assert first_line(told) == "ValueError: no"
    assert first_line(describe(ValueError())) == "ValueError"


def test_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(1_000)
    assert (clock.now(), clock.monotonic()) == (1_000, 0.0)
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic()) == (2_500, 1.5)


def test_clock_of_the_machine_is_in_milliseconds() -> None:
    clock = SystemClock()
    assert 1_600_000_000_000 < clock.now() < 10_000_000_000_000
    assert clock.monotonic() <= clock.monotonic()


def record(text: str, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("rivus", logging.WARNING, __file__, 1, text, None, None)
    vars(made).update(more)
    return made


def test_log_is_one_json_object_a_line() -> None:
    told = json.loads(JsonLines().format(record("a\x1b[2J\nb", job="docs")))
    assert (told["text"], told["job"], told["level"], told["logger"]) == ("a␛[2J\nb", "docs", "warning", "rivus")
    assert "\n" not in JsonLines().format(record("a\nb"))


def test_plain_log_is_one_line_whatever_it_holds() -> None:
    text = PlainLines().format(record("a\x1b[2J\nb", item="k"))
    assert text.endswith("warning k: a␛[2J b")
    assert "\n" not in text


def test_log_file_is_its_owners_alone(tmp_path: Path) -> None:
    handler = open_log(tmp_path / "rivus.log")
    handler.handle(record("hello"))
    handler.close()
    assert stat.S_IMODE((tmp_path / "rivus.log").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "rivus.log").read_text())["text"] == "hello"


def test_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = open_log(tmp_path / "rivus.log")
    (tmp_path / "other").touch()
    with (tmp_path / "other").open() as only_read:
        written = handler.setStream(only_read)  # type: ignore[attr-defined]
        handler.handle(record("lost"))
        handler.setStream(written)  # type: ignore[attr-defined]
    handler.close()
    assert capsys.readouterr() == ("", "")
