"""The state file is pruned, copied while in use, checked, and put back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engine.contracts.errors import StateError
from engine.kit.chaos import stumbling
from engine.store import migrate, upkeep
from engine.store.migrate import connect, migrations, prepare
from engine.store.reader import Reader
from engine.store.upkeep import DAY_MS, backup, check, prune, restore
from tests.factories import Ground


def settled(ground: Ground, *keys: str) -> Ground:
    ground.add(*keys)
    ground.finish(output={"text": "kept"})
    return ground


def prune_all(ground: Ground) -> int:
    deleted = 0
    while n := ground.do(prune, ground.now):
        deleted += n
    return deleted


def test_events_beyond_their_time_go_and_younger_ones_stay(ground: Ground) -> None:
    settled(ground, "old")
    ground.clock.advance(31 * DAY_MS / 1000)
    settled(ground, "young")

    assert prune_all(ground) == 1
    assert [event["item_id"] for event in ground.events("stage.done")] == [ground.item("young")["id"]]


def test_pruning_keeps_every_item_and_result(ground: Ground) -> None:
    settled(ground, "a", "b")
    ground.clock.advance(400 * DAY_MS / 1000)
    prune_all(ground)

    assert ground.states("a") == {"a": "done", "work": "done"}
    assert len(ground.rows("SELECT * FROM results")) == 2


def test_one_batch_deletes_no_more_than_it_may(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 10)
    settled(ground, *(f"k{n}" for n in range(25)))
    ground.clock.advance(31 * DAY_MS / 1000)

    assert [ground.do(prune, ground.now) for _ in range(4)] == [10, 10, 5, 0]


def test_failed_attempts_of_open_items_stay(ground: Ground) -> None:
    ground.add("open", "settled")
    ground.leave("fail")
    ground.command("drop", "settled")
    ground.clock.advance(91 * DAY_MS / 1000)
    prune_all(ground)

    assert [row["item_id"] for row in ground.rows("SELECT * FROM attempts")] == [ground.item("open")["id"]]


def test_a_copy_made_in_mid_transaction_holds_what_was_committed(ground: Ground, tmp_path: Path) -> None:
    settled(ground, "a")
    ground.db.execute("BEGIN IMMEDIATE")
    ground.db.execute("DELETE FROM results")
    backup(ground.state.database, tmp_path / "copy.db")
    ground.db.execute("ROLLBACK")

    assert list(check(tmp_path / "copy.db")) == []
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_copy_never_replaces_a_file(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(StateError, match="already"):
        backup(ground.state.database, tmp_path / "there")

    assert (tmp_path / "there").read_text() == "mine"


def test_an_altered_result_is_found_and_never_served(ground: Ground) -> None:
    settled(ground, "a")
    ground.db.execute("""UPDATE results SET output = '{"text":"lies"}'""")

    assert any("checksum" in problem for problem in check(ground.state.database))
    reader = Reader(ground.state, project="test")
    with pytest.raises(StateError, match="checksum"):
        reader.item("docs", "a")
    reader.close()


def test_counts_that_drifted_are_found(ground: Ground) -> None:
    settled(ground, "a")
    ground.db.execute("UPDATE stage_counts SET n = n + 1")
    ground.counts_are_kept = False

    assert any("are counted" in problem for problem in check(ground.state.database))


def test_a_restore_brings_the_copy_back_and_keeps_what_it_replaced(ground: Ground, tmp_path: Path) -> None:
    settled(ground, "before")
    backup(ground.state.database, tmp_path / "copy.db")
    settled(ground, "after")
    ground.close()

    aside = restore(ground.state.database, tmp_path / "copy.db", ground.now)

    reader = Reader(ground.state, project="test")
    assert reader.item("docs", "before") is not None
    assert reader.item("docs", "after") is None
    reader.close()
    assert aside is not None
    assert list(check(aside)) == []


@pytest.mark.parametrize("at", ["restore.decided", "restore.aside"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_restore_that_is_cut_off_is_finished_by_the_next_start(ground: Ground, tmp_path: Path, at: str, n: int) -> None:
    settled(ground, "before")
    backup(ground.state.database, tmp_path / "copy.db")
    settled(ground, "after")
    # As an engine leaves it that was killed: part of what is stored is in the log only.
    shutil.copytree(ground.state.path, tmp_path / "left")
    ground.close()
    database = tmp_path / "left" / "rivus.db"
    passed = 0

    def cut(name: str) -> None:
        nonlocal passed
        passed += name == at
        if name == at and passed == n:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt), stumbling(cut):
        restore(database, tmp_path / "copy.db", 5)
    prepare(database, doubt=True)

    def keys(file: Path) -> list[str]:
        with closing(sqlite3.connect(file)) as connection:
            return [row[0] for row in connection.execute("SELECT key FROM items ORDER BY id")]

    assert keys(database) == ["before"]
    assert keys(database.with_name("rivus-replaced-5.db")) == ["before", "after"]
    assert [*check(database), *check(database.with_name("rivus-replaced-5.db"))] == []
    assert not list(database.parent.glob("rivus-restored-*"))


def test_copy_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    old.touch()
    with closing(connect(old)) as connection:
        for migration in migrations()[:-2]:
            migrate._apply(connection, migration)
    assert restore(tmp_path / "rivus.db", old, 5) is None
    assert list(check(tmp_path / "rivus.db")) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.db", "rivus.db"]


def test_a_damaged_copy_is_refused_and_nothing_is_touched(ground: Ground, tmp_path: Path) -> None:
    settled(ground, "a")
    copy = tmp_path / "copy.db"
    backup(ground.state.database, copy)
    raw = bytearray(copy.read_bytes())
    raw[5_000:9_000] = b"\0" * 4_000
    copy.write_bytes(raw)

    with pytest.raises(StateError):
        restore(ground.state.database, copy, ground.now)
    assert list(check(ground.state.database)) == []


def test_copy_with_problems_is_not_put_back(ground: Ground, tmp_path: Path) -> None:
    ground.add("a")
    ground.finish()
    copy = tmp_path / "copy.db"
    backup(ground.state.database, copy)
    with closing(sqlite3.connect(copy)) as damaged, damaged:
        damaged.execute("UPDATE results SET output = '{}1'")
    before = ground.state.database.read_bytes()
    with pytest.raises(StateError, match="has problems"):
        restore(ground.state.database, copy, ground.now)
    assert ground.state.database.read_bytes() == before
