"""Every verb that only looks: words for people, JSON for programs, before anything ran and after."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest
from rich.cells import cell_len

from engine import __version__
from rivus_tui.cli.output import print_table
from tests.acceptance.command_line import RIVUS, Rivus

LOOKS = {
    "status": ("status",),
    "jobs": ("jobs", "list"),
    "items": ("items", "list"),
    "todo list": ("todo", "list"),
    "todo scan": ("todo", "scan"),
    "check list": ("check", "list"),
    "events": ("events",),
    "config check": ("config", "check"),
    "config show": ("config", "show"),
    "info": ("info",),
}


@pytest.mark.parametrize("verb", LOOKS.values(), ids=LOOKS)
def test_looking_before_anything_ran_creates_nothing(todos: Rivus, verb: tuple[str, ...]) -> None:
    ran = todos(*verb)
    assert "Traceback" not in ran.err
    if verb != ("config", "check"):
        assert all(isinstance(one, dict) for one in todos(*verb, "--json").objects)
    assert not todos.state.exists()


@pytest.mark.parametrize("verb", LOOKS.values(), ids=LOOKS)
def test_looking_after_a_run(letters: Rivus, verb: tuple[str, ...]) -> None:
    letters.write({"TODO.md": "- [ ] Write\n"})
    letters("run", "letters", "--once", code=1)
    args = (*verb, "--job", "letters") if verb == ("todo", "list") else verb
    assert letters(*args).out
    if verb != ("config", "check"):
        assert letters(*args, "--json").objects
    letters("status")


def test_status_without_an_engine_says_so_and_succeeds(todos: Rivus) -> None:
    assert "no engine runs" in todos("status").out
    told = todos("status", "--json").object
    assert told["engine"] is None
    assert (told["project"], told["running"], told["jobs"]) == ("project", 0, [])


def test_events_tell_the_story_in_order(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    events = letters("events", "--json").objects
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert (events[0]["kind"], events[-1]["kind"]) == ("engine.started", "engine.stopped")
    failed = [event for event in events if event["kind"] == "stage.failed"]
    assert {event["key"] for event in failed} == {"crash", "fail"}
    assert [event["id"] for event in letters("events", "--limit", "2", "--json").objects] == [
        event["id"] for event in events[-2:]
    ]


def test_events_of_the_engine_are_said_once(letters: Rivus) -> None:
    letters("run", "letters", "--once", "--discover-only")
    lines = letters("events").out.splitlines()
    assert lines[0].endswith("  info     engine started")
    assert lines[-1].endswith("  info     engine stopped")


def test_config_shows_defaults_and_exports_its_schema(letters: Rivus) -> None:
    assert "2 jobs, no problems" in letters("config", "check").out
    shown = letters("config", "show", "--json").object
    assert shown["jobs"]["letters"]["stages"][0]["timeout_s"] == 600.0
    assert shown["source"].endswith("jobs.yaml")
    schema = json.loads(letters("config", "schema").out)
    assert "jobs" in schema["properties"]


def test_info_names_every_path(todos: Rivus) -> None:
    told = todos("info", "--json").object
    assert told["state_dir"] == str(todos.state)
    assert told["database"] == str(todos.state / "rivus.db")
    assert told["rivus"] == __version__


def test_help_and_version_need_no_project(rivus: Rivus) -> None:
    text = rivus("--help").out
    assert "Exit codes: 0 done, 1 the work failed, 2 wrong use" in " ".join(text.split())
    assert rivus("-h").out == text
    assert rivus("--version").out == f"{__version__}\n"
    for verb in ("run", "items", "todo", "status"):
        assert rivus(verb, "--help").out.startswith(f"Usage: rivus {verb}")


def test_listing_into_a_closed_pipe_ends_quietly(rivus: Rivus) -> None:
    rivus.write({"TODO.md": "".join(f"- [ ] Task {n}: {'x' * 80}\n" for n in range(3000))})
    for verb in ("todo scan --json", "todo scan"):
        line = f"'{RIVUS}' --state '{rivus.state}' {verb} | head -n 1"
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"], cwd=rivus.root, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("\n") == 1


def test_what_an_engine_leaves_is_kept_for_a_look_back(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    with closing(sqlite3.connect(letters.state / "rivus.db")) as database:
        (stood,) = database.execute(
            "SELECT h.done, h.failed, h.waiting, h.later FROM job_hours AS h JOIN jobs AS j ON j.id = h.job_id"
            " WHERE j.name = 'letters' ORDER BY h.hour DESC LIMIT 1"
        ).fetchall()
    states = [item["state"] for item in letters("items", "list", "--json").objects]
    assert stood[:3] == tuple(states.count(state) for state in ("done", "failed", "waiting"))
    assert stood[3] == 1


def test_events_of_a_job_that_is_not_there_are_refused(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    letters("events", "--job", "leters", code=None).refused(2, "there is no job `leters` here", "letters")


def test_events_are_followed_as_they_happen(letters: Rivus) -> None:
    letters("run", "letters", "--once", code=1)
    line = letters.line("events", "--follow", "--limit", "1", "--json")
    with subprocess.Popen(line, cwd=letters.root, stdout=subprocess.PIPE, encoding="utf-8") as following:
        assert following.stdout is not None
        seen = [json.loads(following.stdout.readline())["id"]]
        letters("jobs", "pause", "letters", "--why", "the post is closed")
        while "the post is closed" not in (told := following.stdout.readline()):
            seen.append(json.loads(told)["id"])
        seen.append(json.loads(told)["id"])
        following.terminate()
    assert seen == sorted(set(seen))


def test_columns_stand_below_each_other_whatever_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("TITLE", "JOB"), [("漢字 👩‍👩‍👧‍👦", "docs"), ("plain", "docs")])
    head, *rows = capsys.readouterr().out.splitlines()
    assert {cell_len(row[: row.index("docs")]) for row in rows} == {cell_len(head[: head.index("JOB")])}
