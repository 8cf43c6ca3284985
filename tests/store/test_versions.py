"""Results carry the version that made them; what is stale, what is kept, and what a reset takes along."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest

from engine.contracts.view import ItemQuery
from engine.rules.code.files import STAGE, reading_of
from engine.rules.code.fingerprint import Fingerprint, fingerprint
from engine.rules.filters import parse
from engine.store import runs, stale, stale_views, versions
from engine.store.reader import Reader
from tests.factories import Ground, chain, finished, job
from tests.speed import slowness

Make = Callable[..., Ground]

CODE = """\
import logging
log = logging.getLogger(__name__)
LIMIT = 1
def stage(ctx):
    x = ctx.item.key
    return x, LIMIT
"""
LOGGED = CODE.replace("    return", "    log.info('x %s', x)\n    return")
OTHER = CODE.replace("LIMIT = 1", "LIMIT = 2")


def code(text: str) -> Fingerprint:
    return fingerprint(reading_of(text), STAGE, "stage")


class Code:
    """The code of stages of job `docs`, as a reload finds it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def is_now(self, **texts: str) -> None:
        """Take new code over: stage → its text."""
        prints: Mapping[tuple[str, str], Fingerprint] = {("docs", name): code(text) for name, text in texts.items()}
        self.ground.plan = self.ground.do(versions.sync, self.ground.plan, prints, self.ground.now)
        self.ground.do(stale.judge_by_rules, self.ground.plan, self.ground.now)

    def stale(self) -> list[tuple[str, int, str]]:
        return [(view.stage, view.results, view.why) for view in stale_views.stale(self.ground.db)]

    def counted(self) -> bool:
        kept = self.ground.rows("SELECT id, results AS n FROM versions WHERE results > 0 ORDER BY id")
        there = self.ground.rows(
            "SELECT version_id AS id, count(*) AS n FROM results WHERE version_id IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        return kept == there


@pytest.fixture
def docs(make_ground: Make) -> Code:
    found = Code(make_ground(job("docs", *chain("work", "report"))))
    found.is_now(work=CODE, report=CODE)
    return found


def ran(docs: Code, *keys: str) -> None:
    docs.ground.add(*keys)
    docs.ground.finish("work", {"x": 1})
    docs.ground.finish("report", {"y": 1})


def test_first_code_is_stored_and_nothing_asked(docs: Code) -> None:
    ran(docs, "a", "b")
    assert docs.stale() == []
    assert docs.ground.events("stale.found") == []
    assert docs.counted()


def test_result_carries_the_version_that_held_at_its_claim(docs: Code) -> None:
    docs.ground.add("a", "b")
    first, second = docs.ground.claim("work")
    docs.ground.end(finished(first))
    docs.is_now(work=OTHER, report=CODE)
    docs.ground.end(finished(second))
    made = docs.ground.rows("SELECT DISTINCT version_id FROM results")
    assert len(made) == 1
    assert docs.stale() == [("work", 2, "LIMIT changed")]
    assert docs.counted()


def test_change_of_logging_is_blessed_by_rule_and_shown(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=LOGGED, report=CODE)
    assert docs.stale() == []
    (kept,) = stale_views.blessings(docs.ground.db, 0)
    assert (kept.stage, kept.verdict, kept.by, kept.results) == ("work", "cosmetic", "rule", 1)


def test_change_that_means_something_is_told_once(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=OTHER, report=CODE)
    docs.is_now(work=OTHER, report=CODE)
    (event,) = docs.ground.events("stale.found")
    assert event["text"] == "1 result of work: LIMIT changed"


def test_blessing_holds_by_a_chain_and_revoking_takes_it_apart(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=OTHER, report=CODE)
    assert docs.ground.command("bless", stage="work", why="fine").ok
    assert docs.stale() == []
    docs.is_now(work=OTHER.replace("    return", "    log.info('again %s', x)\n    return"), report=CODE)
    assert docs.stale() == []
    (person,) = (one for one in stale_views.blessings(docs.ground.db, 0) if one.by == "person")
    assert docs.ground.do(stale.revoke, docs.ground.plan, person.judgement, docs.ground.now).ok
    assert [(stage, n) for stage, n, _ in docs.stale()] == [("work", 1)]
    docs.ground.do(stale.judge_by_rules, docs.ground.plan, docs.ground.now)
    assert len(docs.stale()) == 1, "what a person revoked is not blessed again"
    assert docs.ground.command("undo").ok
    assert docs.stale() == []


def test_undo_takes_a_blessing_back(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=OTHER, report=CODE)
    docs.ground.command("bless", stage="work")
    assert docs.ground.command("undo").ok
    assert len(docs.stale()) == 1


def test_verdict_on_a_symbol_holds_for_every_stage(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=OTHER, report=CODE)
    docs.ground.command("bless", stage="work", why="the limit is not reached")
    docs.is_now(work=OTHER, report=OTHER)
    assert docs.stale() == []
    newest = stale_views.blessings(docs.ground.db, 0)[0]
    assert (newest.stage, newest.by) == ("report", "cache")


def test_verdict_on_two_changes_together_is_none_on_one_of_them(docs: Code) -> None:
    ran(docs, "a")
    both = OTHER.replace("return x, LIMIT", "return x, LIMIT - 1")
    docs.is_now(work=both, report=CODE)
    assert docs.ground.command("bless", stage="work", why="they make up for each other").ok
    docs.is_now(work=both, report=OTHER)
    assert [(stage, n) for stage, n, _ in docs.stale()] == [("report", 1)]
    docs.is_now(work=both, report=both)
    assert docs.stale() == []
    assert stale_views.blessings(docs.ground.db, 0)[0].by == "cache"


def test_reset_runs_a_stage_again_with_what_depends_on_it_and_can_be_undone(docs: Code) -> None:
    ran(docs, "a", "b", "c")
    docs.is_now(work=OTHER, report=CODE)
    assert docs.ground.command("reset", stage="work", sample=2).message == "will run again: 2 items"
    assert docs.ground.states("a") == {"a": "pending", "work": "ready", "report": "blocked"}
    assert docs.ground.states("c") == {"c": "done", "work": "done", "report": "done"}
    assert docs.ground.command("undo").ok
    assert docs.ground.states("a") == {"a": "done", "work": "done", "report": "done"}


def test_what_depends_on_an_output_that_is_unchanged_stays_done(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=OTHER, report=CODE)
    docs.ground.command("reset", stage="work")
    docs.ground.clock.advance(1.0)
    docs.ground.finish("work", {"x": 1})
    assert docs.ground.states("a") == {"a": "done", "work": "done", "report": "done"}
    assert docs.stale() == []
    assert docs.counted()


def test_what_depends_on_an_output_that_became_another_runs_again(docs: Code) -> None:
    ran(docs, "a")
    docs.is_now(work=OTHER, report=CODE)
    docs.ground.command("reset", stage="work")
    docs.ground.clock.advance(1.0)
    docs.ground.finish("work", {"x": 2})
    assert docs.ground.states("a") == {"a": "pending", "work": "done", "report": "ready"}


def test_results_of_unknown_code_say_so_and_a_person_decides(make_ground: Make) -> None:
    docs = Code(make_ground(job("docs", *chain("work"))))
    docs.ground.add("a")
    docs.ground.finish("work")
    docs.is_now(work=CODE)
    (view,) = stale_views.stale(docs.ground.db)
    assert (view.old, view.verdict, view.results) == (None, "unknown", 1)
    assert docs.ground.command("bless", stage="work").ok
    assert docs.stale() == []
    assert docs.counted()


def test_run_records_the_code_of_its_discovery(docs: Code) -> None:
    ground = docs.ground
    for text in (CODE, OTHER):
        ground.plan = ground.do(versions.sync, ground.plan, {("docs", ""): code(text)}, ground.now)
        ground.do(runs.start, ground.job().id, ground.now)
    assert [row["version"] for row in ground.rows("SELECT version FROM runs ORDER BY id")] == [
        code(CODE).version,
        code(OTHER).version,
    ]


@pytest.mark.parametrize("is_known", [True, False])
def test_hundred_thousand_results_do_not_make_the_screen_wait(docs: Code, is_known: bool) -> None:
    docs.ground.counts_are_kept = False
    (version,) = docs.ground.rows("SELECT id FROM versions ORDER BY id LIMIT 1")
    stage = docs.ground.stage_id("work")
    docs.ground.db.executescript(f"""
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO items (job_id, key, source_id, origin, title, data, headings, state, created_at, updated_at)
        SELECT {docs.ground.job().id}, 'k' || i, {docs.ground.job().id}, 'scan', 't', '{{}}', '[]', 'done', 0, 0 FROM n;
        INSERT INTO item_stages (item_id, stage_id, state, started_at, ended_at)
        SELECT id, {stage}, 'done', 0, 5 FROM items;
        INSERT INTO results (item_id, stage_id, output, output_hash, fence, ended_at, version_id, changed_at)
        SELECT id, {stage}, '1', x'00', 1, 5, {version["id"] if is_known else "NULL"}, 5 FROM items;
        UPDATE versions SET results = {100_000 if is_known else 0} WHERE id = {version["id"]};
    """)
    docs.is_now(work=OTHER, report=CODE)
    best = 1.0
    for _ in range(3):
        before = time.process_time()
        (view,) = stale_views.stale(docs.ground.db)
        best = min(best, time.process_time() - before)
    assert (view.results, view.item_ms) == (100_000, 5)
    assert best < 0.1 * slowness()


def found(docs: Code, text: str) -> set[str]:
    """Keys of the items that a filter lets through."""
    reader = Reader(docs.ground.state, project="test", clock=docs.ground.clock)
    try:
        return {item.key for item in reader.items_page(ItemQuery(terms=parse(text).terms), None, 100)}
    finally:
        reader.close()


def test_filter_finds_what_other_code_has_made(docs: Code) -> None:
    docs.ground.add("old")
    docs.ground.finish("work")
    docs.ground.finish("report")
    made = docs.ground.rows("SELECT hash FROM versions WHERE results > 0 ORDER BY id")[0]["hash"]
    assert found(docs, "ver:stale") == set()
    docs.is_now(work=OTHER, report=CODE)
    docs.ground.add("new")
    docs.ground.finish("work")
    assert found(docs, "ver:stale") == {"old"}
    assert found(docs, "!ver:stale") == {"new"}
    assert found(docs, f"ver:{made[:6].upper()}") >= {"old"}
    assert found(docs, "ver:zz") == set()
