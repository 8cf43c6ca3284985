"""A configuration file on its way: its bytes, its plain values with their lines, and what is refused in it."""

from __future__ import annotations

import os
import stat
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from engine.contracts.values import dataclass

MAX_BYTES: Final = 256 * 1024

KeyPath = tuple[str | int, ...]
"""Keys and list indices from the top."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaw:
    """One thing in the file that is refused."""

    path: KeyPath
    line: int | None
    """1-based; None when the file as a whole is meant."""
    message: str


class Unreadable(Exception):
    """The file cannot be read to its end; `flaws` says why, and what else was found before."""

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__(flaws[-1].message if flaws else "unreadable")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file as plain values: dict, list, str, int, float, bool, None."""

    value: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Line of each key (in mappings) or value (in lists), 1-based."""
    flaws: tuple[Flaw, ...] = ()
    """What is refused in it; the values at those paths are not to be trusted."""

    def line(self, path: KeyPath) -> int:
        """Return the line of the value, or of the nearest thing around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_bytes(path: Path) -> bytes:
    """The whole file; Unreadable when it is none that can be read, or too large."""
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise _unreadable("is not a regular file")
        with os.fdopen(handle, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(f"cannot be read: {os.strerror(error.errno or 0).lower()}") from error
    if len(raw) > MAX_BYTES:
        raise _unreadable(f"is larger than {MAX_BYTES // 1024} KiB")
    return raw


def _unreadable(message: str) -> Unreadable:
    return Unreadable([Flaw(path=(), line=None, message=message)])
