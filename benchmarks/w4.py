"""W4: from the start of the process to the first task, with `rivus run JOB --once` and one item that waits."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, interleaved
from benchmarks.peers_venv import NoPeers, peers_python
from benchmarks.pipeline import child, files
from benchmarks.project import HERE, RIVUS, folder, told_by


def measures() -> Iterator[Figure]:
    """Medians of 7 rounds in turns with Huey."""
    runs = {"rivus": _rivus}
    try:
        python = peers_python()
    except NoPeers:
        pass
    else:
        runs["huey"] = lambda: _huey(python)
    found = interleaved(7, runs)
    yield Figure(
        name="w4",
        value=found["rivus"],
        unit="s",
        peer="huey" if "huey" in found else None,
        peer_value=found.get("huey"),
        goal="<= 0.35 s and <= 1.5",
    )


def _rivus() -> float:
    with folder(files(1)) as root:
        told_by(child("drain", "seed"), root)
        began = time.time()
        line = [str(RIVUS), "--state", str(root / "state"), "--trust", "run", "line", "--once"]
        subprocess.run(line, cwd=root, check=True, stdout=subprocess.DEVNULL)
        at: float = json.loads((root / "clocks").read_text())["at"]
        return at - began


def _huey(python: Path) -> float:
    began = time.time()
    at: float = told_by([python, HERE / "peers" / "huey_first.py"])["at"]
    return at - began
