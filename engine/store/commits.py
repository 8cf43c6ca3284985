"""Commits in doubt: a disk may store a transaction and tell that it did not.

Each group of the writer notes its number in its own transaction. When the commit of one is told as failed, the number
that a new connection reads says what became of it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from engine.store.sql import queries

_SQL = queries("commits")
_IO_ERRORS: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def note(connection: sqlite3.Connection, epoch: int, number: int) -> None:
    """Store, in the transaction of this group, that it is committed."""
    connection.execute(_SQL.note, (f"{epoch}:{number}",))


def is_done(connection: sqlite3.Connection, epoch: int, number: int) -> bool:
    """Whether this group is the last that was committed."""
    row = connection.execute(_SQL.noted).fetchone()
    return row is not None and row[0] == f"{epoch}:{number}"


def is_of_the_disk(error: Exception) -> bool:
    """Whether a connection that has met this error may hold pages that are not those of the file."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _IO_ERRORS
