"""What of an engine looks at nothing but the time: slowed down, or still, where that time is virtual."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from engine.services import guards, heads, live
from engine.work.watchdog import Watchdog


@contextmanager
def patient(live_s: float = 60.0, look_s: float = 3_600.0) -> Iterator[None]:
    """Let news be stored every `live_s`, and heads of repositories and the disk be looked at every `look_s` seconds.

    A day of virtual time has 86,400 seconds to do that in.
    """
    with ExitStack() as stack:
        stack.enter_context(patch.object(live, "EVERY_S", live_s))
        stack.enter_context(patch.object(heads, "LOOK_S", look_s))
        stack.enter_context(patch.object(guards, "DISK_LOOK_S", look_s))
        yield


@contextmanager
def unwatched() -> Iterator[None]:
    """Start no watchdogs: they are threads and go by real time, and those of engines that were killed here live on."""
    with patch.object(Watchdog, "beat", lambda _: None):
        yield
