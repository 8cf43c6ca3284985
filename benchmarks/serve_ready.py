"""Start of `rivus --serve` until it says that it serves, against a Python process that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, interleaved
from benchmarks.project import RIVUS, folder, seconds

STOP_S: Final = 5.0


def measures() -> Iterator[Figure]:
    """Median of 9 rounds."""
    with folder({"TODO.md": "- [ ] Write\n"}) as root:
        found = interleaved(
            9,
            {
                "rivus": lambda: _ready(root),
                "python": lambda: seconds([sys.executable, "-c", ""], root),
            },
        )
    yield Figure(
        name="serve-ready",
        value=found["rivus"],
        unit="s",
        peer="empty Python process",
        peer_value=found["python"],
        goal="<= 0.4 s",
    )


def _ready(root: Path) -> float:
    began = time.perf_counter()
    line = [str(RIVUS), "--state", str(root / "state"), "--trust", "--serve"]
    with subprocess.Popen(line, cwd=root, stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr is not None
        next(line for line in engine.stderr if line.startswith("rivus serves"))
        took = time.perf_counter() - began
        engine.terminate()
        try:
            engine.wait(STOP_S)
        except subprocess.TimeoutExpired:
            engine.kill()
    return took
