"""The write connection of a simulated engine: the same SQL on the same file, on the loop's own thread, with faults.

A statement may fail as a disk fails it; a commit may be done and still be told as failed; a hop may take long. The
connection keeps a witness: a table that triggers fill in the same transaction, so it holds every committed change of a
row in the order in which it was committed, however the engine ended.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.store.db import Database, configure
from tests.faults.simulation.loop import VirtualLoop

T = TypeVar("T")

WITNESS = """
CREATE TABLE IF NOT EXISTS witness (
    n INTEGER PRIMARY KEY, at INTEGER, what TEXT, item INTEGER, stage INTEGER,
    old TEXT, new TEXT, old_fence INTEGER, fence INTEGER, old_owner INTEGER, owner INTEGER, more INTEGER,
    interrupted INTEGER
);
CREATE TEMP TRIGGER witness_row AFTER UPDATE ON item_stages
WHEN old.state <> new.state OR old.fence <> new.fence OR old.owner IS NOT new.owner
    OR old.lease_until IS NOT new.lease_until
BEGIN
    INSERT INTO witness (at, what, item, stage, old, new, old_fence, fence, old_owner, owner, more, interrupted)
    VALUES (virtual_now(), 'row', new.item_id, new.stage_id, old.state, new.state, old.fence, new.fence, old.owner,
        new.owner, old.lease_until, new.interruptions - old.interruptions);
END;
CREATE TEMP TRIGGER witness_new AFTER INSERT ON item_stages BEGIN
    INSERT INTO witness (at, what, item, stage, new, fence)
    VALUES (virtual_now(), 'new', new.item_id, new.stage_id, new.state, new.fence);
END;
CREATE TEMP TRIGGER witness_result AFTER INSERT ON results BEGIN
    INSERT INTO witness (at, what, item, stage, fence, more)
    VALUES (virtual_now(), 'result', new.item_id, new.stage_id, new.fence, new.cost_usd_micros);
END;
CREATE TEMP TRIGGER witness_result_again AFTER UPDATE ON results BEGIN
    INSERT INTO witness (at, what, item, stage, fence, more)
    VALUES (virtual_now(), 'result', new.item_id, new.stage_id, new.fence, new.cost_usd_micros);
END;
CREATE TEMP TRIGGER witness_job AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
    INSERT INTO witness (at, what, item, old, new)
    VALUES (virtual_now(), 'job', new.id, new.paused_by, new.state);
END;
CREATE TEMP TRIGGER witness_stage AFTER UPDATE ON stages BEGIN
    INSERT INTO witness (at, what, item, stage, old, new, more)
    VALUES (virtual_now(), 'stage', new.job_id, new.id, new.name, new.after, new.enabled AND NOT new.removed);
END;
CREATE TEMP TRIGGER witness_stage_new AFTER INSERT ON stages BEGIN
    INSERT INTO witness (at, what, item, stage, old, new, more)
    VALUES (virtual_now(), 'stage', new.job_id, new.id, new.name, new.after, new.enabled AND NOT new.removed);
END;
CREATE TEMP TRIGGER witness_spent AFTER INSERT ON spent BEGIN
    INSERT INTO witness (at, what, item, more) VALUES (virtual_now(), 'spent', new.job_id, new.usd_micros);
END;
CREATE TEMP TRIGGER witness_spent_more AFTER UPDATE ON spent BEGIN
    INSERT INTO witness (at, what, item, more)
    VALUES (virtual_now(), 'spent', new.job_id, new.usd_micros - old.usd_micros);
END;
CREATE TEMP TRIGGER witness_epoch AFTER UPDATE ON meta WHEN new.key = 'epoch' BEGIN
    INSERT INTO witness (at, what, more) VALUES (virtual_now(), 'epoch', CAST(new.value AS INTEGER));
END;
CREATE TEMP TRIGGER witness_first_epoch AFTER INSERT ON meta WHEN new.key = 'epoch' BEGIN
    INSERT INTO witness (at, what, more) VALUES (virtual_now(), 'epoch', CAST(new.value AS INTEGER));
END;
"""


class Killed(BaseException):
    """The process is gone; whoever sees this must not be able to do anything any more."""


class FaultyConnection(sqlite3.Connection):
    """A connection whose statements pass by `before` first, which may raise in their place."""

    before: Callable[[sqlite3.Connection, str], None] | None = None
    after: Callable[[sqlite3.Connection, str], None] | None = None

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if self.before is not None:
            self.before(self, sql)
        cursor = super().execute(sql, *args)
        if self.after is not None:
            self.after(self, sql)
        return cursor

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if self.before is not None:
            self.before(self, sql)
        return super().executemany(sql, *args)

    def plainly(self, sql: str) -> None:
        """Run a statement that no fault meets."""
        super().execute(sql)


def disk_error() -> sqlite3.OperationalError:
    """What SQLite raises when a system call fails."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


class InlineDatabase(Database):
    """Runs whole transactions one after the other, on the loop, after a delay that the world draws."""

    def __init__(self, open_raw: Callable[[], FaultyConnection], delay: Callable[[], float]) -> None:
        self.connection = open_raw()
        self._open_raw = open_raw
        self._delay = delay
        self._waiting: deque[tuple[Callable[..., Any], tuple[object, ...], asyncio.Future[Any]]] = deque()
        self._busy = False

    @classmethod
    def opener(
        cls, now: Callable[[], int], delay: Callable[[], float], opened: Callable[[InlineDatabase], None]
    ) -> Callable[..., Any]:
        """What the runtime opens its state file with; `opened` is told."""

        async def open_database(path: Path, *, durability: Literal["normal", "full"] = "normal") -> InlineDatabase:
            def open_raw() -> FaultyConnection:
                connection = sqlite3.connect(
                    path, isolation_level=None, cached_statements=256, factory=FaultyConnection
                )
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                configure(connection, durability)
                connection.execute("PRAGMA synchronous = OFF")  # nobody cuts the power here
                connection.create_function("virtual_now", 0, now)
                connection.executescript(WITNESS)
                return connection

            self = cls(open_raw, delay)
            opened(self)
            return self

        return open_database

    async def reopen(self) -> None:
        await self.run(self._open_again)

    def _open_again(self, old: FaultyConnection) -> None:
        before, after = old.before, old.after
        old.before = old.after = None
        old.close()
        self.connection = self._open_raw()
        self.connection.before, self.connection.after = before, after

    async def run(self, function: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((function, args, future))
        if not self._busy:
            self._busy = True
            loop.call_later(self._delay(), self._serve)
        return await asyncio.shield(future)

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        function, args, future = self._waiting.popleft()
        try:
            value = function(self.connection, *args)
        except BaseException as error:
            if loop.halted:
                return
            if not future.done():
                future.set_exception(error)
        else:
            if loop.halted:
                return
            if not future.done():
                future.set_result(value)
        self._busy = bool(self._waiting)
        if self._busy:
            loop.call_later(self._delay(), self._serve)

    async def close(self) -> None:
        await self.run(lambda connection: None)
        self.connection.close()

    def die(self) -> None:
        """The process is killed: what is not committed is gone, and nothing more can be done here."""
        self.connection.before = None
        self.connection.after = None
        self.connection.close()
