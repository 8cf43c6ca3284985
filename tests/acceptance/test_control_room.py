"""The control room in a terminal: triage with keys, leave, and lose the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.command_line import Rivus
from tests.acceptance.terminal import PROMPT, Terminal
from tests.acceptance.waiting import wait_until

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

NAMES = [f"Task {n}" for n in "abcdefgh"]


@pytest.fixture
def terminal(rivus: Rivus) -> Iterator[Terminal]:
    """A shell at 80x24 in a project with eight TODOs."""
    rivus.write({"TODO.md": "# To do\n\n" + "".join(f"- [ ] {name}\n" for name in NAMES)})
    terminal = Terminal(rivus.root)
    yield terminal
    terminal.close()


def rooms_on(state: Path) -> list[psutil.Process]:
    """Every rivus on this state directory."""
    return [one for one in psutil.process_iter(["cmdline"]) if str(state) in (one.info["cmdline"] or [])]


def processes_of(state: Path) -> list[psutil.Process]:
    """The same with all that they started."""
    return [process for room in rooms_on(state) for process in (room, *room.children(recursive=True))]


def states(rivus: Rivus) -> dict[str, str]:
    return {item["title"]: item["state"] for item in rivus("todo", "list", "--json").objects}


def test_triage_with_keys_and_a_clean_way_out(rivus: Rivus, terminal: Terminal) -> None:
    terminal.type(rivus.line())
    terminal.sees(r"todos .* 8 ")
    assert terminal.modes()[0] == "1"
    terminal.press("3")
    terminal.sees(r"^> Task a ")
    for n in range(5):
        terminal.press("a")
        terminal.sees(rf"^> {NAMES[n + 1]} ")
    terminal.sees("3 Triage 3")
    terminal.press("u")
    terminal.sees("undid accept of 1 item")
    terminal.sees("3 Triage 4")
    wait_until(
        lambda: list(states(rivus).values()) == ["done"] * 4 + ["waiting"] * 4, lambda: f"items are {states(rivus)}"
    )
    terminal.press("2")
    terminal.sees(r"^. Task d +. done ")
    terminal.sees(r"^. Task e +. waiting ")
    terminal.press("q")
    terminal.sees(rf"4 accepted[^\0]*\n{PROMPT.strip()}")
    assert terminal.modes() == "010"
    terminal.type(["echo", "still", "here"])
    terminal.sees("^still here")
    assert not processes_of(rivus.state)
    assert "Traceback" not in terminal.screen()


def test_terminal_that_goes_away_leaves_nothing_running(rivus: Rivus, terminal: Terminal) -> None:
    terminal.type(rivus.line())
    terminal.sees(r"todos .* 8 ")
    engine = rivus("status", "--json").object["engine"]
    assert engine["mode"] == "app"
    terminal.kill_session()
    wait_until(lambda: not processes_of(rivus.state), lambda: f"still there: {processes_of(rivus.state)}")
    assert rivus("status", "--json").object["engine"] is None
    assert list(terminal.temporary.iterdir()) == []
    assert rivus("run", "todos", "--once", "--json").object["waiting"] == 8
    kinds = [event["kind"] for event in rivus("events", "--json").objects]
    assert kinds.count("engine.stopped") == 2


def test_second_room_works_on_the_same_engine(rivus: Rivus, terminal: Terminal) -> None:
    terminal.type(rivus.line())
    terminal.sees(r"todos .* 8 ")
    pid = rivus("status", "--json").object["engine"]["pid"]
    terminal.ask("new-window", "-t", "room", "-c", str(rivus.root), *rivus.line())
    terminal.sees(rf"ATTACHED to the engine of process {pid} \(app\)")
    terminal.press("3")
    terminal.sees(r"^> Task a ")
    terminal.press("a")
    wait_until(lambda: "done" in states(rivus).values(), lambda: terminal.screen())
    terminal.press("q")
    wait_until(lambda: len(rooms_on(rivus.state)) == 1, lambda: terminal.screen())
    assert rivus("status", "--json").object["engine"]["pid"] == pid


def test_room_that_only_looks_changes_nothing(rivus: Rivus, terminal: Terminal) -> None:
    rivus("run", "todos", "--once")
    terminal.type([*rivus.line(), "--read-only"])
    terminal.sees("READ-ONLY: this room only looks")
    terminal.press("3")
    terminal.sees(r"^> Task a ")
    terminal.press("a", "a")
    terminal.press("q")
    terminal.sees(rf"\n{PROMPT.strip()}")
    assert set(states(rivus).values()) == {"waiting"}
