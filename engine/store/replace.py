"""Put a copy in place of the state file, so that a crash in between leaves one of the two and never none.

The copy stands ready under a name of its own before anything is moved. That name is the decision: whoever next opens
the state file for an engine finishes what it finds, under the same number.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from engine.kit.chaos import point


def decide(database: Path, new: Path, number: int) -> None:
    """From here on `new`, which is whole and on the disk, replaces the state file."""
    os.rename(new, database.with_name(f"{database.stem}-restored-{number}{database.suffix}"))
    sync(database.parent)
    point("restore.decided")


def finish(database: Path) -> Path | None:
    """Do what is decided, if anything is; returns where the replaced file lies, if there was one."""
    found = re.compile(rf"{re.escape(database.stem)}-restored-(\d+){re.escape(database.suffix)}")
    ready = [match for name in os.listdir(database.parent) if (match := found.fullmatch(name))]
    if not ready:
        return None
    newest = max(ready, key=lambda match: int(match[1]))
    aside = database.with_name(f"{database.stem}-replaced-{newest[1]}{database.suffix}")
    # The log first: a file that has lost its log is an earlier state, a log beside another file would be read into it.
    for suffix in ("-wal", "-shm", ""):
        part, kept = Path(f"{database}{suffix}"), Path(f"{aside}{suffix}")
        if part.exists():
            # Whoever looked in between may have made another one.
            os.rename(part, f"{kept}-left" if kept.exists() else kept)
            point("restore.aside")
    os.rename(database.with_name(newest[0]), database)
    sync(database.parent)
    return aside if aside.exists() else None


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
