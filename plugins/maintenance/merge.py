"""The stage that merges an accepted branch into the user's checkout, behind a gate of its own: never without a key.

It merges only what it can merge whole: a checkout with changes of its own, or a conflict, leaves everything as it was
and says so. The box of the TODO is ticked in the same commit.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Done, Fail, Later, Outcome, Skip
from engine.contracts.seam import accepts
from engine.kit.git import git
from engine.kit.safe_text import safe_line
from plugins.maintenance.agents.clone import in_progress
from plugins.maintenance.classify import PARTS
from plugins.maintenance.task import NoRepository, Task, task_of
from plugins.todos.tick import tick

_BUSY_S: Final = 300.0
_GIT_S: Final = 120.0


@accepts("tick")
async def handle(ctx: Context) -> Outcome:
    """Merge the reviewed branch; done with {commit, into, ticked}."""
    verdict = ctx.upstream.get("review", {})
    if verdict.get("verdict") not in ("accept", PARTS):
        return Skip(why="there is no branch to merge")
    try:
        task = await asyncio.to_thread(task_of, ctx)
    except NoRepository as error:
        return Fail(why=str(error))
    if verdict.get("verdict") == PARTS:
        return await asyncio.to_thread(_close, ctx, task)
    return await asyncio.to_thread(_merge, ctx, task, verdict)


def _close(ctx: Context, task: Task) -> Outcome:
    """Tick off an item whose parts are merged, in a commit of its own."""
    repository = task.repository
    if busy := in_progress(repository):
        return Later(after=_BUSY_S, why=busy)
    if dirty := _changed(repository):
        return Later(
            after=_BUSY_S,
            why=f"the checkout has changes of its own ({safe_line(dirty, 120)}); it waits for a clean one",
        )
    if not _tick(ctx, task):
        return Done(output={"ticked": False, "summary": "its parts are finished; its line was not ticked"})
    if git(repository, "diff", "--cached", "--quiet").ok:
        return Done(
            output={"ticked": True, "summary": "its parts are finished; its box is ticked, in a file without git"}
        )
    message = f"Tick off: {safe_line(task.title, 60)}"
    made = git(repository, "-c", "commit.gpgsign=false", "commit", "--quiet", "--no-verify", "-m", message)
    if not made.ok:
        return Fail(why=safe_line(f"git could not commit the tick: {made.error}", 400))
    return Done(output={"ticked": True, "summary": "its parts are finished; its box is ticked"})


def _merge(ctx: Context, task: Task, verdict: Any) -> Outcome:
    repository, commit = task.repository, str(verdict["commit"])
    if busy := in_progress(repository):
        return Later(after=_BUSY_S, why=busy)
    into = git(repository, "symbolic-ref", "--quiet", "--short", "HEAD")
    if not into.ok:
        return Fail(why="no branch is checked out; check one out and try again")
    branch = into.text.strip()
    if git(repository, "merge-base", "--is-ancestor", commit, "HEAD").ok:
        return Done(output={"commit": commit, "into": branch, "ticked": False, "summary": f"{branch} has it already"})
    if dirty := _changed(repository):
        return Later(
            after=_BUSY_S,
            why=f"the checkout has changes of its own ({safe_line(dirty, 120)}); it waits for a clean one",
        )
    done = git(
        repository, *("-c", "commit.gpgsign=false", "-c", "merge.ff=false"),
        *("merge", "--no-ff", "--no-commit", "--quiet", commit), timeout_s=_GIT_S,
    )  # fmt: skip
    if not done.ok:
        conflicts = git(repository, "diff", "--name-only", "--diff-filter=U", "-z").text.split("\0")
        git(repository, "merge", "--abort")
        named = ", ".join(filter(None, conflicts)) or " ".join(done.error.split()) or "git refused"
        return Fail(why=safe_line(f"it does not merge into {branch}: {named}; {verdict['branch']} is kept", 400))
    ticked = _tick(ctx, task)
    message = f"{safe_line(task.title, 72)}\n\nMerge {verdict['branch']}."
    made = git(
        repository, "-c", "commit.gpgsign=false", "commit", "--quiet", "--no-verify", "-m", message, timeout_s=_GIT_S
    )
    if not made.ok:
        git(repository, "merge", "--abort")
        return Fail(
            why=safe_line(f"git could not commit the merge: {made.error.splitlines()[0] if made.error else '?'}", 400)
        )
    merged = git(repository, "rev-parse", "HEAD").text.strip()
    return Done(output={"commit": merged, "into": branch, "ticked": ticked, "summary": f"merged into {branch}"})


def _changed(repository: Path) -> str:
    """The first tracked file with changes that are not committed; empty when there is none."""
    told = git(repository, "status", "--porcelain", "-z", "--untracked-files=no", timeout_s=_GIT_S)
    return told.text.split("\0")[0][3:] if told.text else ""


def _tick(ctx: Context, task: Task) -> bool:
    """Tick the item's box as part of the merge, where it still stands there.

    A file that git does not know is ticked, too, and stays out of the commit: it is nobody's but the user's.
    """
    if task.path is None or task.is_finding or ctx.params.get("tick", True) is not True:
        return False
    file = ctx.root / task.path
    file = Path(os.path.realpath(file))
    if not file.is_relative_to(os.path.realpath(task.repository)):
        return False
    try:
        ticked = tick(ctx.root, task.path, task.text, task.line)
    except OSError as error:
        ctx.log.warning("the box in %s could not be ticked: %s", task.path, error)
        return False
    if ticked and git(task.repository, "ls-files", "--error-unmatch", "--", str(file)).ok:
        return git(task.repository, "add", "--", str(file)).ok
    return ticked
