"""The stage that carries an item out: an agent session in a clone of its own, judged by the change that it left.

Params: `agents` (see `agents.agent`), `agent` (which of them; the first when not given), `rounds` (sessions of one item
at most), `verify` (a command that must pass on the result), `max_files`, `max_lines`, `wants` (`diff` or `report`).

What an interrupted attempt had done is salvaged to a ref of the repository before anything is cleaned up, and its
session is gone on with where the agent can do that. The result is a branch; nothing is merged here.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Artifact, Ask, Done, Fail, Later, Outcome, Skip
from engine.contracts.seam import accepts, runs_programs
from engine.kit.safe_text import safe_line
from plugins.maintenance.agents import clone as clones
from plugins.maintenance.agents.agent import Agent, BadAgent, agents_of
from plugins.maintenance.agents.clone import Clone, CloneProblem
from plugins.maintenance.agents.evidence import Evidence, Limits, gather, outside
from plugins.maintenance.agents.report import Report
from plugins.maintenance.agents.session import Ended, SessionProblem, run_agent, verify
from plugins.maintenance.classify import PARTS
from plugins.maintenance.task import NoRepository, Task, task_of
from plugins.maintenance.think import think

SALVAGE: Final = "refs/rivus/salvage"
BRANCH: Final = "refs/heads/rivus"
_VERIFY_MINUTES: Final = 20.0
_THROTTLED_S: Final = 900.0
_THROTTLED_LEAST_S: Final = 60.0
_BUSY_S: Final = 600.0
_LATER_MAX_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Saved:
    """What a crash must not lose of a session."""

    agent: str
    session_id: str
    base: str
    round: int
    spent_usd_micros: int = 0
    note: str = ""


class AgentRefused(PermissionError):
    """The agent was not let in by its provider: an operator has to look."""


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
    if over := await asyncio.to_thread(task.over, ctx.root):
        return Skip(why=over)
    if busy := await asyncio.to_thread(clones.in_progress, task.repository):
        return Later(after=_BUSY_S, why=f"{task.repository.name}: {busy}")
    try:
        saved, clone = await _begin(ctx, agent, task)
        return await _work(ctx, agent, task, saved, clone)
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


def _folder(ctx: Context) -> Any:
    return ctx.artifact_dir / "session"


async def rework(ctx: Context, work: Mapping[str, Any], note: str) -> Outcome:
    """Let an agent go on from a branch that was sent back; the change stays one commit on its base."""
    try:
        task = await asyncio.to_thread(task_of, ctx)
        agent = replace(_agent(ctx), resume=())
        if (_folder(ctx) / "tree").is_dir():  # of a session that was interrupted
            await asyncio.to_thread(salvage, Clone(task.repository, _folder(ctx), str(work["base"])), task)
        clone = await asyncio.to_thread(
            clones.make,
            task.repository,
            _folder(ctx),
            base=str(work["base"]),
            at=str(work["commit"]),
            branch=f"rivus/{clones.ref_part(task.key)}",
        )
        saved = Saved(agent.name, str(uuid.uuid4()), clone.base, int(work.get("rounds", 1)) + 1, note=note)
        return await _work(ctx, agent, task, saved, clone, keeps=False)
    except BadAgent as error:
        return Fail(why=str(error), kind="BadAgent")
    except (NoRepository, CloneProblem) as error:
        return Fail(why=str(error))
    except SessionProblem as error:
        raise AgentRefused(str(error)) from error


async def _begin(ctx: Context, agent: Agent, task: Task) -> tuple[Saved, Clone]:
    """Go on with what an earlier attempt left, or begin anew; what it left is salvaged first either way."""
    told = ctx.checkpoint.load()
    before = Saved(**told) if isinstance(told, Mapping) else None
    folder = _folder(ctx)
    if before is not None and (folder / "tree").is_dir():
        clone = Clone(task.repository, folder, before.base)
        await asyncio.to_thread(salvage, clone, task)
        if agent.resume and before.agent == agent.name:
            ctx.log.info("going on with session %s", before.session_id)
            return replace(before, note=ctx.answer or before.note), clone
    base = await asyncio.to_thread(clones.head, task.repository)
    n = before.round + 1 if before is not None else 1
    branch = f"rivus/{clones.ref_part(task.key)}-{n}"
    clone = await asyncio.to_thread(clones.make, task.repository, folder, base=base, branch=branch)
    spent = before.spent_usd_micros if before is not None else 0
    note = ctx.answer or (before.note if before is not None else "")
    return Saved(agent.name, str(uuid.uuid4()), base, n, spent, note), clone


def salvage(clone: Clone, task: Task) -> str | None:
    """Keep what lies in the clone under a ref of the repository; returns its commit, None when there is nothing."""
    commit = clone.take(f"Salvaged: {task.title}")
    if commit == clone.base:
        return None
    clone.keep(commit, f"{SALVAGE}/{clones.ref_part(task.key)}")
    return commit


def _kept(commit: str | None, task: Task) -> str:
    """Where a person finds what a session had done that came to nothing."""
    ref = f"{SALVAGE}/{clones.ref_part(task.key)}"
    return "it had changed nothing" if commit is None else f"what it had done is kept as `{ref}`"


async def _work(ctx: Context, agent: Agent, task: Task, saved: Saved, clone: Clone, *, keeps: bool = True) -> Outcome:
    """Sessions until one is whole, asks, or the rounds are used up. `keeps`: a crash goes on with the session."""
    told = ctx.checkpoint.load() if keeps else None
    resume = isinstance(told, Mapping) and told.get("session_id") == saved.session_id
    rounds = int(ctx.params.get("rounds", 2))
    first = saved.round
    while True:
        if keeps:
            await ctx.checkpoint.save(asdict(saved))
        before = await asyncio.to_thread(clones.mark, task.repository)
        budget = max(agent.cost_usd_micros - saved.spent_usd_micros, 0)
        if agent.cost_usd_micros and not budget:
            kept = await asyncio.to_thread(salvage, clone, task)
            why = f"{agent.name} has used the ${agent.cost_usd_micros / 1e6:.2f} that the item may cost"
            return Fail(why=f"{why}; {_kept(kept, task)}", kind="SessionOverLimit")
        ended = await run_agent(
            agent,
            clone,
            prompt=task.prompt(note=saved.note or None),
            session_id=saved.session_id,
            resume=resume,
            budget_usd_micros=budget,
            minutes=agent.minutes,
            heard=lambda report: _tell(ctx, report),
        )
        cost = 0 if ended.report.is_turned_away else ended.report.cost_usd_micros
        # A session that does not tell its cost has used what it was allowed: unknown is never nothing. It was allowed
        # all of that; what is told alone says how much is left for the next one.
        ctx.paid(budget if cost is None else cost)
        saved = replace(saved, spent_usd_micros=saved.spent_usd_micros + (cost or 0))
        if keeps:
            await ctx.checkpoint.save(asdict(saved))
        try:
            stop = _stopped(agent, ended)
        except Exception:
            await asyncio.to_thread(salvage, clone, task)
            raise
        if stop is not None:
            kept = await asyncio.to_thread(salvage, clone, task)
            return replace(stop, why=f"{stop.why}; {_kept(kept, task)}") if isinstance(stop, Fail) else stop
        limits = Limits(int(ctx.params.get("max_files", 40)), int(ctx.params.get("max_lines", 2_000)))
        found = await asyncio.to_thread(gather, clone, _message(task), limits)
        if not ended.confined and before != await asyncio.to_thread(clones.mark, task.repository):
            found.careful.append("the checkout changed while the agent worked, which nothing kept it from")
        if not found.changes or found.refused:
            return await _without_change(ctx, task, clone, ended, found, saved)
        checked = await _verified(ctx, agent, clone)
        if checked is None or checked.code == 0:
            return await _finished(ctx, agent, task, clone, ended, found, checked, saved)
        note = f"`{' '.join(_verify(ctx))}` fails:\n{checked.report.text[-4_000:]}"
        if not agent.resume or saved.round - first + 1 >= rounds:
            kept = await asyncio.to_thread(salvage, clone, task)
            why = f"the change does not pass: {note.splitlines()[0]} {checked.report.text[-200:]}"
            return Fail(why=f"{safe_line(why, 400)}; {_kept(kept, task)}", kind="ChangeFails")
        ctx.log.info("round %d: %s", saved.round, note.splitlines()[0])
        saved, resume = replace(saved, round=saved.round + 1, note=note), True


def _tell(ctx: Context, report: Report) -> None:
    cost = "" if report.cost_usd_micros is None else f", ${report.cost_usd_micros / 1e6:.2f}"
    turns = "turn" if report.turns == 1 else "turns"
    ctx.progress(report.turns, None, safe_line(f"{turns}{cost}: {report.doing or 'at work'}", 160))
    while report.news:
        ctx.log.info("%s", safe_line(report.news.popleft(), 400))


def _stopped(agent: Agent, ended: Ended) -> Outcome | None:
    """What follows when a session did not end by being finished."""
    report, words = ended.report, safe_line(ended.report.text or ended.errors, 300)
    if ended.stopped is not None:
        limit = {
            "time": f"it worked longer than {agent.minutes:g} minutes",
            "silence": f"it said nothing for {agent.silent_minutes:g} minutes",
            "money": f"it spent more than ${agent.cost_usd_micros / 1e6:.2f}",
            "output": "it printed without end",
        }[ended.stopped]
        return Fail(why=f"{agent.name} was stopped: {limit}", kind="SessionOverLimit")
    if report.ending == "asked":
        return Ask(question=safe_line(report.text, 1_000) or f"{agent.name} asks, without saying what")
    if report.ending == "throttled":
        wait = _THROTTLED_S if report.resets_at is None else report.resets_at / 1000 - time.time()
        why = safe_line(f"{agent.name}: {report.error or 'it is held back'}", 200)
        return Later(after=min(max(wait, _THROTTLED_LEAST_S), _LATER_MAX_S), why=why)
    if report.ending == "refused":
        raise AgentRefused(f"{agent.name} was not let in: {safe_line(report.error or '', 200)}")
    if report.ending == "limit":
        why = f"{agent.name} ran into its own limit ({report.error})"
        return Fail(why=safe_line(why, 300), kind="SessionOverLimit")
    if report.ending == "error":
        raise RuntimeError(f"{agent.name} ended on an error: {safe_line(report.error or words, 300)}")
    if ended.code != 0:
        how = "was killed, exit status" if ended.code > 128 else "ended with code"
        raise RuntimeError(f"{agent.name} {how} {ended.code}: {words or 'it said nothing'}")
    if report.ending == "nothing" and not report.text:
        raise RuntimeError(f"{agent.name} ended with code 0 and without a word")
    return None


async def _without_change(
    ctx: Context, task: Task, clone: Clone, ended: Ended, found: Evidence, saved: Saved
) -> Outcome:
    """A report where one is wanted; else there is nothing to take, and that is a failure whatever the agent says."""
    words = safe_line(ended.report.text, 300)
    if found.refused:
        kept = await asyncio.to_thread(salvage, clone, task)
        why = f"its change is not taken: {'; '.join(found.refused[:3])}"
        return Fail(why=f"{safe_line(why, 400)}; {_kept(kept, task)}", kind="ChangeRefused")
    if ctx.params.get("wants") == "report" or ctx.upstream.get("classify", {}).get("wants") == "report":
        (ctx.artifact_dir / "report.md").write_text(ended.report.text, "utf-8")
        return Done(
            output={"kind": "report", "summary": words, "agent": saved.agent, "session": saved.session_id},
            artifacts=(Artifact(path="report.md", type="text/markdown"),),
        )
    denied = f" It was not let use {', '.join(sorted(set(ended.report.denied)))}." if ended.report.denied else ""
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
    ended: Ended,
    found: Evidence,
    checked: Ended | None,
    saved: Saved,
) -> Outcome:
    """Publish the branch and hand on what a reviewer needs."""
    branch = f"{BRANCH}/{clones.ref_part(task.key)}-{saved.round}"
    await asyncio.to_thread(clone.publish, found.commit, branch)
    (ctx.artifact_dir / "change.diff").write_text(found.diff, "utf-8")
    strays = outside(found, task.files)
    if strays:
        found.careful.append(f"not named in its scope: {', '.join(strays[:5])}")
    if not ended.confined:
        found.careful.append("the agent was not confined")
    output = {
        "kind": "diff",
        "summary": found.summary(),
        "branch": branch.removeprefix("refs/heads/"),
        "commit": found.commit,
        "base": clone.base,
        "files": [
            {"path": one.path, "how": one.how, "added": one.added, "removed": one.removed} for one in found.changes
        ],
        "careful": found.careful,
        "verified": None if checked is None else " ".join(_verify(ctx)),
        "words": safe_line(ended.report.text, 500),
        "agent": agent.name,
        "session": saved.session_id,
        "rounds": saved.round,
        "confined": ended.confined,
        "turns": ended.report.turns,
        "seconds": round(ended.seconds, 1),
        "cost_known": ended.report.cost_usd_micros is not None,
    }
    await asyncio.to_thread(clone.remove)
    return Done(
        output=output,
        artifacts=(Artifact(path="change.diff", type="text/x-diff"),),
    )


def _message(task: Task) -> str:
    where = f"\n\nFrom {task.path}:{task.line}." if task.path and task.line else ""
    return f"{safe_line(task.title, 72)}{where}\n"
