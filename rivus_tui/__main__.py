"""`rivus` and `python -m rivus_tui`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from typing import Final, NoReturn

from rivus_tui.cli.quick import asked_for_room, open_quickly

_ENDING_S: Final = 0.25


def main() -> None:
    """Run the command line and leave with its exit code."""
    _keep_standard_streams()
    # A shell that completes a command line asks with no arguments.
    asked = None if "_RIVUS_COMPLETE" in os.environ else asked_for_room(sys.argv[1:])
    if asked is not None:
        _leave(open_quickly(asked))
    from rivus_tui.cli.main import run

    _leave(run())


def _keep_standard_streams() -> None:
    """Where a stream was closed by whoever started this, the next file that is opened would take its number, and what
    is written to the stream would go there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _joined() -> int:
    """How many threads Python would wait for.

    Those of a pool are among them even where they count as daemons, as they do when a daemon has started them: the
    engine's thread is one.
    """
    pooled = getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", ())
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    return sum(not thread.daemon or thread in pooled for thread in others)


def _leave(code: int) -> NoReturn:
    """Leave, even while a thread is still at work on something that nobody waits for any more.

    A discovery that was cut may leave a thread behind that lists a large folder or waits for git; Python would join it.
    All that matters is stored by now: the engine has stopped. Threads that only have to end get a moment for it, so
    that what modules of handlers registered with `atexit` is run.
    """
    until = time.monotonic() + _ENDING_S
    while (left := _joined()) and time.monotonic() < until:
        time.sleep(0.002)
    if left:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # whoever read it may be gone
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
