"""One engine, many hands: command lines and rooms on an engine that runs elsewhere."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.command_line import Rivus
from tests.acceptance.terminal import Terminal
from tests.acceptance.waiting import wait_until

Served = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def serve(todos: Rivus) -> Iterator[Served]:
    """Start `rivus --serve` and wait until it has found the three TODOs."""
    begun: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        engine = subprocess.Popen(
            todos.line("--serve"), cwd=todos.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        begun.append(engine)
        wait_until(lambda: len(waiting(todos)) == 3, lambda: waiting(todos))
        return engine

    yield start
    for engine in begun:
        engine.kill()
        engine.wait()


@pytest.fixture
def terminal(todos: Rivus) -> Iterator[Terminal]:
    made = Terminal(todos.root)
    yield made
    made.close()


def waiting(rivus: Rivus) -> list[str]:
    """Keys of the TODOs that an engine has found, where one has stored anything yet."""
    ran = rivus("todo", "list", "--json", code=None)
    return [item["key"] for item in ran.objects if item["state"] == "waiting"] if ran.code == 0 else []


def states(rivus: Rivus) -> list[str]:
    return [item["state"] for item in rivus("todo", "list", "--json").objects]


def test_commands_of_the_command_line_reach_the_running_engine(todos: Rivus, serve: Served) -> None:
    engine = serve()
    key, other, _ = waiting(todos)
    assert todos("todo", "accept", key, "--json").object["changed"] == [key]
    todos("todo", "drop", other)
    assert todos("undo").out == "undid drop of 1 item\n"
    todos("jobs", "pause", "docs")
    assert {job["job"]: job["state"] for job in todos("jobs", "list", "--json").objects}["docs"] == "paused"
    todos("todo", "accept", "nope", code=1)
    todos("jobs", "pause", "nope", code=2)
    (mine,) = todos("engines", "--json").objects
    assert (mine["engine"]["pid"], mine["engine"]["mode"]) == (engine.pid, "serve")
    assert todos("stop", code=2).err
    todos("stop", "--yes")
    assert engine.wait(timeout=20) == 0
    assert todos("stop", "--yes").out == "no engine runs here\n"
    assert todos("engines", "--json").out == ""


def test_who_tells_in_lines_ends_with_the_engine_it_has_started(todos: Rivus) -> None:
    with subprocess.Popen(todos.line("--plain"), cwd=todos.root, stdout=subprocess.PIPE, text=True) as plain:
        assert plain.stdout is not None
        for line in plain.stdout:
            if line.startswith("What happens from now on."):
                break
        todos("stop", "--yes")
        try:
            assert plain.wait(timeout=20) == 0
        finally:
            plain.kill()
        assert plain.stdout.read().endswith("The engine has ended.\n")


def test_a_job_is_run_by_the_engine_that_is_there(todos: Rivus, serve: Served) -> None:
    engine = serve()
    todos.write({"more/TODO.md": "- [ ] One more\n", "docs/a.md": "# A\n\nText.\n"})
    told = todos("run", "todos", "--once", "--json").object
    assert (told["found"], told["new"], told["waiting"]) == (4, 1, 4)
    assert todos("run", "docs", "--once", "--json").object["done"] == 3
    todos("run", "docs", "--once", "--limit", "1", code=3)
    assert engine.poll() is None


def test_health_check_tells_by_its_exit_code(todos: Rivus, serve: Served) -> None:
    assert "no engine runs" in todos("status", "--check", code=1).out
    engine = serve()
    assert todos("status", "--check").out == "healthy\n"
    engine.send_signal(signal.SIGSTOP)
    assert todos("status", "--check", "--json", code=1).object["problems"]
    engine.send_signal(signal.SIGCONT)
    assert todos("status", "--check", "--json").object == {"healthy": True, "problems": []}


def test_every_command_of_many_lands_once(todos: Rivus, serve: Served) -> None:
    serve()
    keys = waiting(todos)
    with ThreadPoolExecutor(6) as hands:
        ran = list(hands.map(lambda n: todos("todo", "accept", keys[n % 3], code=None), range(6)))
    assert sorted(one.code for one in ran) == [0, 0, 0, 1, 1, 1]
    accepted = [event for event in todos("events", "--json").objects if event["kind"] == "item.accepted"]
    assert sorted(event["key"] for event in accepted) == sorted(keys)


def test_rooms_say_that_the_engine_is_gone_and_come_back_with_it(
    todos: Rivus, serve: Served, terminal: Terminal
) -> None:
    engine = serve()
    terminal.type(todos.line())
    terminal.sees(rf"ATTACHED to the engine of process {engine.pid} \(serve\)")
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    terminal.sees("the engine has ended; when it is started again")
    again = serve()
    terminal.sees(rf"ATTACHED to the engine of process {again.pid} \(serve\)")
    terminal.press("3")
    terminal.sees("^> Write the guide ")
    terminal.press("a")
    wait_until(lambda: "done" in states(todos), lambda: terminal.screen())
    terminal.press("q")
    terminal.sees(re.escape("1 accepted"))
    assert again.poll() is None


def test_rooms_and_command_lines_see_the_same(todos: Rivus, serve: Served, terminal: Terminal) -> None:
    serve()
    terminal.type(todos.line())
    terminal.sees("ATTACHED")
    terminal.press("3")
    terminal.sees("^> Write the guide ")
    todos("todo", "drop", waiting(todos)[0])
    terminal.sees("^> Measure the start")
    terminal.press("x")
    wait_until(lambda: states(todos).count("dropped") == 2, lambda: terminal.screen())
