"""Keeping the state file well: prune what is old, copy it while it is in use, check it, put a copy back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from engine.contracts.errors import StateError
from engine.kit.chaos import point
from engine.store import checkpoints, hours, live, old, replace, rollups
from engine.store.checksum import hash_output
from engine.store.migrate import OlderState, connect, upgrade_copy
from engine.store.migrate import check as check_file
from engine.store.replace import sync
from engine.store.sql import queries

_SQL = queries("upkeep")

DAY_MS: Final = 86_400_000
EVENTS_KEPT_MS: Final = 30 * DAY_MS
ATTEMPTS_KEPT_MS: Final = 90 * DAY_MS
RUNS_KEPT_MS: Final = 90 * DAY_MS
OPERATIONS_KEPT_MS: Final = 90 * DAY_MS
CALLS_KEPT_MS: Final = 90 * DAY_MS
"""Of single model calls; their sums stay."""
BATCH: Final = 2_000
"""Rows that one transaction deletes at most, so that nobody waits long for the writer."""
_PROBLEMS_SHOWN: Final = 20


def prune(connection: sqlite3.Connection, now: int) -> int:
    """Delete one batch of what is beyond its keeping time; returns how many rows, 0 when nothing is left to prune."""
    deleted = 0
    before = _first_kept_event(connection, now - EVENTS_KEPT_MS)
    if before is not None:
        deleted += connection.execute(_SQL.prune_events, {"before": before, "n": BATCH}).rowcount
    for query, kept in (
        (_SQL.prune_attempts, ATTEMPTS_KEPT_MS),
        (_SQL.prune_runs, RUNS_KEPT_MS),
        (_SQL.prune_operations, OPERATIONS_KEPT_MS),
        (_SQL.prune_calls, CALLS_KEPT_MS),
        (_SQL.prune_answers, 0),
    ):
        deleted += connection.execute(query, {"at": now - kept, "n": BATCH}).rowcount
    deleted += live.prune(connection, now - ATTEMPTS_KEPT_MS, BATCH)
    deleted += checkpoints.prune(connection, BATCH)
    return deleted + rollups.prune(connection, now) + hours.prune(connection, now) + old.prune(connection, now)


def note_pruned(connection: sqlite3.Connection, now: int) -> None:
    """All that is beyond its keeping time has gone."""
    connection.execute(_SQL.note_pruned, {"now": str(now)})


def prune_is_due(connection: sqlite3.Connection, now: int) -> bool:
    """Whether nothing was pruned for a day; of a new state file the first day begins with this question."""
    row = connection.execute(_SQL.pruned).fetchone()
    if row is None:
        note_pruned(connection, now)
        return False
    return not 0 <= now - int(row[0]) < DAY_MS


def _first_kept_event(connection: sqlite3.Connection, at: int) -> int | None:
    """The number of the first event at or after `at`: events are numbered in the order of time, so halve the range."""
    low, high = connection.execute(_SQL.event_range).fetchone()
    if low is None:
        return None
    high += 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_SQL.event_at, (middle,)).fetchone()
        if row is None or row[1] >= at:
            high = middle
        else:
            low = int(row[0]) + 1
    return int(low)


def backup(database: Path, target: Path) -> int:
    """Copy the state file as it is at this moment, while an engine may write it; returns the size in bytes.

    `VACUUM INTO` is one read transaction and never starts over, as the online backup interface does under a steady
    writer. The copy is complete under its name or not there at all.
    """
    check_file(database)
    if target.exists():
        raise StateError(f"{target}: there is a file of this name already; choose another")
    new = target.with_name(f".{target.name}.new")
    try:
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with closing(connect(database, read_only=True)) as connection:
            connection.execute("PRAGMA query_only = OFF")  # the copy is written; the source is opened read-only
            connection.execute("VACUUM INTO ?", (str(new),))
        sync(new)
        problems = list(check(new))
        if problems:
            raise StateError(f"{database}: the copy has problems, so it was not kept: {problems[0]}")
        point("backup.copied")
        os.rename(new, target)
        sync(target.parent)
        return target.stat().st_size
    except (OSError, sqlite3.Error) as error:
        raise StateError(f"{target}: the copy could not be written: {error}") from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def check(database: Path) -> Iterator[str]:
    """Look at every page, reference, checksum and count; yields a sentence for each problem, at most some of a kind."""
    check_file(database)
    try:
        with closing(connect(database, read_only=True)) as connection:
            for (line,) in connection.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    yield f"integrity: {line}"
            for row in connection.execute("PRAGMA foreign_key_check").fetchmany(_PROBLEMS_SHOWN):
                yield f"a row of {row[0]} refers to a row of {row[2]} that is not there"
            bad = 0
            for item_id, stage_id, output, output_hash in connection.execute(_SQL.all_results):
                if hash_output(output) != output_hash:
                    bad += 1
                    if bad <= _PROBLEMS_SHOWN:
                        yield f"the result of item {item_id} at stage {stage_id} does not match its checksum"
            for (item_id,) in connection.execute(_SQL.broken_items).fetchmany(_PROBLEMS_SHOWN):
                yield f"item {item_id} is damaged: what is stored of it cannot be read"
            for query, what in ((_SQL.recount_stages, "stage"), (_SQL.recount_items, "job")):
                for row in connection.execute(query).fetchmany(_PROBLEMS_SHOWN):
                    yield f"{what} {row[0]}: {row[-2]} {row[-3]} are counted, {row[-1]} are there"
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        yield f"the file cannot be read: {error}"


def restore(database: Path, source: Path, now: int) -> Path | None:
    """Put a checked copy in place of the state file; returns where the replaced one lies, which is never deleted.

    The caller owns the state directory. A copy of an older version is brought up to date. StateError when the copy has
    problems, and then nothing is touched.
    """
    if not source.exists():
        raise StateError(f"{source}: there is no such file")
    with suppress(OlderState):
        check_file(source)
    new = database.with_suffix(".new")
    try:
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with closing(connect(source, read_only=True)) as connection:
            connection.execute("PRAGMA query_only = OFF")
            connection.execute("VACUUM INTO ?", (str(new),))
        upgrade_copy(new)
        if problems := list(check(new)):
            raise StateError(f"{source}: this copy has problems and was not used: {problems[0]}")
        sync(new)
        replace.decide(database, new, now)
        return replace.finish(database)
    except (OSError, sqlite3.Error) as error:
        raise StateError(f"{database}: the copy could not be put in place: {error}") from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
