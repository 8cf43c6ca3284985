"""Errors as one message on stderr and an exit code; a traceback never reaches the screen."""

from __future__ import annotations

import errno
import sys
from typing import Final

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


def report(error: Exception) -> int:
    """Say what went wrong and return the exit code that stands for it."""
    from engine.contracts.errors import ConfigError, RivusError

    if isinstance(error, ConfigError):
        n = len(error.problems)
        _say(f"{error}\n{n} {'problem' if n == 1 else 'problems'}; nothing was started")
        return error.exit_code
    if isinstance(error, RivusError):
        _say(f"rivus: {error}")
        return error.exit_code
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        _say(f"rivus: something could not be written: {error.filename or 'the output'}: {error.strerror}")
        return 1
    import sqlite3

    if type(error) in (sqlite3.DatabaseError, sqlite3.OperationalError):
        _say(
            f"rivus: the state file cannot be read ({error}); restore a backup, or move it away "
            "(`rivus info` says where it is)"
        )
        return 1
    from rivus_tui.cli.crash import write_crash

    _say(f"rivus: an unexpected error ({type(error).__name__}); {write_crash(error)}")
    return 1


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
