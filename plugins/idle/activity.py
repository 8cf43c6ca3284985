"""The last activity from a file: the time that is written in it, or else when it was last touched.

Param: `file` (relative to the project's folder, `~` allowed); without it the one that the control room touches at each
key. Where the file is not there, nobody has been active since the engine was started.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.contracts.seam import ProbeContext, accepts

FILE: Final = "activity"
_READ: Final = 100
_SECONDS_MAX: Final = 100_000_000_000
"""A number above it is milliseconds."""


@accepts("file")
def answer(ctx: ProbeContext) -> float | None:
    """Seconds since the last activity."""
    named = ctx.params.get("file")
    path = ctx.root / Path(str(named)).expanduser() if named else ctx.state_dir / FILE
    try:
        with path.open("rb") as file:
            text = file.read(_READ)
        at = _written(text.decode("utf-8", "replace").strip()) or round(path.stat().st_mtime * 1000)
    except FileNotFoundError:
        at = ctx.started_at
    return max(0.0, (ctx.now - at) / 1000)


def _written(text: str) -> int | None:
    """A time in ms UTC, from seconds or milliseconds or ISO 8601; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 < number < 2**53:
        return None
    return round(number if number > _SECONDS_MAX else number * 1000)
