"""Points in time as people type them."""

from __future__ import annotations

import datetime
import time


def earlier(text: str) -> int:
    """Return ms UTC from `8h` (so long ago), `2027-01-31` or `2027-01-31T09:00`; UseError if wrong."""
    now = round(time.time() * 1000)
    at = moment(text)
    return at if at <= now else 2 * now - at


def moment(text: str) -> int:
    """Return ms UTC from `2h`, `3d`, `2027-01-31` (its start, local) or `2027-01-31T09:00`; UseError if wrong."""
    from engine.config.units import parse_duration
    from engine.contracts.errors import UseError

    try:
        return round((time.time() + parse_duration(text)) * 1000)
    except ValueError:
        pass
    try:
        return round(datetime.datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UseError(f"`{text}` is no time; say 2h, 3d, 1w, 2027-01-31 or 2027-01-31T09:00") from None
