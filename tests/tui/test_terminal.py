"""A real terminal: tmux at 80x24 with its default settings, real keys, a prompt that comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.pictures import ROOT

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs a tmux binary"),
]

PATIENCE_S = 20.0


class Terminal:
    """One tmux server with one pane."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)
        self._pause = threading.Event()

    def tmux(self, *args: str) -> str:
        """Run a tmux command and return what it prints."""
        return subprocess.run(
            ["tmux", "-S", self._socket, "-f", os.devnull, *args], capture_output=True, text=True, check=True
        ).stdout

    def open(self, command: str) -> None:
        """Run a command in an 80x24 pane."""
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", f"{command}; echo ended with $?; exec cat")

    def keys(self, *keys: str) -> None:
        """Press keys."""
        self.tmux("send-keys", *keys)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self.tmux("capture-pane", "-p")

    def wait(self, is_there: Callable[[str], bool]) -> str:
        """Return the screen once it shows something."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_there(text := self.screen()):
            assert time.monotonic() < deadline, text
            self._pause.wait(0.05)
        return text


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal on its own socket, ended with the test."""
    terminal = Terminal(tmp_path / "s")
    yield terminal
    subprocess.run(["tmux", "-S", str(tmp_path / "s"), "kill-server"], capture_output=True, check=False)


def demo(options: str = "") -> str:
    """Return the command line of the control room on canned rows."""
    return f"cd {ROOT} && env -u COLUMNS -u LINES TZ=UTC {sys.executable} -m tests.tui.demo {options}"


def test_keys_screens_and_a_clean_end(terminal: Terminal) -> None:
    terminal.open(demo())
    terminal.wait(lambda text: "scanner" in text and "Enter Open" in text)
    terminal.keys("3")
    terminal.wait(lambda text: "[3 Triage 14]" in text)
    terminal.keys("a", "x")
    terminal.wait(lambda text: "2 triaged this session, 12 left" in text)
    terminal.keys("u")
    terminal.wait(lambda text: "1 triaged this session, 13 left" in text)
    terminal.keys("q")
    ended = terminal.wait(lambda text: "ended with 0" in text)
    assert "Triage" not in ended


def test_escape_acts_at_once_in_tmux(terminal: Terminal) -> None:
    terminal.open(demo())
    terminal.wait(lambda text: "scanner" in text)
    terminal.keys("2")
    terminal.wait(lambda text: "[2 Items]" in text)
    terminal.keys("Enter")
    terminal.wait(lambda text: "[Output]" in text)
    terminal.keys("Escape")
    terminal.wait(lambda text: "17 of 17" in text)
    terminal.keys("BSpace")
    terminal.wait(lambda text: "[1 Jobs]" in text)


def test_quit_asks_and_stops_as_told(terminal: Terminal) -> None:
    terminal.open(demo("--busy 2"))
    terminal.wait(lambda text: "scanner" in text)
    terminal.keys("q")
    terminal.wait(lambda text: "2 running" in text)
    # A key within the first 150 ms would count as a repeat of the key that asked.
    terminal.wait(_after(0.2))
    terminal.keys("s")
    terminal.wait(lambda text: "ended with 0" in text)


def _after(seconds: float) -> Callable[[str], bool]:
    until = time.monotonic() + seconds
    return lambda _: time.monotonic() >= until


SIZES = ((20, 4), (1, 1), (400, 100), (60, 16), (80, 24))
"""Columns and rows, from what a split can leave to what a wall of screens has."""


def test_resizing_keeps_cursor_and_filter_at_any_size(terminal: Terminal) -> None:
    terminal.open(demo("--many 500"))
    terminal.wait(lambda text: "scanner" in text)
    terminal.keys("2", "/")
    terminal.wait(lambda text: "words, or job:" in text)
    terminal.keys("i", "t", "e", "m", "Space", "1", "0", "0", "Enter", "j", "j")
    terminal.wait(lambda text: "> generated item 1002" in text and "key k1002" in text)
    for columns, rows in SIZES:
        terminal.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        if (columns, rows) == (400, 100):
            wide = terminal.wait(lambda text: "? help" in text and max(map(len, text.splitlines())) > 300)
            assert "> generated item 1002" in wide
        elif rows >= 4:
            terminal.wait(lambda text: "item 1002" in text or "[2 Items]" in text)
    terminal.wait(lambda text: "> generated item 1002" in text and "key k1002" in text and "? Help" in text)
    terminal.keys("q")
    terminal.wait(lambda text: "ended with 0" in text)


def paste(terminal: Terminal, text: str) -> None:
    """Paste as a terminal does, in brackets where the app has asked for them."""
    terminal.tmux("set-buffer", text)
    terminal.tmux("paste-buffer", "-p", "-r")


HOSTILE = "\x1b]0;PWNED\x07\x1b]52;c;ZXZpbA==\x07axq\x1b[31m"


def test_paste_into_a_list_runs_nothing_and_into_the_filter_is_its_first_line(terminal: Terminal) -> None:
    terminal.open(demo())
    terminal.wait(lambda text: "scanner" in text)
    terminal.keys("3")
    terminal.wait(lambda text: "[3 Triage 14]" in text)
    paste(terminal, "aaaa\nxxxx\nq\n")
    paste(terminal, HOSTILE)
    terminal.keys("j")
    shown = terminal.wait(lambda text: "> rename cfg" in text)
    assert "0 triaged this session, 14 left" in shown
    terminal.keys("/")
    terminal.wait(lambda text: "words, or file:" in text)
    paste(terminal, "rename\nxxxx\nq\n")
    terminal.wait(lambda text: "1 of" in text)
    terminal.keys("Enter")
    shown = terminal.wait(lambda text: "/ rename" in text and "> rename cfg" in text)
    assert "0 triaged this session, 14 left" in shown
    # Esc and the next key in one piece would be alt and that key.
    terminal.keys("Escape")
    terminal.wait(lambda text: "11 of 11" in text)
    terminal.keys("/")
    terminal.wait(lambda text: "words, or file:" in text)
    paste(terminal, HOSTILE)
    terminal.wait(lambda text: "]0;PWNED" in text)
    assert "PWNED" not in terminal.tmux("display-message", "-p", "#{pane_title}")
    terminal.keys("Enter", "q")
    terminal.wait(lambda text: "ended with 0" in text)
