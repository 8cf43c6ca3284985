"""The way to the control room that is taken most often, without what only other commands need.

`rivus`, also with `--state DIR`, `--config FILE`, `--read-only` or `--trust`, opens the first screen sooner when click
is not imported for it; everything else goes through `rivus_tui.cli.main`, which also says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rivus_tui.cli.asked import Asked


def asked_for_room(args: Sequence[str]) -> Asked | None:
    """Return the options when the arguments ask for the control room and nothing else; None for all others."""
    told: dict[str, Path] = {}
    rest = [arg for arg in args if arg not in ("--read-only", "--trust")]
    read_only, trust = "--read-only" in args, "--trust" in args
    while rest:
        name, _, value = rest.pop(0).partition("=")
        if name not in ("--state", "--config") or name in told:
            return None
        if not value:
            if not rest or rest[0].startswith("-"):
                return None
            value = rest.pop(0)
        told[name] = Path(value)
    return Asked(state=told.get("--state"), config=told.get("--config"), read_only=read_only, trust=trust)


def open_quickly(asked: Asked) -> int:
    """Open the control room; returns the exit code."""
    from rivus_tui.cli.failure import report
    from rivus_tui.cli.room import open_room

    try:
        return open_room(asked)
    except Exception as error:
        return report(error)
