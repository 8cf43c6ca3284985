"""The write connection: aiosqlite's thread runs whole transactions, one function at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
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

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path, *, durability: Literal["normal", "full"] = "normal") -> Database:
        """Open the state file, which `migrate.prepare` has made ready."""
        connection = aiosqlite.Connection(lambda: connect(path), iter_chunk_size=64)
        # The thread must not keep a process alive whose engine failed before it could close it.
        connection._thread.daemon = True
        self = cls(await connection)
        try:
            await self.run(configure, durability)
        except BaseException:
            await connection.close()
            raise
        return self

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """Run `function(connection, *args)` on the connection's thread and return what it returns.

        Cancelling the caller does not cancel the function.
        """
        # aiosqlite's public calls are one statement each; its `_execute` is the hop that all of them are made of.
        raw = self._connection._conn
        hop: Coroutine[Any, Any, T] = self._connection._execute(function, raw, *args)  # type: ignore[no-untyped-call]
        return await asyncio.shield(hop)

    async def close(self) -> None:
        """Checkpoint and close; waits for what runs."""
        await self._connection.close()


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
