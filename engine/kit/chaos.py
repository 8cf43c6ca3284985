"""The one seam for injected faults: named points that do nothing, except in a test that set `upon`.

A point stands where a fault is worth trying: before a commit, after it and before its answer, between a handler's side
effect and the record of it, between two steps that a crash may part. What `upon` does with the name (raise, end the
process, wait) is the test's affair. Points cost one comparison and stand once a transaction or once an attempt, never
once a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_upon: Callable[[str], None] | None = None


def point(name: str) -> None:
    """Pass a point at which a test may make the engine stumble."""
    if _upon is not None:
        _upon(name)


@contextmanager
def stumbling(upon: Callable[[str], None]) -> Iterator[None]:
    """Call `upon(name)` at every point that is passed while this lasts, on whichever thread passes it."""
    global _upon
    before, _upon = _upon, upon
    try:
        yield
    finally:
        _upon = before
