"""Files that the control room writes for a person: whole or not at all, readable by nobody else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path


def free_name(folder: Path, stem: str, suffix: str, now: int) -> Path:
    """Return a name that is not taken, such as `rivus-items-20260101-140712.csv`; `now` is ms UTC."""
    stamp = datetime.fromtimestamp(now / 1000).strftime("%Y%m%d-%H%M%S")
    for number in range(1_000):
        more = f"-{number}" if number else ""
        path = folder / f"{stem}-{stamp}{more}.{suffix}"
        if not path.exists():
            return path
    raise FileExistsError(f"{folder} has a thousand files of this second already")


def write(path: Path, lines: Iterable[str]) -> int:
    """Write lines; returns how many. OSError when it cannot be written; nothing is left then."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    written = 0
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            for line in lines:
                file.write(f"{line}\n")
                written += 1
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return written
