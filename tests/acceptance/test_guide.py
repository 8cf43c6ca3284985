"""The guide for plugin authors, followed to the letter in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rivus_tui.cli.new import _with_job
from tests.acceptance.command_line import DEADLINE_S, RIVUS, Rivus

GUIDE = Path(__file__).parents[2] / "docs" / "plugins.md"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_guide_works_as_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    path = os.pathsep.join([str(RIVUS.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    surroundings = {**os.environ, "PATH": path, "XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    said: list[str] = []
    for language, name, text in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if language == "python":
            (folder / name).write_text(text, encoding="utf-8")
            continue
        assert language == "sh"
        for line in text.splitlines():
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=folder,
                env=surroundings,
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            said.append(done.stdout)
    told = "\n".join(said)
    assert "wrote plugins/chores.py" in told
    assert "words: 3" in told or '"words": 3' in told
    assert "2 passed" in told
    assert "chores.look" in told


def test_job_is_added_where_the_others_are() -> None:
    text = "version: 1\n# mine\njobs:\n  a:\n    stages: [x]\n\nsettings: {daily_cost: 5 USD}\n"
    assert _with_job(text, "  b:\n    stages: [y]\n") == (
        "version: 1\n# mine\njobs:\n  a:\n    stages: [x]\n\n  b:\n    stages: [y]\n\nsettings: {daily_cost: 5 USD}\n"
    )
    assert _with_job("version: 1", "  b: {}\n") == "version: 1\n\njobs:\n  b: {}\n"


def test_nothing_is_overwritten_and_a_file_that_would_break_stays_as_it_was(letters: Rivus) -> None:
    letters("new", "plugin", "Bad-Name", code=2).refused(2, "is no name")
    letters("new", "job", "nobody", code=2).refused(2, "rivus new plugin nobody")
    letters("new", "plugin", "chores")
    letters("new", "plugin", "chores", code=2).refused(2, "is there already")
    before = (letters.root / "jobs.yaml").read_text()
    letters("new", "job", "chores")
    letters("new", "job", "chores", code=2).refused(2, "already")
    after = (letters.root / "jobs.yaml").read_text()
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    letters("--trust", "config", "check")
    (letters.root / "jobs.yaml").write_text(before + "\nnonsense: 5\n")
    letters("new", "job", "chores", code=2)
    assert (letters.root / "jobs.yaml").read_text() == before + "\nnonsense: 5\n"
