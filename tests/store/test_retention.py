from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Artifact, Done
from engine.contracts.steering import RecurSpec
from engine.store import retention
from tests.factories import Ground, Rig, candidate, chain, finished, job, stage

DAY_S = 86_400


def prune(ground: Ground, days: int = 90) -> int:
    return ground.do(retention.prune, ground.job().id, ground.now - days * DAY_S * 1000, ground.now)


def keys(ground: Ground) -> list[str]:
    return [row["key"] for row in ground.rows("SELECT key FROM items ORDER BY id")]


def test_finished_item_goes_with_all_that_belongs_to_it(ground: Ground) -> None:
    ground.add(candidate("old", provenance={"topic": "x"}, revision="1"), "parent", "open")
    for claim in ground.claim(n=2):
        ground.end(finished(claim, {"n": 1}, emit=(("docs", candidate("child", parent_key="parent")),)))
    ground.add(candidate("old", revision="2"))
    ground.end(*(finished(claim) for claim in ground.claim() if claim.item.key == "old"))
    ground.clock.advance(91 * DAY_S)
    ground.add("new")
    assert prune(ground) == 1
    assert keys(ground) == ["parent", "open", "child", "new"]
    assert ground.counts() == ground.recount()
    assert ground.db.execute("PRAGMA foreign_key_check").fetchall() == []
    for table in ("results", "result_history", "provenance", "item_stages"):
        assert not ground.rows(f"SELECT 1 FROM {table} WHERE item_id = 1"), table
    assert prune(ground) == 0


def test_item_that_is_seen_again_and_again_is_kept(ground: Ground) -> None:
    ground.add("a")
    ground.finish()
    ground.clock.advance(89 * DAY_S)
    ground.add("a")
    ground.clock.advance(2 * DAY_S)
    ground.add("new")
    assert prune(ground) == 0


def test_what_a_person_dropped_and_what_failed_is_kept(ground: Ground) -> None:
    ground.add("dropped", "failed")
    ground.command("drop", "dropped")
    ground.leave("fail")
    ground.clock.advance(400 * DAY_S)
    ground.add("new")
    assert prune(ground) == 0


@pytest.mark.parametrize("again", ["it is due", "it has changed"])
def test_item_that_runs_for_years_leaves_no_more_than_it_may(
    make_ground: Callable[..., Ground], monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    monkeypatch.setattr(retention, "TRACES_KEPT", 4)
    recur = RecurSpec(after_s=3_600) if again == "it is due" else None
    ground = make_ground(job("docs", *chain("one", "two"), recur=recur))
    for turn in range(12):
        ground.add(candidate("a", revision="1" if recur else str(turn)))
        ground.wake()
        ground.finish("one", {"turn": turn})
        ground.leave("fail", "two")
        ground.db.execute("UPDATE attempts SET judged_at = 1 WHERE id <> 2")
        ground.clock.advance(3_601)
    fences = [row["fence"] for row in ground.rows("SELECT fence FROM result_history ORDER BY id")]
    assert len(fences) <= 5
    assert fences[-4:] == [8, 9, 10, 11]
    # The newest, that of this turn, and one that still waits for its verdict.
    assert [row["id"] for row in ground.rows("SELECT id FROM attempts ORDER BY id")] == [2, 8, 9, 10, 11, 12]


async def test_files_go_with_their_item(tmp_path: Path) -> None:
    async def work(ctx: Any) -> Done:
        (ctx.artifact_dir / "x.txt").write_text("x")
        return Done(artifacts=(Artifact(path="x.txt"),))

    spec = job("docs", stage(handler="work"), keep_s=90.0 * DAY_S)
    async with Rig(tmp_path, spec, functions={"work": work}) as it:
        await it.add("a")
        await it.drained()
        folder = it.state.artifacts / "1"
        assert (folder / "x.txt").exists()
        assert await it.runtime.pruner.run() == 0
        it.clock.advance(91 * DAY_S)
        await it.add("b")
        await it.drained()
        assert await it.runtime.pruner.run() >= 1
        assert (folder.exists(), (it.state.artifacts / "2").exists()) == (False, True)
        assert it.reader.item("docs", "a") is None
