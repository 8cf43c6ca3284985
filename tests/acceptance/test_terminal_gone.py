"""Terminals that are put aside, made small, or taken away, with work running: the engine keeps what it promises."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest

from tests.acceptance.command_line import Rivus
from tests.acceptance.terminal import PROMPT, Terminal
from tests.acceptance.waiting import wait_until

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

JOBS = """\
jobs:
  letters:
    discovery: {use: mine.discover, every: 1h}
    stages:
      - read: {handler: mine.read, timeout: 5m}
      - sort: {handler: mine.sort}
"""
MINE = '''\
"""Letters that are read as soon as a file `open` is there."""

import asyncio

from engine.contracts.item import Candidate


async def discover(ctx):
    for number in range(6):
        yield Candidate(key=f"letter {number}", title=f"Letter {number}")


async def read(ctx):
    while not (ctx.root / "open").exists():
        await asyncio.sleep(0.05)
    with (ctx.root / "read.txt").open("a") as told:
        told.write(f"{ctx.item.key}\\n")
    return {"text": ctx.item.title}


async def sort(ctx):
    return {"size": len(ctx.upstream["read"]["text"])}
'''


@pytest.fixture
def letters(rivus: Rivus) -> Rivus:
    """Six letters, of which some are being read until there is a file `open`."""
    rivus.write({"jobs.yaml": JOBS, "mine.py": MINE})
    return rivus


@pytest.fixture
def terminal(letters: Rivus) -> Iterator[Terminal]:
    """A shell at 80x24 in that project."""
    terminal = Terminal(letters.root)
    yield terminal
    terminal.close()


def states(rivus: Rivus) -> list[str]:
    return sorted(item["state"] for item in rivus("items", "list", "--json").objects)


def engine_of(rivus: Rivus) -> psutil.Process:
    return psutil.Process(rivus("status", "--json").object["engine"]["pid"])


def test_ctrl_z_and_fg_let_room_and_engine_go_on(letters: Rivus, terminal: Terminal) -> None:
    terminal.type(letters.line())
    terminal.sees(r"> 4 run")
    room = engine_of(letters)
    terminal.press("C-z")
    terminal.sees("4 running: to the shell\\?")
    # A key within the first 150 ms would count as a repeat of the key that asked.
    threading.Event().wait(0.2)
    terminal.press("y")
    wait_until(lambda: room.status() == psutil.STATUS_STOPPED, terminal.screen)
    terminal.sees(rf"Stopped[^\0]*\n{PROMPT.strip()}")
    assert terminal.modes() == "010"
    assert states(letters) == ["pending"] * 6
    (letters.root / "open").touch()
    terminal.type(["fg"])
    terminal.sees(r"letters +o idle .* 6 +0 +0 ")
    assert terminal.modes()[0] == "1"
    assert states(letters) == ["done"] * 6
    terminal.press("2")
    terminal.sees(r"^> Letter 0 ")
    terminal.ask("resize-window", "-t", "room", "-x", "130", "-y", "20")
    terminal.sees(r"1 Jobs \[2 Items\] 3 Triage")
    terminal.press("C-z")
    terminal.sees(rf"Stopped[^\0]*\n{PROMPT.strip()}")
    terminal.type(["fg"])
    terminal.sees(r"^> Letter 0 ")
    terminal.press("q")
    terminal.sees(rf"\n{PROMPT.strip()}")
    assert terminal.modes() == "010"


def test_interrupt_of_an_editor_is_the_editors_alone(letters: Rivus, terminal: Terminal) -> None:
    terminal.type(["export", "EDITOR=sh -c 'echo it begins; sleep 600'"])
    terminal.type(letters.line())
    terminal.sees(r"> 4 run")
    room = engine_of(letters)
    terminal.press("e")
    terminal.sees("^it begins")
    terminal.press("C-c")
    terminal.sees("ended with code")
    assert engine_of(letters) == room
    (letters.root / "open").touch()
    wait_until(lambda: states(letters) == ["done"] * 6, terminal.screen)


def test_lost_terminal_ends_its_engine_and_the_next_one_finishes_the_work(letters: Rivus, terminal: Terminal) -> None:
    terminal.type(letters.line())
    terminal.sees(r"> 4 run")
    room = engine_of(letters)
    terminal.kill_session()
    # The engine lets attempts end within its grace period; these do.
    (letters.root / "open").touch()
    wait_until(lambda: not room.is_running() or room.status() == psutil.STATUS_ZOMBIE, room.status)
    assert letters("status", "--json").object["engine"] is None
    letters("run", "letters", "--once")
    assert states(letters) == ["done"] * 6
    told = (letters.root / "read.txt").read_text().split("\n")[:-1]
    assert sorted(told) == [f"letter {number}" for number in range(6)]
    with closing(sqlite3.connect(letters.state / "rivus.db")) as connection:
        # Shell and terminal both send a SIGHUP; the second is nobody who insists.
        assert connection.execute("SELECT max(interruptions) FROM item_stages").fetchall() == [(0,)]


def test_room_ends_however_many_signals_come_at_once(letters: Rivus, terminal: Terminal) -> None:
    terminal.type(letters.line())
    terminal.sees(r"> 4 run")
    room = engine_of(letters)
    (letters.root / "open").touch()
    for _ in range(300):
        room.send_signal(signal.SIGHUP)
    wait_until(lambda: not room.is_running() or room.status() == psutil.STATUS_ZOMBIE, room.status)


def test_lost_terminal_of_an_attached_room_leaves_the_engine_alone(letters: Rivus, terminal: Terminal) -> None:
    engine = subprocess.Popen(letters.line("--serve"), cwd=letters.root, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: letters("status", "--json").object["engine"] is not None, lambda: engine.poll())
        terminal.type(letters.line())
        terminal.sees("ATTACHED to the engine of process")
        terminal.kill_session()
        (letters.root / "open").touch()
        wait_until(lambda: states(letters) == ["done"] * 6, lambda: states(letters))
        assert engine.poll() is None
    finally:
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(timeout=40) == 0
