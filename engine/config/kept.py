"""Files of the user's cache that hold what was worked out before; what is missing or damaged there is made anew."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

KEPT: Final = 32
"""So many files of one folder are kept, those that were used last."""


def load(file: Path) -> str | None:
    """What was stored there, whole; None where there is nothing, or nothing that nobody else could have written."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as opened:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            return None
        checksum, _, body = opened.read().partition(b"\n")
    if checksum != hashlib.sha256(body).hexdigest().encode():
        return None
    os.utime(file)
    return body.decode("utf-8")


def store(file: Path, text: str) -> None:
    """Keep a text, for its owner only, and let go of what was not used for the longest; OSError when it cannot be."""
    body = text.encode("utf-8")
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_suffix(f".{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    os.replace(new, file)
    by_use = sorted(os.scandir(file.parent), key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    for entry in by_use[KEPT:]:
        os.unlink(entry.path)
