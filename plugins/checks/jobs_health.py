"""The check `jobs-health`: jobs that are stuck, flapping, over their budget, failing, or stale for long.

What is meant to be is no finding: a job that a person has paused, work that waits for a person, an hour that has not
come. Params are the thresholds, in hours or counts: `stuck_hours` (24), `running_hours` (6), `paused_hours` (24),
`failed` (20), `failed_runs` (3), `stale_days` (7), `reopened` (3).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final

from engine.contracts.context import DiscoveryContext
from engine.contracts.health import JobHealth
from engine.contracts.item import Candidate
from engine.contracts.seam import accepts
from engine.kit.clock import SystemClock
from plugins.checks.finding import Finding, candidates

CHECK: Final = "jobs-health"
_HOUR: Final = 3_600_000
_DEFAULTS: Final = {
    "stuck_hours": 24, "running_hours": 6, "paused_hours": 24, "failed": 20, "failed_runs": 3, "stale_days": 7,
    "reopened": 3,
}  # fmt: skip


@accepts(*_DEFAULTS)
async def discover(ctx: DiscoveryContext) -> AsyncIterator[Candidate]:
    """Give one candidate per thing that is wrong with a job."""
    jobs = await ctx.jobs()
    limits = {name: float(ctx.params.get(name, least)) for name, least in _DEFAULTS.items()}
    now = SystemClock().now()
    found = [finding for job in jobs for finding in wrong_with(job, limits, now) if job.job != ctx.job]
    for candidate in candidates(CHECK, "", found):
        yield candidate
    ctx.scope(["."], complete=True)


def wrong_with(job: JobHealth, limits: Mapping[str, float], now: int) -> Iterator[Finding]:
    """Yield what is wrong with a job at `now` (ms UTC). The evidence names the trouble, never a count or an age."""
    name = job.job
    if job.state == "broken":
        yield _finding(name, "broken", "broken", f"cannot run: {job.why or 'no reason given'}")
        return
    if job.state == "paused" and job.guard == "daily_cost":
        yield _finding(name, "over-budget", "daily_cost", f"has used up its money: {job.why or 'its daily limit'}")
    elif job.state == "paused" and job.guard is not None and _over(job.paused_at, limits["paused_hours"], now):
        yield _finding(name, "paused", job.guard, f"stands still since {_age(job.paused_at, now)}: {job.why or '?'}")
    if job.state == "active" and _over(job.ready_since, limits["stuck_hours"], now):
        yield _finding(
            name, "stuck", "queue", f"has an item that waits for its turn since {_age(job.ready_since, now)}"
        )
    if _over(job.running_since, limits["running_hours"], now):
        yield _finding(name, "stuck", "attempt", f"has an attempt that runs since {_age(job.running_since, now)}")
    if job.failed >= limits["failed"]:
        yield _finding(name, "failing", "items", f"has {job.failed:,} failed items that nobody has looked after")
    if job.failed_runs >= limits["failed_runs"]:
        why = job.run_error or "no reason given"
        yield _finding(name, "failing", "runs", f"has not found anything in {job.failed_runs} runs: {why}")
    if job.stale and _over(job.stale_since, limits["stale_days"] * 24, now):
        since = _age(job.stale_since, now)
        yield _finding(name, "stale", "results", f"has {job.stale:,} results of other code, undecided since {since}")
    for key, title, times in job.flapping:
        if times >= limits["reopened"]:
            yield _finding(name, "flapping", key, f"found the same {times} times after it was fixed: {title}")


def _finding(job: str, rule: str, evidence: str, sentence: str) -> Finding:
    facts: tuple[tuple[str, Any], ...] = (("job", job), ("what", sentence))
    return Finding(rule=rule, type="job", path=f"jobs/{job}", line=1, evidence=evidence, sentence=sentence, facts=facts)


def _over(since: int | None, hours: float, now: int) -> bool:
    return since is not None and now - since >= hours * _HOUR


def _age(since: int | None, now: int) -> str:
    hours = (now - (since or now)) // _HOUR
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
