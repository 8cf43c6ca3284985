"""What a handler can change in its process for whoever comes after it: looked at before and after each call."""

from __future__ import annotations

import gc
import locale
import logging
import os
import resource
import signal
import socket
import sys
import threading
from typing import Any, Final

_SIGNALS: Final = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXFSZ, signal.SIGSEGV),
)
_LIMITS: Final = (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)
_SPARE_FILES: Final = 16
"""Open files more than before that are not called a leak: modules keep a few."""
MEMORY_KEPT: Final = 768 << 20
"""A process that has needed so much memory is not kept."""


class Surroundings:
    """The state of this process that all calls in it share."""

    def __init__(self) -> None:
        """Take down how it is now."""
        self._told = _look()
        self._files = _open_files()

    def changed(self) -> bool:
        """Whether the next call would find something else than this one did."""
        return self._told != _look() or _open_files() > self._files + _SPARE_FILES or _memory() > MEMORY_KEPT


def _look() -> tuple[Any, ...]:
    try:
        folder = os.getcwd()
    except OSError:
        folder = ""  # deleted
    mask = os.umask(0o077)
    os.umask(mask)
    return (
        folder,
        mask,
        os.environ.copy(),
        tuple(sys.path),
        (id(sys.stdout), id(sys.stderr), id(sys.stdin)),
        tuple(_file(number) for number in (0, 1, 2)),
        tuple(signal.getsignal(number) for number in _SIGNALS),
        signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        locale.setlocale(locale.LC_ALL),
        tuple(resource.getrlimit(limit) for limit in _LIMITS),
        threading.active_count(),
        logging.root.manager.disable,
        socket.getdefaulttimeout(),
        sys.getrecursionlimit(),
        gc.isenabled(),
        os.getpriority(os.PRIO_PROCESS, 0),
    )


def _file(number: int) -> tuple[int, int] | None:
    try:
        info = os.fstat(number)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0  # not on this system, or the limit is used up: then nothing works here any more


def _memory() -> int:
    """Most memory that this process has ever had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
