"""One session of an agent and its money: what it may cost is reserved before it begins, and paid however it ends."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final

from engine.contracts.context import Context
from engine.contracts.outcome import Ask, Fail, Later, Outcome
from engine.kit.safe_text import safe_line
from plugins.maintenance.agents import clone as clones
from plugins.maintenance.agents.agent import Agent
from plugins.maintenance.agents.clone import Clone
from plugins.maintenance.agents.report import Report, id_of
from plugins.maintenance.agents.session import Ended, SessionProblem, run_agent
from plugins.maintenance.salvage import kept, salvage
from plugins.maintenance.saved import Heard, Saved
from plugins.maintenance.task import Task

_THROTTLED_S: Final = 900.0
_THROTTLED_LEAST_S: Final = 60.0
_LATER_MAX_S: Final = 86_400.0


class AgentRefused(PermissionError):
    """The agent was not let in by its provider: an operator has to look."""


async def run(
    ctx: Context, agent: Agent, task: Task, saved: Saved, clone: Clone, *, resume: bool, keeps: bool
) -> tuple[Saved, Outcome | None]:
    """Run a session to its end; returns what is to be saved, and how the stage ends if there is nothing to judge."""
    budget = max(agent.cost_usd_micros - saved.spent_usd_micros, 0)
    if agent.cost_usd_micros and not budget:
        where = kept(await asyncio.to_thread(salvage, clone, task), task)
        why = f"{agent.name} has used the ${agent.cost_usd_micros / 1e6:.2f} that the item may cost"
        return saved, Fail(why=f"{why}; {where}", kind="SessionOverLimit")
    if budget:
        await ctx.reserve(budget)
    if keeps:
        (clone.folder / f"{agent.name}.out").unlink(missing_ok=True)  # of the session before
        await ctx.checkpoint.save(replace(saved, is_open=True).encoded())
    before = await asyncio.to_thread(clones.mark, task.repository)
    ended = await _paid(ctx, agent, task, saved, clone, resume=resume, budget=budget)
    report = ended.report
    spent = saved.spent_usd_micros + (0 if report.is_turned_away else report.cost_usd_micros or 0)
    saved = replace(saved, is_open=False, spent_usd_micros=spent, session_id=id_of(report) or saved.session_id)
    try:
        stop = _stopped(agent, ended)
    except Exception:
        if keeps:
            await ctx.checkpoint.save(saved.encoded())
        await asyncio.to_thread(salvage, clone, task)
        raise
    if stop is None:
        moved = not ended.confined and before != await asyncio.to_thread(clones.mark, task.repository)
        saved = replace(saved, heard=await asyncio.to_thread(Heard.of, ended, clone.folder, moved=moved))
    if keeps:
        await ctx.checkpoint.save(saved.encoded())
    if stop is not None:
        where = kept(await asyncio.to_thread(salvage, clone, task), task)
        stop = replace(stop, why=f"{stop.why}; {where}") if isinstance(stop, Fail) else stop
    return saved, stop


async def _paid(
    ctx: Context, agent: Agent, task: Task, saved: Saved, clone: Clone, *, resume: bool, budget: int
) -> Ended:
    """Run the agent, and say what that has cost even where it is cut off."""
    heard: Report | None = None

    def hear(report: Report) -> None:
        nonlocal heard
        heard = report
        _tell(ctx, report)

    try:
        ended = await run_agent(
            agent,
            clone,
            prompt=task.prompt(note=saved.note or None),
            session_id=saved.session_id,
            resume=resume,
            budget_usd_micros=budget,
            minutes=agent.minutes,
            heard=hear,
        )
    except SessionProblem:  # it did not begin
        ctx.paid(0)
        raise
    except BaseException:
        ctx.paid(0 if heard is None else cost_of(heard, budget))
        raise
    ctx.paid(cost_of(ended.report, budget, has_ended=True))
    return ended


def cost_of(report: Report, budget: int, *, has_ended: bool = False) -> int:
    """Return what a session counts as having cost, in micro-dollars.

    One that does not tell its cost has used what it was allowed: unknown is never nothing. What one has told that was
    cut off in the middle is not all that it has spent.
    """
    if report.is_turned_away:
        return 0
    told = report.cost_usd_micros
    if told is not None and (has_ended or report.ending != "nothing"):
        return told
    return max(budget, told or 0)


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
