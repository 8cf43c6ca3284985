"""A small repository on disk, and what the check finds in it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.contracts.item import Candidate
from engine.kit.trial import TrialDiscovery
from plugins.checks.doc_health import discover


@dataclass
class Project:
    """A folder under git."""

    root: Path

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def git(self, *args: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *args], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "state")

    async def check(self) -> tuple[list[Candidate], TrialDiscovery]:
        ctx = TrialDiscovery(root=self.root, job="doc-health")
        return [candidate async for candidate in discover(ctx)], ctx

    async def titles(self) -> list[str]:
        candidates, ctx = await self.check()
        assert ctx.complete
        return [candidate.title for candidate in candidates]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "boat")
    made.root.mkdir()
    made.git("init", "-q")
    return made
