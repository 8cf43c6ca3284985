"""The stage in which a person says what an executor's work is worth: accept, needs work (with what), reject.

`accept` lets it go on to the merge's own gate. `reject` ends it. Anything else is what is still missing: the agent
works on, from where it left off, at most `rounds` times. The branches stay in the repository whatever is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Ask, Done, Fail, Outcome, Skip
from engine.contracts.seam import accepts, runs_programs
from engine.kit.git import git
from engine.kit.safe_text import safe_line
from plugins.maintenance.classify import PARTS
from plugins.maintenance.execute import EXECUTE_PARAMS, rework
from plugins.maintenance.task import NoRepository, task_of

ACCEPT: Final = "accept"
REJECT: Final = "reject"


@accepts(*EXECUTE_PARAMS)
@runs_programs("agents", "verify")
async def handle(ctx: Context) -> Outcome:
    """Ask the person; done with {verdict, branch, commit, base}."""
    told = ctx.checkpoint.load()
    work: Mapping[str, Any] | None = told["work"] if isinstance(told, Mapping) else ctx.upstream.get("execute")
    if work is None:
        return Skip(why="nothing was executed")
    if work.get("kind") != "diff":
        verdict = PARTS if work.get("kind") == PARTS else "report"
        return Done(output={"verdict": verdict, "summary": str(work.get("summary", ""))})
    try:
        task = await asyncio.to_thread(task_of, ctx)
    except NoRepository as error:
        return Fail(why=str(error))
    there = await asyncio.to_thread(git, task.repository, "cat-file", "-e", f"{work['commit']}^{{commit}}")
    if not there.ok:
        return Fail(why=f"the commit of {work['branch']} is not in the repository any more")
    answer = (ctx.answer or "").strip()
    if answer == ACCEPT:
        told = {key: work[key] for key in ("branch", "commit", "base")}
        return Done(output={"verdict": ACCEPT, **told})
    if work.get("given_up") == answer != "":
        # It is tried once more, and the answer that it failed with still stands there: ask anew.
        await ctx.checkpoint.save({"work": {**work, "given_up": None, "answered": None}})
    elif answer == REJECT:
        await ctx.checkpoint.save({"work": {**work, "given_up": REJECT}})
        return Fail(why=f"rejected; its work stays on {work['branch']}", kind="SessionRejected")
    elif answer and answer != work.get("answered"):
        return await _again(ctx, work, answer)
    return Ask(question=question(work), choices=(ACCEPT, REJECT))


async def _again(ctx: Context, work: Mapping[str, Any], note: str) -> Outcome:
    """Let the agent work on; ask again with what came of it."""
    rounds = int(ctx.params.get("rounds", 3))
    if int(work.get("rounds", 1)) >= rounds:
        await ctx.checkpoint.save({"work": {**work, "given_up": note}})
        why = f"sent back {rounds} times, which is the limit; its work stays on {work['branch']}, and it still lacks: "
        return Fail(why=safe_line(why + note, 400), kind="SessionSentBack")
    outcome = await rework(ctx, work, note)
    if not isinstance(outcome, Done):
        return outcome
    done = {**outcome.output, "answered": note, "rounds": int(work.get("rounds", 1)) + 1}
    await ctx.checkpoint.save({"work": done})
    return Ask(question=question(done), choices=(ACCEPT, REJECT))


def question(work: Mapping[str, Any]) -> str:
    """Return what a person is asked, with what they should look at twice."""
    careful = "; ".join(map(str, work.get("careful") or ()))
    verified = f", `{work['verified']}` passes" if work.get("verified") else ", not verified"
    words = f"{work['branch']}: {work['summary']}{verified}. See change.diff; say what is missing, or"
    return safe_line(f"{words} accept. Look twice: {careful}." if careful else f"{words} accept.", 1_000)
