"""A program on a pseudo-terminal of 100x30: what it paints is read at once, and keys are timed to the next paint."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psutil

PAINT_S: Final = 30.0
QUIET_S: Final = 0.03


class Room:
    """One program with a terminal of its own."""

    def __init__(self, line: Sequence[str | Path], cwd: Path) -> None:
        self.began = time.perf_counter()
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["TERM"] = "xterm-256color"
            os.execv(str(line[0]), [str(part) for part in line])
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = psutil.Process(self.pid)

    def until(self, text: str) -> float:
        """Read until `text` was painted; returns seconds since the start."""
        self.sees(text, self.began)
        return time.perf_counter() - self.began

    def sees(self, text: str, since: float | None = None) -> None:
        """Read until `text` was painted, at most `PAINT_S` from now, or since `since`."""
        seen = b""
        end = (time.perf_counter() if since is None else since) + PAINT_S
        while text.encode() not in seen:
            left = end - time.perf_counter()
            if left <= 0 or not select.select([self._end], [], [], left)[0]:
                raise TimeoutError(f"no {text!r} within {PAINT_S:g} s")
            seen += os.read(self._end, 65_536)

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._end, key.encode())

    def quiet(self, seconds: float = QUIET_S) -> None:
        """Read what comes until nothing has come for a moment."""
        end = time.perf_counter() + 2
        while time.perf_counter() < end and select.select([self._end], [], [], seconds)[0]:
            os.read(self._end, 65_536)

    def key(self, key: str) -> float:
        """Press a key; returns seconds to the next paint."""
        self.quiet()
        began = time.perf_counter()
        os.write(self._end, key.encode())
        if not select.select([self._end], [], [], PAINT_S)[0]:
            raise TimeoutError(f"nothing was painted after {key!r}")
        took = time.perf_counter() - began
        os.read(self._end, 65_536)
        return took

    def read_for(self, seconds: float) -> None:
        """Keep reading, so that the program is never held up."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._end], [], [], left)[0]:
                os.read(self._end, 65_536)

    def close(self) -> None:
        """Take the terminal away and wait for the end."""
        os.close(self._end)
        with contextlib.suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
            self.process.wait(20)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)


@contextlib.contextmanager
def room(line: Sequence[str | Path], cwd: Path) -> Iterator[Room]:
    """A program that ends with the block."""
    opened = Room(line, cwd)
    try:
        yield opened
    finally:
        opened.close()
