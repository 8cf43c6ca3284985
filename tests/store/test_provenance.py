from __future__ import annotations

from collections.abc import Callable

from engine.store.live import ATTEMPTS_KEPT, Told, store
from engine.store.reader import Reader
from tests.factories import Ground, candidate, chain, finished, job


def origin(ground: Ground, key: str) -> object:
    reader = Reader(ground.state, project="test")
    try:
        detail = reader.item(ground.job().spec.name, key)
    finally:
        reader.close()
    assert detail is not None
    return detail.origin


def test_second_discovery_adds_what_led_to_an_item_and_changes_nothing_else(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs"), job("other"))
    ground.add(candidate("a", title="A", provenance={"topic": "storage", "query": "wal"}), job="docs")
    ground.command("prioritise", "a", job="docs", priority=0)
    claimed = ground.claim_one(job="docs")
    ground.end(finished(claimed, {"n": 1}))
    ground.clock.advance(3_600)
    again = candidate("a", title="A", provenance={"topic": ["storage", "speed"], "by\x1b[2J": "x"})
    ground.add(again, job="docs", source="other")
    found = origin(ground, "a")
    assert found.provenance == {  # type: ignore[attr-defined]
        "topic": ("storage", "speed"), "query": ("wal",), "by␛[2J": ("x",), "discovery": ("other",),
    }  # fmt: skip
    row = ground.item("a", "docs")
    assert (row["last_seen_at"], row["priority"], row["priority_by"], row["state"]) == (ground.now, 0, "person", "done")
    assert ground.rows("SELECT output FROM results") == [{"output": '{"n": 1}'}]


def test_item_seen_every_minute_is_not_written_every_minute(ground: Ground) -> None:
    ground.add("a")
    ground.clock.advance(60)
    ground.add("a")
    assert ground.item("a")["last_seen_at"] is None
    ground.clock.advance(600)
    ground.add("a")
    assert ground.item("a")["last_seen_at"] == ground.now


def test_item_keeps_so_much_of_one_kind(ground: Ground) -> None:
    for number in range(130):
        ground.clock.advance(1)
        ground.add(candidate("a", provenance={"query": f"q{number}"}))
    kept = [row["value"] for row in ground.rows("SELECT value FROM provenance ORDER BY first_seen_at")]
    assert (len(kept), kept[0], kept[-1]) == (100, "q30", "q129")


def test_emitted_item_of_the_same_job_is_a_child(make_ground: Callable[..., Ground]) -> None:
    ground = make_ground(job("docs", *chain("read", "write")), job("other"))
    ground.add("a", job="docs")
    claimed = ground.claim_one("read", job="docs")
    emit = (("docs", candidate("a.1", title="Part")), ("other", candidate("b")))
    ground.end(finished(claimed, emit=emit))
    found = origin(ground, "a")
    assert [(one.key, one.title, one.state) for one in found.children] == [("a.1", "Part", "pending")]  # type: ignore[attr-defined]
    child = origin(ground, "a.1")
    assert child.parent.key == "a"  # type: ignore[attr-defined]
    assert child.provenance == {"emitted by": ("docs/a",)}  # type: ignore[attr-defined]
    assert ground.item("b", "other")["parent_id"] is None


def test_result_that_is_replaced_or_dropped_leaves_its_hash_and_time(ground: Ground) -> None:
    ground.add(candidate("a", revision="1"))
    first = ground.claim_one()
    ground.end(finished(first, {"n": 1}))
    made = ground.now
    ground.clock.advance(5)
    ground.add(candidate("a", revision="2"))
    (old,) = origin(ground, "a").replaced  # type: ignore[attr-defined]
    assert (old.stage, old.fence, old.ended_at, old.replaced_by) == ("work", first.fence, made, None)
    ground.finish(output={"n": 2})
    ground.db.execute("UPDATE item_stages SET state = 'ready', due_at = 1, ended_at = NULL")
    last = ground.claim_one()
    ground.end(finished(last, {"n": 3}))
    newest, _ = origin(ground, "a").replaced  # type: ignore[attr-defined]
    assert newest.replaced_by == last.fence


def test_what_attempts_told_is_kept_for_the_newest_of_them(ground: Ground) -> None:
    ground.add("a")
    claimed = ground.claim_one()
    for fence in range(1, 9):
        told = Told(
            item_id=claimed.item.id, stage_id=claimed.stage.id, fence=fence, done=fence, total=10, text="pages",
            lines=f'[[{fence}, "info", "line"]]',
        )  # fmt: skip
        ground.clock.advance(1)
        ground.do(store, [told], ground.now)
    logs = origin(ground, "a").logs  # type: ignore[attr-defined]
    assert [log.fence for log in logs] == [8, 7, 6, 5, 4][:ATTEMPTS_KEPT]
    assert logs[0].lines == ((8, "info", "line"),)
