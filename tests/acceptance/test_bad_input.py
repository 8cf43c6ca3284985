"""What the world can hold against Rivus: one clear message, the right exit code, no traceback, nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from engine.kit.safe_text import safe_block
from tests.acceptance.command_line import Rivus
from tests.acceptance.conftest import MINE

WRITING = (("run", "todos", "--once"), ("--serve",), ("todo", "accept", "x"))
LOOKING = (("status",), ("items", "list"), ("events",))
HOSTILE = b"- [ ] red \x1b[31mtext\x1b[0m [/foo] [bold]x \x1b]0;title\x07\n- [ ] half \xff\xfe text\n- [ ] fine\n"


def damage(database: Path, how: str) -> None:
    """Make the state file one that cannot be used."""
    if how == "newer":
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA user_version = 9999")
        connection.close()
    elif how == "empty":
        database.write_bytes(b"")
    elif how == "not a database":
        database.write_bytes(b"These are notes, not a database. " * 1000)
    elif how == "somebody else's":
        database.unlink()
        connection = sqlite3.connect(database)
        connection.execute("CREATE TABLE notes (text TEXT)")
        connection.close()


@pytest.mark.parametrize("verb", [*WRITING, *LOOKING], ids=lambda verb: verb[0])
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("newer", "written by a newer Rivus"),
        ("empty", "is empty; restore a backup"),
        ("not a database", "is damaged"),
        ("somebody else's", "rivus.db"),
    ],
)
def test_state_that_cannot_be_used_is_named_and_left_alone(
    letters: Rivus, verb: tuple[str, ...], how: str, words: str
) -> None:
    letters.write({"jobs.yaml": "jobs:\n  todos:\n    handler: mine.read\n"})
    letters("run", "todos", "--once")
    database = letters.state / "rivus.db"
    damage(database, how)
    before = database.read_bytes()
    letters(*verb, code=None).refused(1, str(database), words)
    assert database.read_bytes() == before


@pytest.mark.parametrize("sound_pages", [1, 2, 8])
def test_damaged_pages_are_named_and_not_served(letters: Rivus, sound_pages: int) -> None:
    letters("run", "letters", "--once", code=1)
    database = letters.state / "rivus.db"
    raw = database.read_bytes()
    sound = sound_pages * 4096
    database.write_bytes(raw[:sound] + b"x" * (len(raw) - sound))
    letters("items", "list", "--json", code=None).refused(1, "the state file cannot be read", "restore a backup")


@pytest.mark.parametrize("verb", [*WRITING, ("status",)], ids=lambda verb: verb[0])
def test_state_directory_that_is_a_file_is_named(todos: Rivus, verb: tuple[str, ...]) -> None:
    todos.state.write_text("mine")
    todos(*verb, code=None).refused(2, str(todos.state), "--state DIR")
    assert todos.state.read_text() == "mine"


def test_escape_sequences_and_markup_are_shown_never_obeyed(rivus: Rivus) -> None:
    rivus.write({"TODO.md": HOSTILE})
    assert rivus("run", "todos", "--once", "--json").object["waiting"] == 3
    for verb in (("todo", "scan"), ("todo", "scan", "--json"), ("items", "list"), ("todo", "list"), ("events",)):
        told = rivus(*verb)
        assert not {char for char in told.out + told.err if ord(char) < 32 and char != "\n"}
    titles = [item["title"] for item in rivus("todo", "list", "--json").objects]
    assert titles[0] == "red ␛[31mtext␛[0m [/foo] [bold]x ␛]0;title␇"
    assert titles[1:] == ["half �� text", "fine"]


def test_unreadable_todo_file_is_named_and_closes_nothing(rivus: Rivus) -> None:
    rivus.write({"TODO.md": "- [ ] Write\n", "docs/TODO.md": "- [ ] Draw\n"})
    rivus("run", "todos", "--once")
    (rivus.root / "docs/TODO.md").unlink()
    os.mkfifo(rivus.root / "docs/TODO.md")
    for _ in range(4):
        ran = rivus("run", "todos", "--once")
        assert "docs/TODO.md: not a regular file" in ran.err
    assert {title: item["state"] for title, item in rivus.items("todos").items()} == {
        "Write": "waiting",
        "Draw": "waiting",
    }
    scanned = rivus("todo", "scan", "--json", code=1)
    assert [row["text"] for row in scanned.objects] == ["Write"]
    assert "docs/TODO.md" in scanned.err


def test_repository_that_is_not_there_is_named(rivus: Rivus) -> None:
    stages = "stages: [context: {handler: plugins.todos.context}]"
    rivus.write(
        {
            "jobs.yaml": "settings: {repositories: [., elsewhere]}\njobs:\n  todos:\n"
            f"    discovery: {{use: plugins.todos.scan}}\n    {stages}\n",
            "TODO.md": "- [ ] Write\n",
        }
    )
    ran = rivus("run", "todos", "--once", "--json")
    assert ran.object["done"] == 1
    assert "elsewhere: no such folder" in ran.err


def test_discovery_that_raises_fails_the_run_and_keeps_the_items(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    before = letters.items()
    module = (letters.root / "mine.py").read_text()
    letters.write(
        {"mine.py": module.replace("    for key in (", "    raise OSError('no post today')\n    for key in (")}
    )
    ran = letters("run", "letters", "--once", code=1)
    assert "the discovery of letters failed: OSError: no post today" in ran.err
    assert "Traceback" not in ran.err
    assert letters.items() == before


@pytest.mark.parametrize("stdin", ["", None], ids=["empty", "inherited"])
def test_control_room_without_a_terminal_points_at_the_other_ways(todos: Rivus, stdin: str | None) -> None:
    todos(code=None, stdin=stdin).refused(2, "needs a terminal", "rivus --serve", "rivus run JOB --once")
    assert not todos.state.exists()


def test_wrong_words_are_answered_with_the_right_ones(rivus: Rivus) -> None:
    rivus("statu", code=None).refused(2, "did you mean `status`?")
    rivus("frobnicate", code=None).refused(2, "`rivus --help` lists them")
    rivus("--serve", "status", code=None).refused(2, "--serve takes no command")
    rivus("todo", "scan", "nowhere", code=None).refused(2, "nowhere: there is no such file or folder")
    rivus("items", "prioritise", "todos", "x", "--priority", "9", code=None).refused(2, "'9' is not one of")


UNSEEN = "del \x7f csi \x9b31m bidi \u202e zero \u200b tag \U000e0041 half \ud800 snow \u2603 \U0001f600"


def test_json_holds_no_character_that_a_terminal_obeys_or_a_person_cannot_see(letters: Rivus) -> None:
    letters.write({"mine.py": MINE.replace("title=key.title())", f"title=key.title(), data={{'text': {UNSEEN!a}}})")})
    letters("run", "letters", "--once", "--discover-only")
    told = letters("items", "list", "--json")
    assert not {char for char in told.out if safe_block(char) != char}
    assert "\u2603" in told.out
    assert {item["data"]["text"] for item in told.objects} == {UNSEEN}


def test_configuration_that_is_a_link_to_itself_is_named(rivus: Rivus) -> None:
    (rivus.root / "jobs.yaml").symlink_to("jobs.yaml")
    rivus("config", "check", code=None).refused(2, "jobs.yaml: cannot be read", "symbolic links")


def test_output_that_cannot_be_written_is_named(rivus: Rivus) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" > /dev/full', "sh", *rivus.line("status")],
        cwd=rivus.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "rivus: something could not be written: the output: No space left on device\n",
    )


def test_streams_that_were_closed_do_not_come_back_as_other_files(rivus: Rivus) -> None:
    rivus.write({"TODO.md": "- [ ] Write\n"})
    line = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *rivus.line("run", "todos", "--once")]
    assert subprocess.run(line, cwd=rivus.root, check=False).returncode == 0
    assert json.loads((rivus.state / "engine.lock").read_bytes())["state"] == "stopped"
    assert list(rivus.items("todos")) == ["Write"]
