"""Who keeps the engine's loop from turning: an `async def` handler that computes, or waits without `await`.

While attempts run, the loop gives a sign of life twice a second. A thread looks for it. When it stays away, the thread
writes the loop's stack and the handler's name to the log at once; when the same handler is still at it, it is told, so
that it runs in a process of its own from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final

from engine.work.run import Run

log = logging.getLogger(__name__)

SAID_S: Final = 1.5
"""The loop has given no sign of life for so long: say in the log what it does."""
MOVED_S: Final = 3.5
"""And for so long, at the same attempt: its handler blocks."""
_LOOK_S: Final = 0.5


class Watchdog:
    """Watches the loop it is first used on."""

    def __init__(self, whose: Callable[[object], Run | None], blocked: Callable[[Run, float], None]) -> None:
        """`whose`: the attempt that a task runs, asked in another thread; `blocked` is called on the loop, when it
        turns again, with the attempt that kept it and for how many seconds."""
        self._whose = whose
        self._blocked = blocked
        self._beat = 0.0
        self._busy = threading.Event()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0

    def beat(self) -> None:
        """The loop turns, and attempts run."""
        self._beat = time.monotonic()
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop_thread = threading.get_ident()
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        self._busy.set()

    def rest(self) -> None:
        """Nothing runs: nobody has to look."""
        self._busy.clear()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._busy.set()

    def _watch(self) -> None:
        suspect: Run | None = None
        told = False
        while True:
            self._busy.wait()
            if self._closed:
                return
            beat = self._beat
            still = time.monotonic() - beat
            if still < SAID_S:
                suspect, told = None, False
            else:
                found = self._at_work()
                if suspect is None and found is not None:
                    suspect = found
                    self._say(found)
                elif found is not suspect:
                    suspect = None
                elif still >= MOVED_S and not told and found is not None:
                    told = True
                    self._tell(found, beat)
            time.sleep(_LOOK_S)

    def _at_work(self) -> Run | None:
        assert self._loop is not None
        try:
            return self._whose(asyncio.current_task(self._loop))
        except RuntimeError:
            return None  # it turns again, and changed what was looked at

    def _say(self, run: Run) -> None:
        frame = sys._current_frames().get(self._loop_thread)
        stack = "".join(traceback.format_stack(frame, limit=30)) if frame is not None else ""
        handler = run.claim.stage.spec.handler
        log.error("%s keeps the engine's loop from turning; it is at:\n%s", handler, stack, extra=run.ids())

    def _tell(self, run: Run, beat: float) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(lambda: self._blocked(run, time.monotonic() - beat))
