"""The code beside a jobs.yaml runs only after somebody has said so, once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command_line import RIVUS, Rivus
from tests.acceptance.terminal import Terminal

CODE = """
from pathlib import Path

Path(__file__).with_name("imported").touch()


async def work(ctx):
    return {}
"""
JOBS = "jobs: {mine: {stages: [{a: {handler: own_code.work}}]}}\n"


@pytest.fixture
def untrusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `rivus` on a folder with code of its own, for a person who has allowed nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    (tmp_path / "own_code.py").write_text(CODE)
    (tmp_path / "jobs.yaml").write_text(JOBS)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RIVUS), *args], cwd=tmp_path, input="", capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.mark.parametrize("args", [("run", "mine", "--once"), ("--serve",), ("config", "check")])
def test_nothing_is_imported_before_somebody_said_yes(
    untrusted: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, args: tuple[str, ...]
) -> None:
    done = untrusted(*args)
    assert done.returncode == 2, done
    assert "own_code" in done.stderr
    assert "--trust" in done.stderr
    assert not (tmp_path / "imported").exists()


def test_yes_is_remembered_for_that_file(
    untrusted: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert untrusted("--trust", "config", "check").returncode == 0
    assert (tmp_path / "imported").exists()
    assert untrusted("config", "check").returncode == 0
    store = tmp_path / "state-home" / "rivus" / "trusted.json"
    assert json.loads(store.read_text()) == [str(tmp_path.resolve() / "jobs.yaml")]
    assert store.stat().st_mode & 0o777 == 0o600


def test_what_is_shipped_needs_no_yes(
    untrusted: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "jobs.yaml").write_text(
        "jobs: {d: {discovery: {use: plugins.todos.scan}, handler: plugins.todos.context}}\n"
    )
    assert untrusted("config", "check").returncode == 0
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text(CODE)
    (tmp_path / "jobs.yaml").write_text("jobs: {d: {handler: plugins.mine.work}}\n")
    assert untrusted("config", "check").returncode == 2


@pytest.mark.tmux
@pytest.mark.parametrize(("answer", "code"), [("n", 2), ("y", 0)])
def test_person_at_a_terminal_is_asked(rivus: Rivus, answer: str, code: int) -> None:
    rivus.write({"own_code.py": CODE, "jobs.yaml": JOBS})
    terminal = Terminal(rivus.root)
    try:
        shell = f"{RIVUS} --state {rivus.state} config check; echo code-$?"
        home = f"XDG_STATE_HOME={rivus.state}"
        terminal.type(["env", home, "sh", "-c", shell])
        terminal.sees("May it run?")
        terminal.press(answer, "Enter")
        terminal.sees(f"^code-{code}")
        assert (rivus.root / "imported").exists() == (answer == "y")
    finally:
        terminal.close()


def test_yes_that_cannot_be_remembered_holds_for_this_time(
    untrusted: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    done = untrusted("--trust", "--state", str(tmp_path / "state"), "config", "check")
    assert done.returncode == 0, done
    assert "trusted this time only" in done.stderr
