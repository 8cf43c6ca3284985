"""Bring a state file to this version's schema: numbered, up-only files are the schema's only truth.

`PRAGMA user_version` is the number of the last one applied. Each runs in one transaction together with its number. An
older file is copied first (`VACUUM INTO`); a newer one, one that is not ours and an empty one are refused.

A new file is made of `schema.sql`, in which `make schema` writes down what all of them come to: that is one transaction
instead of thirty, at a first start. Should it be behind the migrations, those that it lacks are applied after it.
"""

from __future__ import annotations

import os
import re
import sqlite3
from functools import cache
from pathlib import Path
from typing import Final

from engine.contracts.errors import StateError
from engine.contracts.values import dataclass
from engine.kit.chaos import point
from engine.store import replace
from engine.store.replace import sync

APPLICATION_ID: Final = 1380537939
"""'RIVS' in ASCII, set by migration 0001."""

_SCHEMA: Final = Path(__file__).with_name("schema.sql")

# How to adapt None, sqlite3 asks in three places before it gives up and binds it as it is: seven times the cost of
# a number. A method that is no Python code answers at once.
sqlite3.register_adapter(type(None), dict[None, None]().get)


class OlderState(StateError):
    """The state file was written by an older Rivus and has to be brought up to date by an engine."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations in order; StateError when their numbers are not 1, 2, 3, …"""
    found = []
    for file in (Path(__file__).parent / "migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise StateError("the installation is damaged: migrations are missing or doubled; install Rivus again")
    return tuple(found)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a connection with the settings that every connection has; no schema is looked at."""
    uri = Path(os.path.realpath(path)).as_uri() + ("?mode=ro" if read_only else "?mode=rw")
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA busy_timeout = 5000")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def prepare(path: Path, *, doubt: bool = False) -> None:
    """Make sure that `path` is a state file of this version; StateError says why it cannot be.

    `doubt`: whoever wrote it last was cut off, so every page is looked at before anything is done with it.
    """
    try:
        if path.parent.is_dir():
            replace.finish(path)
        if not path.exists():
            _create(path)
            return
        if path.stat().st_size == 0:
            raise StateError(f"{path}: the state file is empty; restore a backup, or move it away to begin anew")
        connection = connect(path)
    except (sqlite3.Error, OSError) as error:
        raise StateError(f"{path}: the state file cannot be opened: {error}") from error
    try:
        if doubt and (told := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(told)
        _upgrade(connection, path)
    except (sqlite3.DatabaseError, UnicodeDecodeError, OSError) as error:
        raise unusable(path, error) from error
    finally:
        connection.close()


def check(path: Path) -> None:
    """Make sure that `path` can be read as it is, changing nothing; StateError says why it cannot be."""
    try:
        if path.stat().st_size == 0:
            raise StateError(f"{path}: the state file is empty; restore a backup, or move it away to begin anew")
        connection = connect(path, read_only=True)
    except (sqlite3.Error, OSError) as error:
        raise StateError(f"{path}: the state file cannot be opened: {error}") from error
    try:
        version = _version(connection, path)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise unusable(path, error) from error
    finally:
        connection.close()
    if version < migrations()[-1].number:
        raise OlderState(
            f"{path}: written by an older Rivus; start `rivus` or `rivus --serve` once to bring it up to date"
        )


_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked: end that, and try again",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked: end that, and try again",
    sqlite3.SQLITE_FULL: "make room on its disk, and try again",
    sqlite3.SQLITE_READONLY: "look at the rights of the file and its folder",
    sqlite3.SQLITE_PERM: "look at the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "look at the rights of the file and its folder",
    sqlite3.SQLITE_IOERR: "look at its disk, and try again",
}
"""What to do about errors for which the file itself may be in order."""


def unusable(path: Path, error: Exception) -> StateError:
    """Why a state file cannot be used, and what to do; only a damaged one is worth a restore."""
    code = sqlite3.SQLITE_IOERR if isinstance(error, OSError) else getattr(error, "sqlite_errorcode", 0) & 0xFF
    advice = _ADVICE.get(code)
    if advice is not None:
        return StateError(f"{path}: the state file cannot be used ({error}): {advice}")
    return StateError(f"{path}: the state file is damaged ({error}); restore a backup, or move it away")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema's number; StateError for a file that is not ours or newer than this program."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise StateError(f"{path}: this is not a Rivus state file; choose another folder with --state DIR")
    newest = migrations()[-1].number
    if version > newest:
        raise StateError(
            f"{path}: written by a newer Rivus (schema {version}, this one knows {newest}); upgrade Rivus to use it"
        )
    return int(version)


def _create(path: Path) -> None:
    """Build the file under another name and rename it, so that a half-made one never stands under its name."""
    for suffix in ("-wal", "-shm"):
        # What a file that was moved away has left behind would be read into the new one.
        if (left := Path(f"{path}{suffix}")).exists():
            os.rename(left, f"{left}-left")
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = connect(new)
    try:
        # Nobody sees the file before it is renamed, and it is synced once, before that.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.executescript(f"BEGIN IMMEDIATE;\n{_SCHEMA.read_text(encoding='utf-8')}\nCOMMIT;")
        for migration in migrations()[_version(connection, path) :]:
            _apply(connection, migration)
    finally:
        connection.close()
    sync(new)
    point("migrate.created")
    os.rename(new, path)
    sync(path.parent)


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    version, newest = _version(connection, path), migrations()[-1].number
    if version < newest:
        _copy(connection, path.with_name(f"{path.stem}-before-{newest:04d}{path.suffix}"))
        for migration in migrations()[version:]:
            point("migrate.applies")
            _apply(connection, migration)


def upgrade_copy(path: Path) -> None:
    """Bring a copy, of which nothing needs to be kept, to this version's schema; StateError says why it cannot be."""
    connection = connect(path)
    try:
        for migration in migrations()[_version(connection, path) :]:
            _apply(connection, migration)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise unusable(path, error) from error
    finally:
        connection.close()


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection.execute("VACUUM INTO ?", (str(target),))


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    # executescript commits what is open before it starts, so the transaction stands inside the script.
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{migration.sql}\nPRAGMA user_version = {migration.number:d};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def schema(connection: sqlite3.Connection) -> str:
    """The schema as a script, sorted, for `schema.sql` and the test that keeps it fresh."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name"
    )
    head = f"PRAGMA application_id = {application:d};\n\nPRAGMA user_version = {version:d};"
    return "\n\n".join((head, *(f"{sql};" for (sql,) in rows))) + "\n"
