"""A scratch repository with one TODO, and an agent that can be told how to misbehave."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.kit.trial import TrialContext, TrialItem

AGENT = Path(__file__).with_name("fake_agent.py")
TODO = "# To do\n\n- [ ] Greet the world\n- [ ] Something else\n"


def git(repository: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=repository, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, one TODO, a clean checkout."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "TODO.md").write_text(TODO)
    (folder / "a.txt").write_text("a\n")
    (folder / ".gitignore").write_text("*.secret\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def agent(deed: str, *more: str, **keys: Any) -> dict[str, Any]:
    """`agents` with one that does `deed`."""
    told = {
        "command": [sys.executable, str(AGENT), deed, *more],
        "output": "last_line_json",
        "read": [str(AGENT.parent), sys.prefix, sys.base_prefix],
        "minutes": 1,
        **keys,
    }
    return {"fake": told}


@pytest.fixture
def context(repository: Path, tmp_path: Path) -> Callable[..., TrialContext]:
    """A context at the execute stage; params as keywords."""

    def make(**params: Any) -> TrialContext:
        artifacts = tmp_path / "artifacts"
        artifacts.mkdir(exist_ok=True)
        item = TrialItem(
            key="t-1", title="Greet the world", data={"text": "Greet the world"}, path="TODO.md", line=3, priority=2
        )
        return TrialContext(root=repository, item=item, stage="execute", params=params, artifact_dir=artifacts)

    return make
