"""Folders with a jobs.yaml and plugins of their own, as a user would have them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from engine.config.load import load_project
from engine.contracts.errors import ConfigError
from engine.contracts.spec import ProjectSpec

PLUGIN = """
from __future__ import annotations

from engine.contracts.seam import accepts


async def scan(ctx):
    yield None


@accepts("include", "exclude")
async def picky(ctx):
    yield None


async def work(ctx):
    return {}


@accepts("depth")
def plain(ctx):
    return {}


def handle(ctx):
    return {}


async def discover(ctx):
    yield None
"""


class Folder:
    """A project folder with one plugin module, whose name no other folder uses."""

    def __init__(self, path: Path, plugin: str) -> None:
        self.path = path
        self.plugin = plugin
        self.write(f"{plugin}.py", PLUGIN)

    def write(self, name: str, text: str) -> Path:
        """Write a file; `PLUGIN` in it stands for the plugin module's name."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n").replace("PLUGIN", self.plugin), encoding="utf-8")
        return file

    def load(self, text: str) -> ProjectSpec:
        """Load `text` as jobs.yaml: as a new file, and as one that was checked before, which must come to the same."""
        file = self.write("jobs.yaml", text)
        project = load_project(file, self.path)
        assert load_project(file, self.path) == project
        return project

    def problems(self, text: str) -> list[str]:
        """Return what is wrong with `text` as `line: key: message`, in order."""
        try:
            self.load(text)
        except ConfigError as error:
            for problem in error.problems:
                assert problem.file.endswith("jobs.yaml")
            return [f"{problem.line}: {problem.key}: {problem.message}" for problem in error.problems]
        return []

    def problem(self, text: str) -> str:
        """Return the one thing that is wrong with `text`."""
        found = self.problems(text)
        assert len(found) == 1, found
        return found[0]

    def broken(self, text: str) -> str:
        """Return why the job `a` of `text` is broken."""
        job = self.load(text).job("a")
        assert job is not None
        assert job.broken is not None
        return job.broken
