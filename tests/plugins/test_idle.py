"""How long the user has done nothing, from real files."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plugins.idle import activity, terminals

NOW = 1_767_225_600_000


@dataclass
class Probe:
    root: Path
    state_dir: Path
    params: dict[str, Any] = field(default_factory=dict)
    now: int = NOW
    started_at: int = NOW - 60_000
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test"))


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (str(NOW - 5_000), 5),
        (str(NOW // 1000 - 7), 7),
        ("2025-12-31T23:59:00Z", 60),
        ("2025-12-31T23:58:00\n", 120),
        (str(NOW + 5_000), 0),
        ("", 30),
        ("no time", 30),
        ("nan", 30),
    ],
)
def test_the_time_in_the_file_counts_or_else_when_it_was_touched(probe: Probe, text: str, seconds: float) -> None:
    (probe.root / "last").write_text(text)
    os.utime(probe.root / "last", (NOW / 1000 - 30, NOW / 1000 - 30))
    probe.params = {"file": "last"}
    assert activity.answer(probe) == seconds


def test_without_the_file_nobody_was_active_since_the_start(probe: Probe) -> None:
    assert activity.answer(probe) == 60
    (probe.state_dir / "activity").write_text(str(NOW - 1_000))
    assert activity.answer(probe) == 1


def test_the_last_key_of_any_terminal_counts(probe: Probe) -> None:
    folder = probe.root / "pts"
    probe.params = {"folder": str(folder)}
    assert terminals.answer(probe) is None
    folder.mkdir()
    assert terminals.answer(probe) is None
    for name, ago in (("0", 100), ("1", 40), ("ptmx", 1)):
        (folder / name).touch()
        os.utime(folder / name, (NOW / 1000 - ago, NOW / 1000))
    assert terminals.answer(probe) == 40
