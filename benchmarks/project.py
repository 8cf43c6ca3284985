"""Temporary projects and child processes for the measures."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

RIVUS: Final = Path(sys.executable).with_name("rivus")
HERE: Final = Path(__file__).parent
CHILD_S: Final = 300.0
"""No child takes this long; a hang must not hang the run."""


@contextlib.contextmanager
def folder(files: Mapping[str, str] | None = None) -> Iterator[Path]:
    """A temporary folder with these files; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="rivus-bench-") as name:
        root = Path(name)
        for path, text in (files or {}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        yield root


@contextlib.contextmanager
def served(line: Sequence[str | Path], cwd: Path) -> Iterator[None]:
    """`rivus … --serve`, from when it says that it serves until the end of the block."""
    command = [str(part) for part in (*line, "--serve")]
    with subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr is not None
        if not any(line.startswith("rivus serves") for line in engine.stderr):
            raise RuntimeError(f"{command[0]} does not serve: it ended with {engine.wait()}")
        try:
            yield
        finally:
            engine.terminate()
            engine.stderr.read()


def seconds(line: Sequence[str | Path], cwd: Path | None = None) -> float:
    """Run a whole process; returns how long it took."""
    began = time.perf_counter()
    with subprocess.Popen([str(part) for part in line], cwd=cwd, stdout=subprocess.DEVNULL) as process:
        # A wait with a timeout looks at growing intervals of up to 50 ms, which would be what is measured.
        guard = threading.Timer(CHILD_S, process.kill)
        guard.start()
        code = process.wait()
        took = time.perf_counter() - began
        guard.cancel()
    if code:
        raise RuntimeError(f"{line[0]} ended with {code}")
    return took


def told_by(line: Sequence[str | Path], cwd: Path | None = None) -> dict[str, Any]:
    """Run a child that prints one JSON object as its last line; returns it."""
    done = subprocess.run(
        [str(part) for part in line], cwd=cwd, capture_output=True, text=True, timeout=CHILD_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{Path(str(line[1])).name} ended with {done.returncode}: {done.stderr[-400:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
