"""The stage that merges an accepted branch into the user's checkout, behind a gate of its own: never without a key.

It merges only what it can merge whole: a checkout with changes of its own, or a conflict, leaves everything as it was
and says so. The box of the TODO is ticked in the same commit. What an engine that was killed left half done (`landing`)
is finished first.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Ask, Done, Fail, Later, Outcome, Skip
from engine.contracts.seam import accepts
from engine.kit.git import git
from engine.kit.safe_text import safe_line
from plugins.maintenance.agents.clone import in_progress
from plugins.maintenance.classify import PARTS
from plugins.maintenance.joined import Conflict, committed, merged_tree, ticked_tree
from plugins.maintenance.landing import Checkout, HalfLanded, InTheWay, Plan, alone
from plugins.maintenance.standing import Busy, CheckoutProblem
from plugins.maintenance.task import NoRepository, Task, task_of
from plugins.todos.tick import find, tick

GO_ON: Final = "go on"
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
    return await asyncio.to_thread(_alone, ctx, task, verdict)


def _alone(ctx: Context, task: Task, verdict: Any) -> Outcome:
    repository = task.repository
    try:
        with alone(repository) as checkout:
            if (asked := _begun_by_hand(repository, verdict)) is not None:
                return asked
            if busy := in_progress(repository):
                return Later(after=_BUSY_S, why=busy)
            if (plan := checkout.unfinished()) is not None:
                ctx.log.warning("a merge of %s was cut off; it is finished first", plan.branch)
                checkout.finish(plan)
            if verdict["verdict"] == PARTS:
                return _close(ctx, task, checkout)
            return _merge(ctx, task, verdict, checkout, plan)
    except Busy as error:
        return Later(after=_BUSY_S, why=safe_line(str(error), 300))
    except HalfLanded as error:
        return Ask(question=_half(error), choices=(GO_ON,))
    except CheckoutProblem as error:
        return Fail(why=safe_line(str(error), 400))


def _begun_by_hand(repository: Path, verdict: Any) -> Ask | None:
    """A merge of this very branch, which git is in the middle of: by a person, or an earlier version's engine."""
    found = git(repository, "rev-parse", "--quiet", "--verify", "MERGE_HEAD")
    if not found.ok or found.text.strip() != verdict.get("commit"):
        return None
    words = (
        f"A merge of {verdict.get('branch')} is half done in the checkout. `git commit` there finishes it, `git merge "
        "--abort` takes it back; nothing was touched. Answer when one of them is done."
    )
    return Ask(question=safe_line(words, 1_000), choices=(GO_ON,))


def _half(error: HalfLanded) -> str:
    into = error.plan.ref.removeprefix("refs/heads/")
    first, more = error.paths[0], len(error.paths) - 1
    named = f"{first} and {more} more" if more else first
    return safe_line(
        f"An engine was cut off while it merged {error.plan.branch} into {into}, and since then {named} was changed: "
        f"what is there is neither what {into} has nor what the merge brings, so nothing was touched. Put aside what "
        f"is yours (git stash), or commit it; then answer. The merge is then finished, or taken back where {into} has "
        "gone on.",
        1_000,
    )


def _close(ctx: Context, task: Task, checkout: Checkout) -> Outcome:
    """Tick off an item whose parts are merged, in a commit of its own."""
    if (later := _unclean(task.repository)) is not None:
        return later
    ref, old = checkout.head
    if ref is None:
        return Fail(why="no branch is checked out; check one out and try again")
    tree = _ticked(ctx, task, f"{old}^{{tree}}")
    if tree is None:
        if _is_ticked(ctx, task):
            return Done(output={"ticked": True, "summary": "its parts are finished; its box is ticked"})
        if not _tick_unknown(ctx, task):
            return Done(output={"ticked": False, "summary": "its parts are finished; its line was not ticked"})
        return Done(
            output={"ticked": True, "summary": "its parts are finished; its box is ticked, in a file without git"}
        )
    new = committed(task.repository, tree, (old,), f"Tick off: {safe_line(task.title, 60)}")
    try:
        checkout.land(Plan("a tick", ref, old, new))
    except InTheWay as error:
        return Fail(why=safe_line(f"git could not commit the tick: {error} is in the way", 400))
    return Done(output={"ticked": True, "summary": "its parts are finished; its box is ticked"})


def _merge(ctx: Context, task: Task, verdict: Any, checkout: Checkout, before: Plan | None) -> Outcome:
    repository, commit, branch = task.repository, str(verdict["commit"]), str(verdict["branch"])
    ref, old = checkout.head
    if ref is None:
        return Fail(why="no branch is checked out; check one out and try again")
    into = ref.removeprefix("refs/heads/")
    if checkout.has(commit):
        is_ours = before is not None and before.branch == branch and checkout.has(before.new)
        summary = f"merged into {into}" if is_ours else f"{into} has it already"
        merged = before.new if before is not None and is_ours else commit
        ticked = _tick_unknown(ctx, task) or _is_ticked(ctx, task)
        return Done(output={"commit": merged, "into": into, "ticked": ticked, "summary": summary})
    if (later := _unclean(repository)) is not None:
        return later
    try:
        tree = merged_tree(repository, old, commit)
        ticked_in = _ticked(ctx, task, tree)
        message = f"{safe_line(task.title, 72)}\n\nMerge {branch}."
        new = committed(repository, ticked_in or tree, (old, commit), message)
        checkout.land(Plan(branch, ref, old, new))
    except Conflict as error:
        return Fail(why=safe_line(f"it does not merge into {into}: {error}; {branch} is kept", 400))
    except InTheWay as error:
        return Fail(why=safe_line(f"it does not merge into {into}: {error} is in the way; {branch} is kept", 400))
    ticked = ticked_in is not None or _tick_unknown(ctx, task)
    return Done(output={"commit": new, "into": into, "ticked": ticked, "summary": f"merged into {into}"})


def _unclean(repository: Path) -> Later | None:
    """A tracked file with changes that are not committed is waited for."""
    told = git(repository, "status", "--porcelain", "-z", "--untracked-files=no", timeout_s=_GIT_S)
    if not told.text:
        return None
    dirty = safe_line(told.text.split("\0")[0][3:], 120)
    return Later(after=_BUSY_S, why=f"the checkout has changes of its own ({dirty}); it waits for a clean one")


def _may_tick(ctx: Context, task: Task) -> bool:
    return task.path is not None and not task.is_finding and ctx.params.get("tick", True) is True


def _is_ticked(ctx: Context, task: Task) -> bool:
    return _may_tick(ctx, task) and find(ctx.root, str(task.path), task.text, task.line).state == "closed"


def _ticked(ctx: Context, task: Task, tree: str) -> str | None:
    return ticked_tree(task, ctx.root, tree) if _may_tick(ctx, task) else None


def _tick_unknown(ctx: Context, task: Task) -> bool:
    """Tick the item's box in a file that git does not know: it is nobody's but the user's, and in no commit."""
    if not _may_tick(ctx, task) or task.path is None:
        return False
    file = Path(os.path.realpath(ctx.root / task.path))
    if not file.is_relative_to(os.path.realpath(task.repository)):
        return False
    if git(task.repository, "ls-files", "--error-unmatch", "--", str(file)).ok:
        return False
    try:
        return tick(ctx.root, task.path, task.text, task.line)
    except OSError as error:
        ctx.log.warning("the box in %s could not be ticked: %s", task.path, error)
        return False
