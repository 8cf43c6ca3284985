"""Keys on the command line: listed, written into the README, changed by a file, completed by the shell."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from rivus_tui.cli import keys, own_keys
from tests.acceptance.command_line import RIVUS
from tests.tui.pictures import ROOT


def test_readme_has_the_keys_of_the_registry() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "<!-- keys: triage -->" in text
    assert keys.with_tables(text) == text, "run `make keys`"


def test_keys_are_listed_with_their_command_lines() -> None:
    done = subprocess.run([RIVUS, "keys", "triage", "--json"], capture_output=True, text=True, check=True, timeout=60)
    found = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert found["accept"]["cli"] == "rivus items accept JOB KEY…"
    assert found["drop"]["undo"] is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accept: [", "cannot be read"),
        ("- a\n- b", "needs lines such as"),
        ("acept: A", "did you mean accept?"),
        ("accept: !!python/object/apply:os.system ['true']", "cannot be read"),
        ("x" * 200_000, "larger than"),
    ],
)
def test_bad_file_of_keys_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    monkeypatch.setattr(own_keys, "keymap_file", lambda: path)
    mine = own_keys.own_keys()
    assert mine.keys == {}
    assert says in mine.problems[0]


def test_file_of_keys_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_keys, "keymap_file", lambda: tmp_path / "keys.yaml")
    assert own_keys.own_keys().keys == {}
    (tmp_path / "keys.yaml").write_text("accept: Z\nfilter: [/, ctrl+f]\n")
    assert own_keys.own_keys().keys == {"accept": ("Z",), "filter": ("slash", "ctrl+f")}


def test_shell_completes_verbs() -> None:
    asked = {**os.environ, "_RIVUS_COMPLETE": "bash_complete", "COMP_WORDS": "rivus comp", "COMP_CWORD": "1"}
    done = subprocess.run([RIVUS], capture_output=True, text=True, check=False, timeout=60, env=asked)
    assert done.stdout.split() == ["plain,completion"]
    for shell in keys.SHELLS:
        made = subprocess.run([RIVUS, "completion", shell], capture_output=True, text=True, check=True, timeout=60)
        assert "_RIVUS_COMPLETE" in made.stdout
