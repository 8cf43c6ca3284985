"""The stage that carries an item out: an agent session in a clone of its own, judged by the change that it left.

Params: `agents` (see `agents.agent`), `agent` (which of them; the first when not given), `rounds` (sessions of one item
at most), `verify` (a command that must pass on the result), `max_files`, `max_lines`, `wants` (`diff` or `report`).

What an interrupted attempt had done is salvaged to a ref of the repository before anything is cleaned up, and its
session is gone on with where the agent can do that. The result is a branch; nothing is merged here.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.errors import RivusError
from engine.contracts.outcome import Artifact, Done, Fail, Later, Outcome, Skip
from engine.contracts.seam import accepts, runs_programs
from engine.kit.chaos import point
from engine.kit.safe_text import safe_line
from plugins.maintenance.agents import clone as clones
from plugins.maintenance.agents.agent import Agent, BadAgent, agents_of
from plugins.maintenance.agents.clone import Clone, CloneProblem
from plugins.maintenance.agents.evidence import Evidence, Limits, gather, outside
from plugins.maintenance.agents.session import Ended, SessionProblem, read_again, verify
from plugins.maintenance.classify import PARTS
from plugins.maintenance.salvage import kept, salvage
from plugins.maintenance.saved import Heard, Saved
from plugins.maintenance.sessions import AgentRefused, run
from plugins.maintenance.task import NoRepository, Task, task_of
from plugins.maintenance.think import think

BRANCH: Final = "refs/heads/rivus"
_VERIFY_MINUTES: Final = 20.0
_BUSY_S: Final = 600.0
EXECUTE_PARAMS: Final = ("agents", "agent", "rounds", "verify", "max_files", "max_lines", "wants")


@accepts(*EXECUTE_PARAMS)
@runs_programs("agents", "verify")
async def handle(ctx: Context) -> Outcome:
    """Carry the item out by its tier; done with a branch, or with a report where that is what is wanted."""
    kind = ctx.upstream.get("classify", {}).get("kind")
    if kind == PARTS:
        return Done(output={"kind": PARTS, "summary": str(ctx.upstream["classify"].get("because", ""))})
    if ctx.item.priority is None:
        return Fail(why="it has no priority: give it one (+), then try again")
    if kind in ("call", "jury"):
        return await think(ctx)
    try:
        task = await asyncio.to_thread(task_of, ctx)
        agent = _agent(ctx)
    except BadAgent as error:
        return Fail(why=str(error), kind="BadAgent")
    except NoRepository as error:
        return Fail(why=str(error))
    before, folder = Saved.of(ctx.checkpoint.load()), _folder(ctx)
    try:
        if before is not None and before.done:
            return await _handed_on(Clone(task.repository, folder, before.base), before)
        if over := await asyncio.to_thread(task.over, ctx.root):
            commit = await asyncio.to_thread(_salvage_left, folder, task)
            return Skip(why=over if commit is None else f"{over}; {kept(commit, task)}")
        if busy := await asyncio.to_thread(clones.in_progress, task.repository):
            return Later(after=_BUSY_S, why=f"{task.repository.name}: {busy}")
        saved, clone, resume = await _begin(agent, task, before, folder, ctx.answer)
        return await _work(ctx, agent, task, saved, clone, resume=resume)
    except CloneProblem as error:
        return Fail(why=str(error))
    except SessionProblem as error:
        raise AgentRefused(str(error)) from error


def _agent(ctx: Context) -> Agent:
    agents = agents_of(ctx.params.get("agents", {}))
    name = str(ctx.upstream.get("classify", {}).get("agent") or ctx.params.get("agent") or next(iter(agents), ""))
    if name not in agents:
        there = ", ".join(agents) or "none"
        raise BadAgent(f"there is no agent `{safe_line(name, 60)}`; `agents` of this stage names: {there}")
    return agents[name]


def _folder(ctx: Context) -> Path:
    return ctx.artifact_dir / "session"


async def rework(ctx: Context, work: Mapping[str, Any], note: str) -> Outcome:
    """Let an agent go on from a branch that was sent back; the change stays one commit on its base."""
    try:
        task = await asyncio.to_thread(task_of, ctx)
        agent = replace(_agent(ctx), resume=())
        # Of a session that was interrupted.
        await asyncio.to_thread(_salvage_left, _folder(ctx), task, base=str(work["base"]))
        clone = await asyncio.to_thread(
            clones.make,
            task.repository,
            _folder(ctx),
            base=str(work["base"]),
            at=str(work["commit"]),
            branch=f"rivus/{clones.ref_part(task.key)}",
        )
        saved = Saved(agent.name, str(uuid.uuid4()), clone.base, int(work.get("rounds", 1)) + 1, note=note)
        return await _work(ctx, agent, task, saved, clone, resume=False, keeps=False)
    except BadAgent as error:
        return Fail(why=str(error), kind="BadAgent")
    except (NoRepository, CloneProblem) as error:
        return Fail(why=str(error))
    except SessionProblem as error:
        raise AgentRefused(str(error)) from error


async def _begin(
    agent: Agent, task: Task, before: Saved | None, folder: Path, answer: str | None
) -> tuple[Saved, Clone, bool]:
    """Go on with what an earlier attempt left, or begin anew; what it left is salvaged first either way.

    Returns what is known, the clone, and whether the agent goes on with its session.
    """
    if before is not None and (folder / "tree").is_dir():
        clone = Clone(task.repository, folder, before.base)
        if before.heard is not None and not answer:
            return before, clone, False
        await asyncio.to_thread(salvage, clone, task)
        # What the agent's own log tells of a session that was cut off: its id, and perhaps a part of its cost.
        report = await asyncio.to_thread(read_again, agent, clone) if before.is_open else None
        if report is not None:
            spent = before.spent_usd_micros + (report.cost_usd_micros or 0)
            before = replace(before, spent_usd_micros=spent, session_id=report.session_id or before.session_id)
        if agent.resume and before.agent == agent.name and (report is None or report.has_begun):
            return replace(before, note=answer or before.note, is_open=False, heard=None), clone, True
    else:
        await asyncio.to_thread(_salvage_left, folder, task)
    base = await asyncio.to_thread(clones.head, task.repository)
    n = before.round + 1 if before is not None else 1
    branch = f"rivus/{clones.ref_part(task.key)}-{n}"
    clone = await asyncio.to_thread(clones.make, task.repository, folder, base=base, branch=branch)
    spent = before.spent_usd_micros if before is not None else 0
    note = answer or (before.note if before is not None else "")
    return Saved(agent.name, str(uuid.uuid4()), base, n, spent, note), clone, False


def _salvage_left(folder: Path, task: Task, base: str | None = None) -> str | None:
    """Keep what lies in a clone of which no checkpoint tells."""
    clone = clones.left(task.repository, folder, base)
    return None if clone is None else salvage(clone, task)


async def _work(
    ctx: Context, agent: Agent, task: Task, saved: Saved, clone: Clone, *, resume: bool, keeps: bool = True
) -> Outcome:
    """Sessions until one is whole, asks, or the rounds are used up. `keeps`: a crash goes on with the session."""
    rounds = int(ctx.params.get("rounds", 2))
    first = saved.round
    while True:
        if saved.heard is None:
            saved, stop = await run(ctx, agent, task, saved, clone, resume=resume, keeps=keeps)
            if stop is not None:
                return stop
            point("agent.paid")
        assert saved.heard is not None
        judged = await _judged(ctx, agent, task, saved, saved.heard, clone, keeps=keeps)
        if not isinstance(judged, str):
            if keeps and not isinstance(judged, Done):
                await ctx.checkpoint.save(replace(saved, heard=None).encoded())  # tried again, it works again
            return judged
        if not agent.resume or saved.round - first + 1 >= rounds:
            if keeps:
                await ctx.checkpoint.save(replace(saved, heard=None).encoded())
            where = kept(await asyncio.to_thread(salvage, clone, task), task)
            why = f"the change does not pass: {judged.splitlines()[0]} {judged[-200:]}"
            return Fail(why=f"{safe_line(why, 400)}; {where}", kind="ChangeFails")
        ctx.log.info("round %d: %s", saved.round, judged.splitlines()[0])
        saved, resume = replace(saved, round=saved.round + 1, note=judged, heard=None), True


async def _judged(
    ctx: Context, agent: Agent, task: Task, saved: Saved, heard: Heard, clone: Clone, *, keeps: bool
) -> Outcome | str:
    """Judge what a session has left; returns what is still missing where `verify` does not pass."""
    limits = Limits(int(ctx.params.get("max_files", 40)), int(ctx.params.get("max_lines", 2_000)))
    found = await asyncio.to_thread(gather, clone, _message(task), limits)
    if heard.moved:
        found.careful.append("the checkout changed while the agent worked, which nothing kept it from")
    if not found.changes or found.refused:
        return await _without_change(ctx, task, clone, heard, found, saved)
    checked = await _verified(ctx, agent, clone)
    if checked is None or checked.code == 0:
        return await _finished(ctx, agent, task, clone, heard, found, checked, saved, keeps=keeps)
    return f"`{' '.join(_verify(ctx))}` fails:\n{checked.report.text[-4_000:]}"


async def _without_change(
    ctx: Context, task: Task, clone: Clone, heard: Heard, found: Evidence, saved: Saved
) -> Outcome:
    """A report where one is wanted; else there is nothing to take, and that is a failure whatever the agent says."""
    words = safe_line(heard.text, 300)
    if found.refused:
        where = kept(await asyncio.to_thread(salvage, clone, task), task)
        why = f"its change is not taken: {'; '.join(found.refused[:3])}"
        return Fail(why=f"{safe_line(why, 400)}; {where}", kind="ChangeRefused")
    if ctx.params.get("wants") == "report" or ctx.upstream.get("classify", {}).get("wants") == "report":
        (ctx.artifact_dir / "report.md").write_text(heard.text, "utf-8")
        return Done(
            output={"kind": "report", "summary": words, "agent": saved.agent, "session": saved.session_id},
            artifacts=(Artifact(path="report.md", type="text/markdown"),),
        )
    denied = f" It was not let use {', '.join(heard.denied)}." if heard.denied else ""
    said = words.replace('"', "'")
    why = f'it changed nothing.{denied} Its last words: "{said}"' if said else f"it changed nothing.{denied}"
    return Fail(why=safe_line(why, 500), kind="SessionWithoutChange")


def _verify(ctx: Context) -> list[str]:
    told = ctx.params.get("verify") or []
    return [str(word) for word in told] if isinstance(told, list) else str(told).split()


async def _verified(ctx: Context, agent: Agent, clone: Clone) -> Ended | None:
    command = _verify(ctx)
    if not command:
        return None
    ctx.progress(0, None, f"verifying: {' '.join(command)}"[:160])
    return await verify(clone, command, read=agent.read, confined=agent.confined, minutes=_VERIFY_MINUTES)


async def _finished(
    ctx: Context,
    agent: Agent,
    task: Task,
    clone: Clone,
    heard: Heard,
    found: Evidence,
    checked: Ended | None,
    saved: Saved,
    *,
    keeps: bool,
) -> Outcome:
    """Publish the branch and hand on what a reviewer needs."""
    (ctx.artifact_dir / "change.diff").write_text(found.diff, "utf-8")
    stem = f"{BRANCH}/{clones.ref_part(task.key)}"
    branch, commit = await asyncio.to_thread(clone.publish_new, found.commit, stem, saved.round)
    point("agent.published")
    strays = outside(found, task.files)
    if strays:
        found.careful.append(f"not named in its scope: {', '.join(strays[:5])}")
    if not heard.confined:
        found.careful.append("the agent was not confined")
    output = {
        "kind": "diff",
        "summary": found.summary(),
        "branch": branch.removeprefix("refs/heads/"),
        "commit": commit,
        "base": clone.base,
        "files": [
            {"path": one.path, "how": one.how, "added": one.added, "removed": one.removed} for one in found.changes
        ],
        "careful": found.careful,
        "verified": None if checked is None else " ".join(_verify(ctx)),
        "words": safe_line(heard.text, 500),
        "agent": agent.name,
        "session": saved.session_id,
        "rounds": saved.round,
        "confined": heard.confined,
        "turns": heard.turns,
        "seconds": heard.seconds,
        "cost_known": heard.cost_known,
    }
    saved = replace(saved, done=output)
    if keeps:
        with contextlib.suppress(RivusError):  # too large for a checkpoint: a crash would judge it again
            await ctx.checkpoint.save(saved.encoded())
        point("agent.done")
    return await _handed_on(clone, saved)


async def _handed_on(clone: Clone, saved: Saved) -> Done:
    await asyncio.to_thread(clone.remove)
    return Done(output=dict(saved.done), artifacts=(Artifact(path="change.diff", type="text/x-diff"),))


def _message(task: Task) -> str:
    where = f"\n\nFrom {task.path}:{task.line}." if task.path and task.line else ""
    return f"{safe_line(task.title, 72)}{where}\n"
