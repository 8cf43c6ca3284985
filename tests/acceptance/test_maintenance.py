"""From a line in a TODO.md to a merged branch, by the command line, with an agent that is only a program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command_line import Rivus
from tests.plugins.maintenance.conftest import AGENT

SCOPE: dict[str, Any] = {
    "title": "Greet the world", "summary": "Print a greeting.", "effort": "small", "risk": "low", "type": "fix",
    "confidence": "high", "safety": "code_change", "files": ["hello.py"],
}  # fmt: skip
JOBS = """\
backends: {{scripted: {{use: scripted, params: {{answers: [{scope}]}}}}}}
models: {{fast: [scripted/m]}}
jobs:
  todos:
    internal: true
    discovery: {{use: plugins.todos.scan}}
    stages:
      - brief: {{handler: plugins.todos.brief, gate: accept}}
      - scope: {{handler: plugins.todos.scope, needs: llm, params: {{model: fast}}}}
      - consolidate: {{handler: plugins.todos.consolidate}}
      - prioritise: {{handler: plugins.todos.prioritise, params: {{goals: Greet everybody}}}}
      - decompose: {{handler: plugins.todos.decompose}}
      - classify:
          handler: plugins.maintenance.classify
          params: {{default: build, tiers: {{build: {{kind: agent, agent: fake}}}}}}
      - execute:
          handler: plugins.maintenance.execute
          attempts: 1
          params:
            agents:
              fake: {{command: [{python}, {agent}, works], output: last_line_json, read: [{read}]}}
      - review: {{handler: plugins.maintenance.review}}
      - merge: {{handler: plugins.maintenance.merge, gate: approve}}
"""


@pytest.fixture
def project(rivus: Rivus) -> Rivus:
    read = ", ".join(str(path) for path in (AGENT.parent, Path(sys.prefix), Path(sys.base_prefix)))
    jobs = JOBS.format(python=sys.executable, agent=AGENT, read=read, scope=json.dumps(SCOPE))
    rivus.write({"TODO.md": "- [ ] Greet the world\n", "jobs.yaml": jobs})
    rivus.git("init", "--quiet", "--initial-branch=main")
    rivus.git("add", ".")
    rivus.git("commit", "--quiet", "--message", "Begin")
    return rivus


def test_a_todo_becomes_a_merged_branch_by_three_words_of_a_person(project: Rivus) -> None:
    project("run", "todos", "--once")
    (item,) = project.items().values()
    key = item["key"]
    refused = project("todo", "run", key, code=1)
    assert "brief waits at gate accept: accept it first" in refused.err
    project("todo", "accept", key)
    project("todo", "run", key, "--once")
    (item,) = project.items().values()
    assert (item["stage"], item["state"], item["priority"]) == ("review", "waiting", 1)
    shown = project("items", "show", "todos", key).out
    assert "P1 by rule, score 6.8: a fix +3, small effort +1.5, the goals speak of greet +1.3, low risk +1" in shown
    assert project("todo", "scope", "--all", "--dry-run").err == "nothing to scope\n"
    assert not (project.root / "hello.py").exists()
    project("items", "answer", "todos", key, "--answer", "accept")
    project("run", "todos", "--once")
    (item,) = project.items().values()
    assert (item["stage"], item["state"]) == ("merge", "waiting")
    assert not (project.root / "hello.py").exists()
    project("items", "accept", "todos", key)
    project("run", "todos", "--once")
    assert (project.root / "hello.py").read_text() == "print('hello')\n"
    assert (project.root / "TODO.md").read_text() == "- [x] Greet the world\n"
    (item,) = project.items().values()
    assert item["state"] == "done"
    log = subprocess.run(["git", "log", "--oneline"], cwd=project.root, capture_output=True, text=True, check=True)
    assert "Greet the world" in log.stdout


def test_what_a_person_adds_renames_and_scopes_again(project: Rivus) -> None:
    (key,) = project("todo", "add", "Wave to the world", "--priority", "1", "--json").object["changed"]
    project("todo", "edit", key, "Wave at the world")
    project("run", "todos", "--once")
    project(
        "todo", "merge", next(item["key"] for item in project.items().values() if item["key"] != key), "--into", key
    )
    project("todo", "accept", key)
    project("run", "todos", "--once")
    item = project.items()["Wave at the world"]
    assert (item["origin"], item["priority"], item["stage"]) == ("manual", 1, "review")
    assert "say --yes" in project("todo", "scope", key, code=2).err
    project("todo", "scope", key, "--yes")
    assert project.items()["Wave at the world"]["stage"] == "scope"
    assert project("todo", "scope", "--all", "--dry-run").out == ""
    project("undo")
    assert project.items()["Wave at the world"]["stage"] == "review"


CHECKS = """\
jobs:
  todos:
    internal: true
    discovery: {use: plugins.todos.scan}
    stages: [context: {handler: plugins.todos.context, gate: accept}]
  conventions:
    internal: true
    check: plugins.checks.convention_scan
    findings_to: todos
    max_open: 2
    params: {ruff: [], banned: [{name: no-print, pattern: 'print', why: use the log, files: ['*.py']}]}
"""


def test_a_check_prints_what_it_found_and_what_it_held_back(rivus: Rivus) -> None:
    rivus.write({"jobs.yaml": CHECKS, "a.py": "print(1)\nprint(2)\nprint(3)\n"})
    out = rivus("check", "run").out
    assert "a.py:1  no-print" in out
    assert "2 open, 1 new ones held back by max_new or max_open" in out
    report, first, _ = rivus("check", "run", "conventions", "--json").objects
    assert (report["found"], first["rule"], first["path"], first["line"]) == (2, "no-print", "a.py", 1)
    rivus("check", "dismiss", first["key"], "--reason", "wont-fix")
    assert rivus("check", "run").out.count("no-print") == 2, "there is room for the one that was held back"
    rivus("check", "dismiss", "nothing", "--reason", "wont-fix", code=2)


def test_an_old_queue_is_imported_once_and_exported(rivus: Rivus) -> None:
    queue = (
        "- {id: 1, title: '=Mend it', status: open, priority: p1, effort: s}\n- {id: 2, title: Done, status: done}\n"
    )
    rivus.write({"queue.yaml": queue})
    assert rivus("import", "queue.yaml").out == "imported 2 items\n"
    assert rivus("import", "queue.yaml").out == "imported 0 items; 2 known already\n"
    head, *rows = rivus("todo", "export").out.splitlines()
    assert head.startswith("KEY,STATE,PRIORITY,TITLE")
    assert rows[0].startswith("import:1,pending,1,'=Mend it,,,small")
    assert rows[1].startswith("import:2,done")
    assert "| import:1 | pending | 1 |" in rivus("todo", "export", "--md", "--filter", "state:pending").out
    rivus.write({"queue.yaml": "- 7\n"})
    rivus("import", "queue.yaml", code=2).refused(2, "entry 1")
