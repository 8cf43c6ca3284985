"""The last key in any terminal of this user: the kernel notes it as the time at which the terminal was last read.

It sees every terminal of the machine (tmux, ssh, a terminal window), and nothing of graphical programs. Where there is
no terminal of this user at all, it cannot tell.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.contracts.seam import ProbeContext, accepts


@accepts("folder")
def answer(ctx: ProbeContext) -> float | None:
    """Seconds since the last key; None when there is no terminal. Param `folder`: where they lie, `/dev/pts`."""
    last: float | None = None
    try:
        paths = list(Path(str(ctx.params.get("folder") or "/dev/pts")).iterdir())
    except OSError:
        return None
    for path in paths:
        try:
            told = path.stat()
        except OSError:
            continue  # it was closed meanwhile
        if path.name.isdigit() and told.st_uid == os.getuid():
            last = max(last or 0.0, told.st_atime)
    return None if last is None else max(0.0, ctx.now / 1000 - last)
