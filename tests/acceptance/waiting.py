"""Wait for another process: by looking again and again, with a deadline, never for a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

DEADLINE_S = 60.0
POLL_S = 0.02


def wait_until(is_so: Callable[[], bool], what: Callable[[], object], *, seconds: float = DEADLINE_S) -> None:
    """Look until it is so; after the deadline fail with `what` was there instead."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not is_so():
        if time.monotonic() > until:
            raise AssertionError(what())
        pause.wait(POLL_S)
