"""`did you mean`: the nearest of the names that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name most like `name`, or None when none is near."""
    found = difflib.get_close_matches(name, sorted(set(names)), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, names: Iterable[str], *, prefix: str = "") -> str:
    """Return `; did you mean X?`, or nothing when no name is near."""
    near = nearest(name, names)
    return f"; did you mean `{prefix}{near}`?" if near else ""
