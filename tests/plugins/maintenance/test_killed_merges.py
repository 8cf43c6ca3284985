"""A merge whose process is killed with -9, anywhere: whole after the next start, and nobody's work gone."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Ask, Done, Later
from engine.kit.trial import TrialContext
from plugins.maintenance.merge import handle as merge
from tests.plugins.maintenance import killed as processes
from tests.plugins.maintenance.conftest import git

Make = Callable[..., TrialContext]
POINTS = [
    ("merge.planned", 1), ("merge.locked", 1), ("merge.put", 1), ("merge.put", 4), ("merge.files", 1),
    ("merge.index", 1), ("merge.moved", 1),
]  # fmt: skip


@pytest.fixture
def ready(repository: Path, context: Make) -> TrialContext:
    """A context at the merge stage: a branch that adds, changes, moves and removes, beside work of the user's."""
    (repository / "old").mkdir()
    (repository / "old" / "moved.txt").write_text("moved\n")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "mine.txt").write_text("mine\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "More")
    git(repository, "checkout", "--quiet", "-b", "rivus/t-1-1")
    git(repository, "mv", "old/moved.txt", "moved.txt")
    (repository / "a.txt").write_text("a\nb\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "new" / "deep").mkdir(parents=True)
    (repository / "new" / "deep" / "hello.py").write_text("print('hello')\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "Work")
    commit = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "checkout", "--quiet", "main")
    (repository / "mine.txt").write_text("mine, too\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Mine")
    verdict = {"verdict": "accept", "branch": "rivus/t-1-1", "commit": commit}
    return replace(context(), stage="merge", upstream={"review": verdict}, params={})


def ended(ctx: TrialContext, environment: Mapping[str, str] | None = None, **told: Any) -> int:
    """Run the stage in a process of its own; returns how that ended."""
    told |= {"stage": "merge", "root": str(ctx.root), "artifacts": str(ctx.artifact_dir), "upstream": ctx.upstream}
    command = [sys.executable, "-m", processes.__name__, json.dumps(told)]
    return subprocess.run(command, env=environment, check=False).returncode


def killed(ctx: TrialContext, **told: Any) -> None:
    assert ended(ctx, **told) == -signal.SIGKILL


def is_whole(repository: Path, ctx: TrialContext) -> None:
    commit = ctx.upstream["review"]["commit"]
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-list", "--parents", "-1", "HEAD").split()[2:] == [commit]
    assert git(repository, "rev-list", "--count", "--merges", "HEAD").strip() == "1"
    assert (repository / "TODO.md").read_text() == "# To do\n\n- [x] Greet the world\n- [ ] Something else\n"
    assert (repository / "a.txt").read_text() == "a\nb\n"
    assert (repository / "run.sh").stat().st_mode & 0o100
    assert not (repository / "old").exists()
    assert git(repository, "fsck", "--no-dangling") == ""
    left = [path.name for path in (repository / ".git").glob("*") if "lock" in path.name or path.name == "MERGE_HEAD"]
    left += [path.name for path in (repository / ".git" / "rivus").iterdir()]
    assert sorted(left) == ["lock", "words"]
    assert "refs/rivus" not in git(repository, "for-each-ref")


@pytest.mark.parametrize(("point", "n"), POINTS)
async def test_what_was_killed_is_whole_after_the_next_start(
    repository: Path, ready: TrialContext, point: str, n: int
) -> None:
    await asyncio.to_thread(killed, ready, point=point, n=n)
    # What nobody will come back for is not kept: a second later it is another commit.
    assert ("refs/rivus/landing" in git(repository, "for-each-ref")) is (point != "merge.planned")
    outcome = await merge(ready)
    assert isinstance(outcome, Done), outcome
    is_whole(repository, ready)


@pytest.mark.parametrize(("command", "is_used"), [("commit", False), ("update-index", True), ("update-ref", True)])
async def test_no_git_command_leaves_a_half_merge(
    repository: Path, ready: TrialContext, tmp_path: Path, command: str, is_used: bool
) -> None:
    """`commit` ends the merge that git makes itself, and must not be what it waits for."""
    real = shutil.which("git")
    assert real is not None
    environment = processes.put_in_the_way(tmp_path / "bin", real) | {"KILL_AT": command}
    code = await asyncio.to_thread(ended, ready, environment)
    assert code == (-signal.SIGKILL if is_used else 0)
    outcome = await merge(ready)
    assert isinstance(outcome, Done), outcome
    is_whole(repository, ready)


async def test_what_was_changed_by_hand_meanwhile_is_asked_about_and_left_alone(
    repository: Path, ready: TrialContext
) -> None:
    killed(ready, point="merge.put", n=4)
    (repository / "a.txt").write_text("mine, by hand\n")
    before = git(repository, "rev-parse", "HEAD")
    outcome = await merge(ready)
    assert isinstance(outcome, Ask), outcome
    assert "while it merged rivus/t-1-1 into main" in outcome.question
    assert "a.txt was changed" in outcome.question
    assert (repository / "a.txt").read_text() == "mine, by hand\n"
    assert git(repository, "rev-parse", "HEAD") == before
    assert not (repository / ".git" / "index.lock").exists(), "the user's git is let in"
    assert isinstance(await merge(replace(ready, answer="go on")), Ask), "nothing has changed"
    git(repository, "stash", "--quiet", "--", "a.txt")
    assert isinstance(await merge(replace(ready, answer="go on")), Done)
    is_whole(repository, ready)
    assert "mine, by hand" in git(repository, "stash", "show", "-p")


async def test_what_was_staged_by_hand_meanwhile_is_asked_about(repository: Path, ready: TrialContext) -> None:
    killed(ready, point="merge.index")
    (repository / ".git" / "index.lock").unlink()
    (repository / "a.txt").write_text("mine, by hand\n")
    git(repository, "add", "a.txt")
    assert isinstance(await merge(ready), Ask)
    assert git(repository, "show", ":a.txt") == "mine, by hand\n"


async def test_where_the_branch_has_gone_on_what_was_put_is_taken_back_and_merged_anew(
    repository: Path, ready: TrialContext
) -> None:
    killed(ready, point="merge.files")
    (repository / ".git" / "index.lock").unlink()  # as git tells people to
    (repository / "mine.txt").write_text("mine once more\n")
    git(repository, "commit", "--quiet", "--message", "On and on", "mine.txt")
    (repository / "other.txt").write_text("not yet known to git\n")
    outcome = await merge(ready)
    assert isinstance(outcome, Done), outcome
    (repository / "other.txt").rename(repository.parent / "other.txt")
    is_whole(repository, ready)
    assert (repository / "mine.txt").read_text() == "mine once more\n"


async def test_where_another_branch_is_checked_out_what_was_put_is_taken_back(
    repository: Path, ready: TrialContext
) -> None:
    killed(ready, point="merge.index")
    (repository / ".git" / "index.lock").unlink()
    git(repository, "checkout", "--quiet", "-b", "elsewhere")
    git(repository, "commit", "--quiet", "--allow-empty", "--only", "--message", "Elsewhere")
    (repository / "moved.txt").write_text("mine, by hand\n")
    outcome = await merge(ready)
    assert isinstance(outcome, Later), outcome
    assert "moved.txt" in outcome.why
    assert (repository / "moved.txt").read_text() == "mine, by hand\n"
    assert (repository / "a.txt").read_text() == "a\n"
    assert not (repository / "new").exists()


async def test_plan_that_had_changed_nothing_yet_gives_way_to_the_user(repository: Path, ready: TrialContext) -> None:
    killed(ready, point="merge.ready")
    (repository / "a.txt").write_text("mine, by hand\n")
    assert isinstance(await merge(ready), Later)
    git(repository, "checkout", "--quiet", "a.txt")
    assert isinstance(await merge(ready), Done)
    is_whole(repository, ready)


async def test_another_item_finishes_what_was_cut_off(repository: Path, ready: TrialContext) -> None:
    killed(ready, point="merge.put", n=2)
    git(repository, "branch", "rivus/t-2-1", "main")
    other = {"verdict": "accept", "branch": "rivus/t-2-1", "commit": git(repository, "rev-parse", "main").strip()}
    outcome = await merge(replace(ready, upstream={"review": other}, item=replace(ready.item, path=None)))
    assert isinstance(outcome, Done)
    is_whole(repository, ready)
    assert isinstance(await merge(ready), Done)
    is_whole(repository, ready)


async def test_lock_of_somebody_else_is_waited_for(repository: Path, ready: TrialContext) -> None:
    (repository / ".git" / "index.lock").write_text("")
    outcome = await merge(ready)
    assert isinstance(outcome, Later)
    assert "index.lock" in outcome.why
    (repository / ".git" / "index.lock").unlink()
    assert isinstance(await merge(ready), Done)
    is_whole(repository, ready)


async def test_half_merge_of_git_itself_is_a_persons_to_end(repository: Path, ready: TrialContext) -> None:
    git(repository, "merge", "--no-commit", "--no-ff", "--quiet", "rivus/t-1-1")
    outcome = await merge(ready)
    assert isinstance(outcome, Ask)
    assert "git merge --abort" in outcome.question
    git(repository, "merge", "--abort")
    assert isinstance(await merge(replace(ready, answer="go on")), Done)
    is_whole(repository, ready)
