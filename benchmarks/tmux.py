"""A tmux server of 80x24 for the measures that need a terminal."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psutil

PAINT_S: Final = 20.0


class Tmux:
    """One server; every program gets a window of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rivus-bench-")
        self._line = ["tmux", "-S", f"{self._folder.name}/socket", "-f", "/dev/null"]
        self.ask("new-session", "-d", "-x", "80", "-y", "24", "sleep 3600")

    def ask(self, *args: str) -> str:
        """Run one tmux command."""
        return subprocess.run([*self._line, *args], check=True, capture_output=True, text=True, timeout=30).stdout

    def open(self, line: Sequence[str | Path], cwd: Path) -> str:
        """Start a program in a window; returns the pane's id."""
        return self.ask("new-window", "-P", "-F", "#{pane_id}", "-c", str(cwd), *[str(part) for part in line]).strip()

    def until(self, pane: str, text: str) -> None:
        """Return as soon as the pane's screen holds `text`; asks every few milliseconds."""
        end = time.monotonic() + PAINT_S
        while text not in self.ask("capture-pane", "-p", "-t", pane):
            if time.monotonic() > end:
                raise TimeoutError(f"no {text!r} within {PAINT_S:g} s")
            time.sleep(0.002)

    def first_paint(self, line: Sequence[str | Path], cwd: Path, text: str) -> float:
        """Start a program, wait until `text` is on its screen, take its terminal away; seconds to the paint."""
        began = time.perf_counter()
        pane = self.open(line, cwd)
        self.until(pane, text)
        took = time.perf_counter() - began
        program = psutil.Process(int(self.ask("display-message", "-p", "-t", pane, "#{pane_pid}")))
        self.ask("kill-pane", "-t", pane)
        with contextlib.suppress(psutil.NoSuchProcess):
            program.wait(PAINT_S)
        return took

    def close(self) -> None:
        """End the server."""
        self.ask("kill-server")
        self._folder.cleanup()


@contextlib.contextmanager
def tmux() -> Iterator[Tmux]:
    """A server that ends with the block."""
    server = Tmux()
    try:
        yield server
    finally:
        server.close()
