"""Plant one bug in a copy of the project and run the tests that should notice, up to the first that does."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
_COPIED = ("engine", "plugins", "rivus_tui", "tests", "benchmarks", "pyproject.toml", "styles.tcss", "jobs.yaml")
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
    target.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    return target


def is_caught(project: Path, sabotage: Sabotage) -> tuple[bool, float]:
    """Plant it, run its tests, take it out again; returns whether a test noticed, and how many seconds that took."""
    file = project / sabotage.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(sabotage.planted(whole), encoding="utf-8")
    began = time.monotonic()
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-B",
                "-m",
                "pytest",
                "-x",
                "-q",
                "--no-header",
                "-p",
                "no:cacheprovider",
                *sabotage.tests,
            ],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        caught = done.returncode == 1
    except subprocess.TimeoutExpired:
        caught = True  # a hang is noticed too
    finally:
        file.write_text(whole, encoding="utf-8")
    return caught, time.monotonic() - began
