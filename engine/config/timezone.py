"""The machine's time zone by its IANA name."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from zoneinfo import ZoneInfo


def local_timezone() -> str:
    """Return the name in TZ, or the one that /etc/localtime or /etc/timezone stands for; UTC when none says."""
    names = [os.environ.get("TZ", "").removeprefix(":")]
    names.append(os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2])
    with contextlib.suppress(OSError, UnicodeDecodeError):
        names.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    return next((name for name in names if name and is_zone(name)), "UTC")


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True
