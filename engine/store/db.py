"""The write connection: aiosqlite's thread runs whole transactions, one function at a time."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import aiosqlite

from engine.store.migrate import connect

T = TypeVar("T")


class Database:
    """The one connection that writes and checkpoints.

    A transaction is one function that runs on the connection's thread: one hop however many statements it has, and
    nothing can be awaited (or cancelled) in its middle.
    """

    def __init__(
        self, connection: aiosqlite.Connection, path: Path, durability: Literal["normal", "full"] = "normal"
    ) -> None:
        self._connection = connection
        self._path = path
        self._durability = durability
        self._file = _file_at(path)
        self._is_lost = False
        """There is no connection: the last try to open one again failed."""

    @classmethod
    async def open(cls, path: Path, *, durability: Literal["normal", "full"] = "normal") -> Database:
        """Open the state file, which `migrate.prepare` has made ready."""
        connection = aiosqlite.Connection(lambda: connect(path), iter_chunk_size=64)
        # The thread must not keep a process alive whose engine failed before it could close it.
        connection._thread.daemon = True
        self = cls(await connection, path, durability)
        try:
            await self.run(configure, durability)
        except BaseException:
            await connection.close()
            raise
        return self

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """Run `function(connection, *args)` on the connection's thread and return what it returns.

        Cancelling the caller does not cancel the function. OSError when the file is not in its place any more: what
        were written to it then would be gone with it.
        """
        return await self._hop(self._call, function, args)

    async def reopen(self) -> None:
        """Close the connection, with all that it remembers of the file, and open it anew.

        When that fails, its error is raised, and every later `run` tries to open it first.
        """
        await self._hop(self._open_again)

    async def _hop(self, function: Callable[..., T], *args: object) -> T:
        # aiosqlite's public calls are one statement each; its `_execute` is the hop that all of them are made of.
        hop: Coroutine[Any, Any, T] = self._connection._execute(function, *args)  # type: ignore[no-untyped-call]
        return await asyncio.shield(hop)

    def _call(self, function: Callable[..., T], args: tuple[object, ...]) -> T:
        if self._is_lost:
            self._open_again()
        self._is_in_place()
        return function(self._connection._conn, *args)

    def _is_in_place(self) -> None:
        """SQLite goes on writing to a file that was moved or deleted, as if all were well."""
        found = _file_at(self._path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "it is not in its place any more", str(self._path))
        if found != self._file:
            raise OSError(errno.ESTALE, "another file stands in its place: start Rivus again", str(self._path))

    def _open_again(self) -> None:
        self._is_lost = True
        with suppress(sqlite3.Error):
            self._connection._conn.close()
        self._is_in_place()
        fresh = connect(self._path)
        try:
            configure(fresh, self._durability)
        except BaseException:
            fresh.close()
            raise
        self._connection._connection = fresh
        self._is_lost = False

    async def close(self) -> None:
        """Checkpoint and close; waits for what runs."""
        await self._connection.close()


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file it is: device and number; None when nothing is there."""
    try:
        info = path.stat()
    except FileNotFoundError:
        return None
    return info.st_dev, info.st_ino


class OpenDatabase(Protocol):
    """Opens the write connection."""

    def __call__(self, path: Path, /, *, durability: Literal["normal", "full"]) -> Awaitable[Database]: ...


def configure(connection: sqlite3.Connection, durability: Literal["normal", "full"]) -> None:
    """Set what the write connection has beyond other connections."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA journal_size_limit = 16777216")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("PRAGMA temp_store = MEMORY")


def is_of_the_file(error: Exception) -> bool:
    """Whether it is the disk or the file that fails (full, locked, damaged), not what was to be written or read."""
    return isinstance(error, OSError) or type(error) in (
        sqlite3.OperationalError,
        sqlite3.InternalError,
        sqlite3.DatabaseError,
    )
