"""Plant one bug in a copy of the project and run the tests that should notice, up to the first that does."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
_LEFT = shutil.ignore_patterns(".*", "__pycache__", "dist", "build", "screenshots", "*.egg-info")
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One planted bug."""

    name: str
    file: str
    old: str
    """Stands exactly once in the file, or in its query."""
    new: str
    tests: tuple[str, ...]
    query: str | None = None
    """Name of a query of an SQL file."""

    def planted(self, text: str) -> str:
        """The text with the bug in it; ValueError when the anchor is not there exactly once."""
        start, end = 0, len(text)
        if self.query is not None:
            found = re.search(rf"^-- name: {self.query}\n(?:--[^\n]*\n)*", text, re.MULTILINE)
            if found is None:
                raise ValueError(f"{self.name}: {self.file} has no query `{self.query}`")
            start = found.end()
            following = text.find("-- name: ", start)
            end = len(text) if following < 0 else following
        part = text[start:end]
        if (n := part.count(self.old)) != 1:
            raise ValueError(f"{self.name}: its text stands {n} times in {self.file}")
        return text[:start] + part.replace(self.old, self.new) + text[end:]


def check(sabotage: Sabotage) -> None:
    """Make sure that it can be planted: the anchor is there, what it makes is code, and its tests are there."""
    planted = sabotage.planted((ROOT / sabotage.file).read_text(encoding="utf-8"))
    if sabotage.file.endswith(".py"):
        ast.parse(planted)
    if missing := [test for test in sabotage.tests if not (ROOT / test.partition("::")[0]).exists()]:
        raise ValueError(f"{sabotage.name}: there is no {missing}")


def copy(folder: Path) -> Path:
    """A copy of the project to plant bugs in."""
    target = folder / "project"
    shutil.copytree(ROOT, target, ignore=_LEFT)
    return target


def is_caught(project: Path, sabotage: Sabotage) -> tuple[bool, float]:
    """Plant it, run its tests, take it out again; returns whether a test noticed, and how many seconds that took."""
    file = project / sabotage.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(sabotage.planted(whole), encoding="utf-8")
    began = time.monotonic()
    try:
        caught = not _pass(project, sabotage.tests)
    finally:
        file.write_text(whole, encoding="utf-8")
    return caught, time.monotonic() - began


def is_well(project: Path, sabotages: Sequence[Sabotage]) -> bool:
    """Whether the tests of all these pass while nothing is planted; a test that fails anyhow would notice everything."""
    return _pass(project, sorted({test for one in sabotages for test in one.tests}))


def _pass(project: Path, tests: Sequence[str]) -> bool:
    """Run tests up to the first that fails. A bug that does not even let them be collected is noticed too."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False  # a hang is noticed too
    return done.returncode == 0
