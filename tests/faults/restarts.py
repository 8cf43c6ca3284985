"""S8: engines that are killed while an agent works; what each session had done is found at the end."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.acceptance.waiting import wait_until
from tests.faults.goal import Lane, Reading, readings
from tests.faults.warm import WarmEngine

_AGENT: Final = Path(__file__).parent / "hangs.py"
_JOBS: Final = """\
version: 1
jobs:
  todos:
    discovery: {{use: found.find, every: 1h}}
    stages:
      - execute:
          handler: plugins.maintenance.execute.handle
          concurrency: 1
          params:
            agents:
              stub: {{command: [{python}, {agent}], output: text, minutes: 60, read: {read}}}
"""
_FOUND: Final = """\
from engine.contracts.item import Candidate


async def find(ctx):
    for n in range(100):
        yield Candidate(key=f"t-{n}", title=f"Work {n}", priority=2)
"""


def restarts(lane: Lane) -> Reading:
    """An item that was interrupted too often is held, and the next one has its turn: its files are still there then."""
    wanted = lane.n(fast=2, deep=100)
    chance = random.Random(8)
    words: list[str] = []
    with _project() as (root, state):
        for _ in range(wanted):
            engine = WarmEngine(root, state, "--serve")
            try:
                words.append(_begun(state, set(words)))
                time.sleep(chance.random() * 0.2)
            finally:
                engine.kill()
        kept = _in_refs(root) | _in_folders(state)
    lost = [word for word in words if word not in kept]
    figure = f"{wanted} restarts, work of {len(lost)} sessions lost"
    return readings([f"lost: {word}" for word in lost], figure)


@contextmanager
def _project() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="rivus-s8-restarts-") as folder:
        root = Path(folder, "project")
        root.mkdir()
        (root / "a.txt").write_text("a\n")
        _git(root, "init", "--quiet", "--initial-branch=main")
        _git(root, "add", ".")
        _git(root, "commit", "--quiet", "--message", "Begin")
        read = [str(_AGENT.parent), sys.prefix, sys.base_prefix]
        (root / "jobs.yaml").write_text(_JOBS.format(python=sys.executable, agent=_AGENT, read=read))
        (root / "found.py").write_text(_FOUND)
        yield root, Path(folder, "state")


def _git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout


def _begun(state: Path, known: set[str]) -> str:
    """Wait until a session has written what no earlier one has."""
    new: set[str] = set()

    def look() -> bool:
        new.update(_in_folders(state) - known)
        return bool(new)

    wait_until(look, lambda: f"no session began; there are {len(known)} from before")
    return new.pop()


def _in_folders(state: Path) -> set[str]:
    found = set()
    for path in state.glob("artifacts/*/session/tree/work.txt"):
        with contextlib.suppress(FileNotFoundError):  # its session is being salvaged
            found.add(path.read_text())
    return {word for word in found if len(word) == 32}


def _in_refs(root: Path) -> set[str]:
    found = set()
    for commit in _git(root, "rev-list", "--glob=refs/rivus/salvage").split():
        shown = subprocess.run(["git", "show", f"{commit}:work.txt"], cwd=root, capture_output=True, text=True)
        found.add(shown.stdout)
    return found
