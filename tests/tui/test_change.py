"""The change that an agent has left is read on the screen where it is accepted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.contracts.view import ArtifactView
from rivus_tui.change_lines import change_lines, change_of
from tests.tui.rows import detail, item, item_stage, sample
from tests.tui.story import open_room

DIFF = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\x1b[31m\n+new line of it\n"


def artifact(path: Path, text: str = DIFF) -> ArtifactView:
    path.write_text(text)
    return ArtifactView(path=str(path), type="text/x-diff", size=len(text))


async def test_review_shows_the_change_before_it_is_accepted(tmp_path: Path) -> None:
    rows = sample()
    rows.details.clear()
    done = replace(item_stage("execute", 0, "done"), artifacts=(artifact(tmp_path / "change.diff"),))
    asks = replace(
        item_stage("review", 1, "waiting"), why="say what is missing, or accept", choices=("accept", "reject")
    )
    view = replace(item(1, "mend it", "waiting"), stage="review")
    rows.details["todos", view.key] = detail(view, done, asks)
    async with open_room(rows, "3", size=(100, 40)) as story:
        assert "+new line of it" in story.text()
        assert "\x1b" not in story.text()


def test_only_a_stage_that_waits_shows_what_others_left(tmp_path: Path) -> None:
    done = replace(item_stage("execute", 0, "done"), artifacts=(artifact(tmp_path / "change.diff"),))
    waits, ended = item_stage("review", 1, "waiting"), item_stage("review", 1, "done")
    assert change_of([done, waits], 1) == change_of([done, waits], 0) == done.artifacts[0]
    assert change_of([done, ended], 1) is None


def test_a_diff_that_is_gone_or_too_long_is_said(tmp_path: Path) -> None:
    gone = ArtifactView(path=str(tmp_path / "no.diff"), type="text/x-diff", size=1)
    ((cell,),) = change_lines(gone, 80)
    assert "cannot be read" in cell.text
    long = artifact(tmp_path / "long.diff", "+x\n" * 5_000)
    assert "more in long.diff" in change_lines(long, 80)[-1][0].text
