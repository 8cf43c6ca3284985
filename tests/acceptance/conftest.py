"""Small projects on disk for the command line: TODO files with and without git, and one with its own jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.command_line import Rivus

TODO = """\
# To do

- [ ] Write the guide
- [x] Draw the logo
- [ ] Measure the start [P1]

## Later

- [ ] Translate the guide
"""
OPEN = ("Write the guide", "Measure the start [P1]", "Translate the guide")

JOBS = """\
jobs:
  letters:
    title: Letters
    discovery: {use: mine.discover}
    stages:
      - read: {handler: mine.read, attempts: 1}
      - sort: {handler: mine.sort, attempts: 1, outputs: {size: int}}
  watch:
    check: mine.look
    findings_to: letters
"""
MINE = '''\
"""Handlers whose outcome is in the key of their item."""

from engine.contracts.item import Candidate
from engine.contracts.outcome import Ask, Done, Fail, Later, Skip


async def discover(ctx):
    for key in ("ask", "crash", "fail", "fine", "later", "skip"):
        yield Candidate(key=key, title=key.title())


async def look(ctx):
    ctx.scope(["."])
    if (ctx.root / "finding").exists():
        yield Candidate(key="watch:1", title="Found")


async def read(ctx):
    if ctx.item.key == "ask" and ctx.answer is None:
        return Ask(question="Left or right?", choices=("left", "right"))
    if ctx.item.key == "fail" and not (ctx.root / "mended").exists():
        return Fail(why="it is torn")
    if ctx.item.key == "later":
        return Later(after=3600, why="the post is closed")
    return Skip(why="nothing to read") if ctx.item.key == "skip" else {"text": ctx.item.title}


def sort(ctx):
    if ctx.item.key == "crash":
        raise ValueError("no such drawer")
    return Done(output={"size": len(ctx.item.key)}, cost_usd_micros=250_000)
'''


@pytest.fixture
def rivus(tmp_path: Path) -> Rivus:
    """An empty folder and a state directory beside it."""
    root = tmp_path / "project"
    root.mkdir()
    return Rivus(root, tmp_path / "state")


@pytest.fixture
def todos(rivus: Rivus) -> Rivus:
    """A folder with one TODO file and no jobs.yaml: the built-in jobs; not in git."""
    rivus.write({"TODO.md": TODO})
    return rivus


@pytest.fixture(params=["in git", "without git"])
def anywhere(todos: Rivus, request: pytest.FixtureRequest) -> Rivus:
    """The same, as a repository and not."""
    if request.param == "in git":
        todos.git("init", "--quiet")
        todos.git("add", ".")
        todos.git("commit", "--quiet", "--message", "Begin")
    return todos


@pytest.fixture
def letters(rivus: Rivus) -> Rivus:
    """A folder with a jobs.yaml and its own handlers."""
    rivus.write({"jobs.yaml": JOBS, "mine.py": MINE})
    return rivus
