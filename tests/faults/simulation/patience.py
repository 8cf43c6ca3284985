"""Loops of the engine that look at nothing but the time, slowed down: in virtual time a day has 86,400 of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from engine.services import guards, heads, live


@contextmanager
def patient(live_s: float = 60.0, look_s: float = 3_600.0) -> Iterator[None]:
    """Let news be stored every `live_s`, and heads of repositories and the disk be looked at every `look_s` seconds."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(live, "EVERY_S", live_s))
        stack.enter_context(patch.object(heads, "LOOK_S", look_s))
        stack.enter_context(patch.object(guards, "DISK_LOOK_S", look_s))
        yield
