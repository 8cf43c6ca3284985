"""From a line in a TODO.md to a merged branch, by the command line, with an agent that is only a program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.command_line import Rivus
from tests.plugins.maintenance.conftest import AGENT

JOBS = """\
jobs:
  todos:
    internal: true
    discovery: {{use: plugins.todos.scan}}
    stages:
      - brief: {{handler: plugins.todos.brief, gate: accept}}
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
    jobs = JOBS.format(python=sys.executable, agent=AGENT, read=read)
    rivus.write({"TODO.md": "- [ ] Greet the world\n", "jobs.yaml": jobs})
    rivus.git("init", "--quiet", "--initial-branch=main")
    rivus.git("add", ".")
    rivus.git("commit", "--quiet", "--message", "Begin")
    return rivus


def test_a_todo_becomes_a_merged_branch_by_three_words_of_a_person(project: Rivus) -> None:
    project("run", "todos", "--once")
    (item,) = project.items().values()
    key = item["key"]
    project("todo", "accept", key)
    project("run", "todos", "--once")
    (item,) = project.items().values()
    assert (item["stage"], item["state"]) == ("review", "waiting")
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
