from __future__ import annotations

import re
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from engine.contracts.errors import StateError
from engine.store import migrate
from engine.store.migrate import Migration, check, connect, prepare, unusable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A state file of this version."""
    path = tmp_path / "rivus.db"
    prepare(path)
    return path


def test_new_file_belongs_to_its_owner_only(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["rivus.db"]


def test_file_of_this_version_is_left_alone(file: Path) -> None:
    before = file.read_bytes()
    prepare(file)
    check(file)
    assert file.read_bytes() == before


def test_file_that_was_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "rivus.new").write_bytes(b"half")
    prepare(tmp_path / "rivus.db")
    check(tmp_path / "rivus.db")


@pytest.mark.parametrize("look", [prepare, check])
def test_newer_file_is_refused_with_both_numbers(file: Path, look: type) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 4711")
    connection.close()
    newest = migrate.migrations()[-1].number
    with pytest.raises(StateError, match=rf"newer Rivus \(schema 4711, this one knows {newest}\)"):
        look(file)


@pytest.mark.parametrize("look", [prepare, check])
def test_foreign_file_is_refused(tmp_path: Path, look: type) -> None:
    path = tmp_path / "rivus.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(StateError, match="not a Rivus state file"):
        look(path)


@pytest.mark.parametrize("look", [prepare, check])
def test_empty_file_is_refused(tmp_path: Path, look: type) -> None:
    path = tmp_path / "rivus.db"
    path.touch()
    with pytest.raises(StateError, match=r"rivus\.db: the state file is empty; restore a backup"):
        look(path)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("look", [prepare, check])
@pytest.mark.parametrize("damage", ["no database at all" * 300, "\0" * 8192])
def test_damaged_header_is_refused_and_nothing_is_written(file: Path, look: type, damage: str) -> None:
    file.write_text(damage)
    with pytest.raises(StateError, match="is damaged"):
        look(file)
    assert file.read_text() == damage


def test_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rivus.db"
    folder.mkdir()
    with pytest.raises(StateError, match=r"cannot be opened|is damaged"):
        prepare(folder)


def test_missing_file_is_no_state_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"):
        check(tmp_path / "rivus.db")


@pytest.fixture
def two_migrations(monkeypatch: pytest.MonkeyPatch) -> tuple[Migration, ...]:
    """This version's migrations, and one more."""
    known = migrate.migrations()
    further = Migration(len(known) + 1, "further", "CREATE TABLE further (a INTEGER) STRICT;")
    monkeypatch.setattr(migrate, "migrations", lambda: (*known, further))
    return (*known, further)


def test_older_file_is_copied_and_brought_up_to_date(file: Path, two_migrations: tuple[Migration, ...]) -> None:
    newest = two_migrations[-1].number
    with pytest.raises(StateError, match="written by an older Rivus"):
        check(file)
    prepare(file)
    check(file)
    copy = file.with_name(f"rivus-before-{newest:04d}.db")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (newest - 1,)
    connection.close()


def test_migration_that_fails_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrate.migrations()
    broken = Migration(len(known) + 1, "broken", "CREATE TABLE further (a INTEGER); INSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(migrate, "migrations", lambda: (*known, broken))
    with pytest.raises(StateError, match="nowhere"):
        prepare(file)
    monkeypatch.undo()
    check(file)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'further'").fetchone() is None
    connection.close()


def test_file_that_another_program_cut_is_refused(file: Path) -> None:
    shutil.copy(file, file.with_name("whole"))
    with file.open("r+b") as handle:
        handle.truncate(4096 + 100)
    with pytest.raises(StateError, match="is damaged"):
        prepare(file)


def test_reading_connection_cannot_write(file: Path) -> None:
    connection = migrate.connect(file, read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM meta")
    connection.close()


def test_new_file_is_not_read_together_with_the_log_of_one_that_was_moved_away(tmp_path: Path) -> None:
    path = tmp_path / "rivus.db"
    prepare(path)
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    connection.execute("INSERT INTO meta VALUES ('epoch', '7')")
    log = Path(f"{path}-wal").read_bytes()
    connection.close()
    path.rename(tmp_path / "moved.db")
    Path(f"{path}-wal").write_bytes(log)
    prepare(path)
    connection = connect(path)
    assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
    connection.close()
    assert Path(f"{path}-wal-left").read_bytes() == log


def test_file_that_was_cut_off_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "rivus.db"
    prepare(path)
    prepare(path, doubt=True)
    raw = bytearray(path.read_bytes())
    raw[4096 * 5 : 4096 * 6] = bytes(4096)
    path.write_bytes(raw)
    prepare(path)
    with pytest.raises(StateError, match="damaged"):
        prepare(path, doubt=True)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_BUSY, "another program keeps it locked"),
        (sqlite3.SQLITE_FULL, "make room on its disk"),
        (sqlite3.SQLITE_IOERR_FSYNC, "look at its disk"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "look at the rights"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "is damaged .*restore a backup"),
    ],
)
def test_only_a_damaged_file_is_to_be_replaced(tmp_path: Path, code: int, advice: str) -> None:
    error = sqlite3.OperationalError("why")
    error.sqlite_errorcode = code
    told = str(unusable(tmp_path / "rivus.db", error))
    assert re.search(advice, told)
    assert ("restore" in told) == (code == sqlite3.SQLITE_CORRUPT_INDEX)
