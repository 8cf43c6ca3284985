from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from engine.contracts import states
from engine.store import migrate
from tests.factories import Ground


@pytest.fixture
def fresh() -> Iterator[sqlite3.Connection]:
    """An empty state in memory, made of the migrations."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in migrate.migrations():
        migrate._apply(connection, migration)
    yield connection
    connection.close()


def test_readable_schema_is_that_of_the_migrations(fresh: sqlite3.Connection) -> None:
    text = (resources.files("engine.store") / "schema.sql").read_text(encoding="utf-8")
    assert text == migrate.schema(fresh), "write it anew with: make schema"


def test_new_file_is_what_the_migrations_come_to(fresh: sqlite3.Connection, tmp_path: Path) -> None:
    """Made in one go or step by step: the same tables, in the same order of columns, and nothing in them."""
    migrate.prepare(tmp_path / "rivus.db")
    made = migrate.connect(tmp_path / "rivus.db")
    try:
        assert migrate.schema(made) == migrate.schema(fresh)
        for (name,) in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = f"SELECT * FROM pragma_table_xinfo('{name}')"
            assert made.execute(columns).fetchall() == fresh.execute(columns).fetchall(), name
            rows = f"SELECT * FROM {name}"
            assert made.execute(rows).fetchall() == fresh.execute(rows).fetchall() == [], name
        assert made.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        made.close()


def test_new_file_has_migrations_that_the_schema_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    further = migrate.Migration(len(migrate.migrations()) + 1, "further", "CREATE TABLE further (a INTEGER) STRICT;")
    known = (*migrate.migrations(), further)
    monkeypatch.setattr(migrate, "migrations", lambda: known)
    migrate.prepare(tmp_path / "rivus.db")
    made = migrate.connect(tmp_path / "rivus.db")
    try:
        assert made.execute("PRAGMA user_version").fetchone() == (further.number,)
        assert made.execute("SELECT count(*) FROM further").fetchone() == (0,)
    finally:
        made.close()


def test_migrations_are_numbered_from_one_without_holes() -> None:
    files = sorted(file.name for file in (resources.files("engine.store") / "migrations").iterdir())
    files = [name for name in files if name.endswith(".sql")]
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    assert [migration.number for migration in migrate.migrations()] == list(range(1, len(files) + 1))


def test_state_file_says_what_it_is(fresh: sqlite3.Connection) -> None:
    assert fresh.execute("PRAGMA application_id").fetchone() == (migrate.APPLICATION_ID,)
    assert fresh.execute("PRAGMA user_version").fetchone() == (migrate.migrations()[-1].number,)


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("item_stages", "state", states.STAGE_STATES),
        ("items", "state", states.ITEM_STATES),
        ("jobs", "state", states.JOB_STATES),
        ("runs", "state", states.RUN_STATES),
        ("items", "confidence", ("high", "medium", "low")),
        ("items", "closed", ("done", "cancelled")),
    ],
)
def test_check_allows_the_words_of_the_contracts(
    fresh: sqlite3.Connection, table: str, column: str, expected: tuple[str, ...]
) -> None:
    (text,) = fresh.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    alternatives = rf"{column} IN \([^)]*\)|{column} = '\w+'(?: OR {column} = '\w+')*"
    found = re.search(rf"\b{column} TEXT[^,]*?CHECK \(({alternatives})\)", text, re.DOTALL)
    assert found is not None
    assert set(re.findall(r"'(\w+)'", found[1])) == set(expected)


@pytest.mark.parametrize("table", ["items", "item_stages", "results", "events"])
def test_checks_of_busy_tables_are_cheap(fresh: sqlite3.Connection, table: str) -> None:
    """SQLite builds the set of an IN with more than two words anew for every row; see migration 0011."""
    (text,) = fresh.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    costly = [words for words in re.findall(r"\w+ IN \([^)]*\)", text) if words.count(",") > 1]
    assert costly == [], "write it as `x = 'a' OR x = 'b' OR x = 'c'`"


def test_state_file_from_before_its_checks_were_rewritten_keeps_its_rows_and_checks(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    other = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    for migration in migrate.migrations()[:10]:
        migrate._apply(connection, migration)
    kept = "INSERT INTO events (at, kind, level, actor) VALUES (1, 'old', 'info', 'engine')"
    for one in (connection, other):
        one.execute(kept)
    migrate._apply(connection, migrate.migrations()[10])
    for one in (connection, other):
        assert one.execute("SELECT kind FROM events").fetchall() == [("old",), ("old",)]
        with pytest.raises(sqlite3.IntegrityError):
            one.execute("INSERT INTO events (at, kind, level, actor) VALUES (1, 'new', 'loud', 'engine')")
        assert one.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        one.close()


def test_every_table_checks_its_types(fresh: sqlite3.Connection) -> None:
    loose = [row[1] for row in fresh.execute("PRAGMA table_list") if not row[5] and not row[1].startswith("sqlite_")]
    assert loose == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE item_stages SET state = 'running'",
        "UPDATE item_stages SET owner = 1",
        "UPDATE item_stages SET lease_until = 1",
        "UPDATE item_stages SET due_at = NULL",
        "UPDATE item_stages SET state = 'lost'",
        "UPDATE items SET state = 'snoozed'",
        "UPDATE items SET priority = 2",
        "UPDATE items SET priority = 4, priority_by = 'person'",
        "UPDATE jobs SET state = 'paused'",
        "UPDATE items SET line = 'twelve'",
        "UPDATE stage_counts SET n = n - 2",
    ],
)
def test_schema_refuses_what_cannot_be(ground: Ground, change: str) -> None:
    ground.add("a")
    with pytest.raises(sqlite3.IntegrityError):
        ground.db.execute(change)


def test_row_without_its_item_is_refused(ground: Ground) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        ground.db.execute("INSERT INTO item_stages (item_id, stage_id, state) VALUES (99, 1, 'blocked')")
