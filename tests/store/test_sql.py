"""Named queries: each compiles, each is used, and those that run often use the index that was made for them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import engine.store
from engine.contracts.filter import Term
from engine.contracts.view import ItemQuery
from engine.rules.filters import parse
from engine.store import item_lists, sql
from tests.factories import Ground
from tests.store.test_transitions import STEMS


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One state file for all: statements are compiled here, not run."""
    made = Ground(tmp_path_factory.mktemp("state"))
    yield made
    made.close()


class _Nothing(dict[str, Any]):
    def __missing__(self, name: str) -> None:
        return None


def whole() -> list[tuple[str, str, str]]:
    """(file, name, statement) of everything that can be compiled; a part of a statement stands with its beginning."""
    found = []
    for stem in STEMS:
        texts = sql.load(stem)
        for name, text in texts.items():
            if stem == "views" and re.match(r"(WHERE|AND|ORDER|LIMIT)\b", text):
                begin = texts["event_columns" if name.startswith("events_") else "item_columns"]
                between = "WHERE 1" if text.startswith("AND") else ""
                text = " ".join((begin, between, text))
            if stem == "filters":
                text = " ".join((sql.load("views")["item_columns"], "WHERE NOT (", text, ")"))
            found.append((stem, name, text))
    return found


@pytest.mark.parametrize(("stem", "name", "text"), whole(), ids=lambda value: value if len(value) < 30 else "")
def test_query_compiles(ground: Ground, stem: str, name: str, text: str) -> None:
    if text.startswith("PRAGMA"):
        ground.db.execute(text)
        return
    explain(ground.db, "EXPLAIN " + text)


def explain(connection: sqlite3.Connection, text: str) -> list[tuple[Any, ...]]:
    if re.search(r"(?<!\w):\w", text):
        return connection.execute(text, _Nothing()).fetchall()
    return connection.execute(text, (None,) * parameters(text)).fetchall()


def parameters(text: str) -> int:
    """How many values a statement takes: `?` is the next number after the highest so far."""
    highest = 0
    for number in re.findall(r"\?(\d*)", text):
        highest = max(highest, int(number) if number else highest + 1)
    return highest


@pytest.mark.parametrize("stem", STEMS)
def test_query_is_used_where_it_belongs(stem: str) -> None:
    modules = [file.read_text(encoding="utf-8") for file in Path(engine.store.__file__).parent.glob("*.py")]
    source = "\n".join(text for text in modules if f'queries("{stem}")' in text)
    used = set(re.findall(r"_SQL\.(\w+)", source))
    prefixes = re.findall(r"getattr\(_SQL, \"(\w+_)\"", source)
    names = set(sql.load(stem))
    assert used <= names
    assert {name for name in names - used if not name.startswith(tuple(prefixes or ("-",)))} == set()


@pytest.mark.parametrize("n", [0, 1, 3, 64, 127, 149])
def test_rows_go_in_many_at_a_time_and_none_is_missed(n: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        sql.insert(connection, "INSERT INTO t (a, b) VALUES (?, ?)", [(at, str(at)) for at in range(n)])
        assert connection.execute("SELECT a, b FROM t ORDER BY a").fetchall() == [(at, str(at)) for at in range(n)]


@pytest.mark.parametrize("n", [1, 2, 50, 149])
def test_rows_share_values_that_are_bound_once(n: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (kind, a, b, c)")
        statement = "INSERT INTO t (kind, b, a, c) VALUES ('it''s', ?2, ?1, ?)"
        sql.insert(connection, statement, [(at,) for at in range(n)], (b"one", None))
        found = connection.execute("SELECT kind, a, b, c FROM t ORDER BY c").fetchall()
        assert found == [("it's", b"one", None, at) for at in range(n)]


@pytest.mark.parametrize("stem", STEMS)
def test_query_is_explained(stem: str) -> None:
    text = (Path(engine.store.__file__).parent / f"{stem}.sql").read_text()
    silent = re.findall(r"-- name: (\w+)\n(?!--)", text)
    if stem == "filters":  # conditions of one term each, named as the language names it
        silent = []
    if stem == "views":  # conditions say what they are
        silent = [
            name for name in silent if re.search(rf"-- name: {name}\n(SELECT|PRAGMA)(?! i\.| count| coalesce\(i)", text)
        ]
    assert silent == []


BIG = ("item_stages", "items", "events", "results", "attempts", "runs")


EXCEPTIONS = {
    ("claims", "orphans"),  # walks over the index of running rows, see below
    ("claims", "next_later"),  # the smallest entry of an index
    ("stages", "any_resting"),  # the first entry of an index of what is held
    ("claims", "next_snoozed"),  # the same
    ("people", "last_operation"),  # from the newest one backwards
    ("runs", "start"),  # the plan names the check of a foreign key, which is not run
    ("runs", "cut_dead"),  # once at the start
    ("versions", "stale_items"),  # for a reset that a person asked for
}


def plan_of(ground: Ground, stem: str, name: str) -> list[str]:
    return [row[3] for row in explain(ground.db, f"EXPLAIN QUERY PLAN {sql.load(stem)[name]}")]


def scans(lines: list[str], aliases: dict[str, str] | None = None) -> list[str]:
    """Lines of a plan that walk over a big table or one of its indexes from end to end."""
    names = {**{table: table for table in BIG}, **(aliases or {})}
    return [line for line in lines if (match := re.match(r"SCAN (\w+)", line)) and names.get(match[1]) in BIG]


@pytest.mark.parametrize(
    ("stem", "name", "index"),
    [
        ("claims", "claim", "INDEX item_stages_ready (stage_id=?)"),
        ("peers", "open_ones", "INDEX items_state (job_id=? AND state=?)"),
        ("triage", "to_judge", "INDEX item_stages_waiting (stage_id=?)"),
        ("triage", "is_left", "INDEX items_proposed"),
        ("wishes", "go_first", "INDEX item_stages_ready (stage_id=?)"),
        ("claims", "claim", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "has_ready", "INDEX item_stages_ready (stage_id=?)"),
        ("claims", "queued", "INDEX item_stages_ready (stage_id=?)"),
        ("claims", "claim_next", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "claim_next_first", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "fail_damaged", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "heartbeat", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "reclaim", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "running_fence", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("claims", "wake", "INDEX item_stages_later_due (due_at<?)"),
        ("claims", "next_later", "INDEX item_stages_later_due"),
        ("claims", "snoozed_over", "INDEX items_snoozed (snoozed_until<?)"),
        ("claims", "next_snoozed", "INDEX items_snoozed"),
        ("claims", "left", "INDEX item_stages_ready (stage_id=?)"),
        ("claims", "left", "INDEX item_stages_later (stage_id=? AND due_at<?)"),
        ("claims", "items", "INTEGER PRIMARY KEY (rowid=?)"),
        ("claims", "upstream", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("stages", "finish", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("stages", "finish_some", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("stages", "leave", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("stages", "items_done", "INTEGER PRIMARY KEY (rowid=?)"),
        ("settle", "alike", "PRIMARY KEY (item_id=?)"),
        ("settle", "alike", "INTEGER PRIMARY KEY (rowid=?)"),
        ("bulks", "may_retry", "PRIMARY KEY (item_id=?)"),
        ("bulks", "keep_stages", "PRIMARY KEY (item_id=?)"),
        ("bulks", "retry", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("bulks", "may_reset", "PRIMARY KEY (item_id=?)"),
        ("bulks", "keep_again", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("bulks", "reset", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("bulk_views", "runs_again", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("bulks", "restore_stages", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("bulks", "restore_stages", "PRIMARY KEY (bulk_id=? AND item_id=?"),
        ("bulks", "restore_items", "INTEGER PRIMARY KEY (rowid=?)"),
        ("bulks", "kept", "PRIMARY KEY (bulk_id=?"),
        ("bulks", "left_alone", "PRIMARY KEY (bulk_id=? AND item_id=?"),
        ("settle", "unblock_ready", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("settle", "unblock_waiting", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("settle", "unblock_skipped", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("settle", "put_off", "PRIMARY KEY (item_id=?)"),
        ("stages", "resting", "INTEGER PRIMARY KEY (rowid=?)"),
        ("stages", "any_resting", "INDEX items_snoozed"),
        ("stages", "any_resting", "INDEX items_held"),
        ("people", "come_back", "INDEX item_stages_later_due (due_at=? AND item_id=?)"),
        ("people", "touched_since", "INTEGER PRIMARY KEY (rowid>?)"),
        ("upkeep", "prune_runs", "INDEX items_run (origin_run_id=?)"),
        ("retention", "trim_attempts", "INDEX attempts_item (item_id=?"),
        ("retention", "trim_history", "INDEX result_history_item (item_id=?"),
        ("settle", "set_item_state", "INTEGER PRIMARY KEY (rowid=?)"),
        ("items", "by_keys", "(job_id=? AND key=?)"),
        ("items", "known", "INDEX items_source (source_id=?)"),
        ("items", "of_source", "INDEX items_source (source_id=?)"),
        ("people", "find", "(job_id=? AND key=?)"),
        ("people", "stages_now", "PRIMARY KEY (item_id=?)"),
        ("views", "item_stages", "PRIMARY KEY (item_id=?)"),
        ("views", "page_stages", "PRIMARY KEY (item_id=?)"),
        ("views", "attempts", "INDEX attempts_item (item_id=?)"),
        ("views", "runs_of_job", "INDEX runs_job (job_id=?)"),
        ("views", "events_count_of_job", "INDEX events_job (job_id=?)"),
        ("versions", "version_of", "(stage_id=? AND hash=?)"),
        ("versions", "stale_pairs", "INDEX versions_made"),
        ("versions", "judged", "INDEX judgements_stage (stage_id=? AND old_id=? AND new_id=?)"),
        ("versions", "equivalences", "INDEX judgements_stage (stage_id=?)"),
        ("versions", "symbol_verdict", "PRIMARY KEY (old_norm=? AND new_norm=?)"),
        ("versions", "made", "INTEGER PRIMARY KEY (rowid=?)"),
        ("versions", "replaced", "INDEX versions_made (stage_id=?)"),
        ("versions", "replaced", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("versions", "unchanged", "PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("versions", "still_good", "item_stages USING PRIMARY KEY (item_id=? AND stage_id=?)"),
        ("stale", "adopt", "INDEX results_unversioned (stage_id=?)"),
        ("stale_views", "stale", "INDEX versions_made"),
        ("stale_views", "stale", "INDEX judgements_stage (stage_id=? AND old_id=? AND new_id=?)"),
        ("stale_views", "unknown", "INDEX results_unversioned (stage_id=?)"),
        ("open_changes", "standing", "INDEX judgements_stage (stage_id=? AND old_id=? AND new_id=?)"),
        ("open_changes", "inputs", "PRIMARY KEY (item_id>?)"),
    ],
)
def test_query_that_runs_often_uses_its_index(ground: Ground, stem: str, name: str, index: str) -> None:
    lines = plan_of(ground, stem, name)
    assert any(index in line for line in lines), lines


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        (stem, name)
        for stem in ("claims", "stages", "settle", "people", "events", "runs", "versions", "stale", "open_changes")
        for name in sql.load(stem)
        if (stem, name) not in EXCEPTIONS
    ],
)
def test_query_never_walks_over_a_big_table(ground: Ground, stem: str, name: str) -> None:
    aliases = {"s": "item_stages", "x": "item_stages", "i": "items", "r": "results", "u": "results", "e": "events"}
    assert scans(plan_of(ground, stem, name), aliases) == []


def test_orphans_are_looked_for_among_running_rows_only(ground: Ground) -> None:
    (line,) = plan_of(ground, "claims", "orphans")
    assert "item_stages_running" in line


@pytest.mark.parametrize("order", ["updated", "key"])
def test_page_of_a_job_is_read_from_where_it_starts(ground: Ground, order: Any) -> None:
    where, _ = item_lists.where(ground.db, ItemQuery(job="docs", order=order), 0)
    views = sql.load("views")
    parts = [views["item_columns"], *where, views[f"from_{order}"], views[f"by_{order}"], views["limited"]]
    lines = [row[3] for row in explain(ground.db, "EXPLAIN QUERY PLAN " + "\n".join(parts))]
    assert scans(lines, {"i": "items"}) == []
    assert not any("TEMP B-TREE" in line for line in lines), lines


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("cost:>0.10", "COVERING INDEX results_costly"),
        ("stage:fetch", "INDEX item_stages_failed (stage_id=?)"),
        ("gate:accept", "INDEX item_stages_waiting"),
        ("err:timeout", "INDEX item_stages_failed"),
        ("state:running", "INDEX item_stages_running"),
    ],
)
def test_filter_looks_where_an_index_points(ground: Ground, text: str, index: str) -> None:
    where, _ = item_lists.where(ground.db, ItemQuery(terms=parse(text).terms), 0)
    texts = sql.load("views")
    lines = [row[3] for row in explain(ground.db, "EXPLAIN QUERY PLAN " + "\n".join((texts["items_count"], *where)))]
    assert any(index in line for line in lines), lines


@pytest.mark.parametrize("order", ["created", "updated", "priority"])
def test_rows_that_are_known_are_read_one_by_one(ground: Ground, order: Any) -> None:
    terms = (*parse("gate:* state:waiting").terms, Term(field="id", values=("1", "2")))
    where, _ = item_lists.where(ground.db, ItemQuery(terms=terms, order=order), 0)
    views = sql.load("views")
    parts = [views["item_columns"], *where, views[f"by_{order}"], views["limited"]]
    lines = [row[3] for row in explain(ground.db, "EXPLAIN QUERY PLAN " + "\n".join(parts))]
    assert any("i USING INTEGER PRIMARY KEY (rowid=?)" in line for line in lines), lines


def test_engine_that_goes_on_runs_the_queries_it_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade may change the files below it: what no start has needed is read before."""
    (tmp_path / "mine.sql").write_text("-- name: one\n-- Says one.\nSELECT 1;\n")
    monkeypatch.setattr(sql, "_FOLDER", tmp_path)
    monkeypatch.setattr(sql, "_QUERIES", [])
    mine = sql.queries("mine")
    sql.read_all()
    (tmp_path / "mine.sql").unlink()
    sql.load.cache_clear()
    assert mine.one == "SELECT 1"
    with pytest.raises(FileNotFoundError):
        sql.queries("mine").one  # noqa: B018 (reading it is what is tried)
