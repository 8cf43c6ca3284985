"""`rivus serve --install` writes a unit that systemd takes, whatever the folder is called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.command_line import RIVUS, Rivus

NAMES = ("plain", 'a "b" $HOME 100% c\\d', "ümlaut 日本")


@pytest.mark.parametrize("name", NAMES)
def test_unit_runs_this_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    root = tmp_path / name
    root.mkdir()
    rivus = Rivus(root, tmp_path / "state")
    out = rivus("serve", "--install").out
    (unit,) = (tmp_path / "config" / "systemd" / "user").iterdir()
    assert f"enable --now {unit.name}" in out
    text = unit.read_text()
    assert str(RIVUS) in text
    assert not rivus.state.exists()
    if shutil.which("systemd-analyze"):
        done = subprocess.run(
            ["systemd-analyze", "--user", "verify", str(unit)],
            capture_output=True,
            text=True,
            check=False,
            env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )
        assert unit.name not in done.stderr, done.stderr
