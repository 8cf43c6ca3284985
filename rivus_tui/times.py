"""Points in time as people type them. Pure."""

from __future__ import annotations

import datetime

from engine.rules.filters import span


def moment_of(text: str, now: int) -> int:
    """Return ms UTC from `2h` (after `now`, ms UTC), `2027-01-31` (its start, local) or `2027-01-31T09:00`.

    ValueError with a sentence for anything else.
    """
    try:
        return now + span(text.strip())
    except ValueError:
        pass
    try:
        return round(datetime.datetime.fromisoformat(text.strip()).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is no time; say 2h, 3d, 1w, 2027-01-31 or 2027-01-31T09:00") from None
