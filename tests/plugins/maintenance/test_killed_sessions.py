"""A session whose process is killed with -9: what has ended is not run and paid again, and nobody's work is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Done, Fail
from engine.kit.trial import TrialCheckpoint, TrialContext
from plugins.maintenance.execute import handle as execute
from tests.acceptance.waiting import wait_until
from tests.plugins.maintenance import killed as processes
from tests.plugins.maintenance.conftest import agent, git

Make = Callable[..., TrialContext]


def killed(make: Make, point: str, **params: Any) -> TrialContext:
    """Run the stage in a process that dies at a point; returns what the next attempt is given."""
    ctx = make(**params)
    told = {"stage": "execute", "root": str(ctx.root), "artifacts": str(ctx.artifact_dir), "params": params}
    command = [sys.executable, "-m", processes.__name__, json.dumps({**told, "point": point})]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    return processes.context(told)


@pytest.mark.parametrize("point", ["agent.paid", "agent.published", "agent.done"])
async def test_session_that_had_ended_is_not_run_and_paid_again(repository: Path, context: Make, point: str) -> None:
    ctx = await asyncio.to_thread(killed, context, point, agents=agent("works"), verify=["true"])
    outcome = await execute(ctx)
    assert isinstance(outcome, Done), outcome
    assert (ctx.spent, ctx.reserved) == (0, [])
    assert git(repository, "for-each-ref", "--format=%(refname)", "refs/heads/rivus") == "refs/heads/rivus/t-1-1\n"
    assert git(repository, "rev-parse", "rivus/t-1-1").strip() == outcome.output["commit"]
    assert outcome.output["words"] == "wrote hello.py"
    assert (ctx.artifact_dir / "change.diff").read_text().startswith("diff --git")
    assert not (ctx.artifact_dir / "session").exists()


async def test_what_does_not_pass_is_worked_on_anew_when_it_is_tried_again(context: Make) -> None:
    told = {"agents": agent("works"), "verify": ["false"]}
    ctx = await asyncio.to_thread(killed, context, "agent.paid", **told)
    outcome = await execute(ctx)
    assert isinstance(outcome, Fail), outcome
    assert ctx.spent == 0
    again = replace(ctx, params={**told, "verify": ["true"]})
    assert isinstance(await execute(again), Done)
    assert again.spent == 250_000


async def test_what_no_checkpoint_tells_of_is_salvaged(repository: Path, context: Make) -> None:
    ctx = await asyncio.to_thread(killed, context, "agent.paid", agents=agent("works"))
    assert isinstance(await execute(replace(ctx, checkpoint=TrialCheckpoint())), Done)
    assert git(repository, "show", "refs/rivus/salvage/t-1:hello.py") == "print('hello')\n"


async def test_branch_that_a_person_has_gone_on_with_is_left_alone(repository: Path, context: Make) -> None:
    assert isinstance(await execute(context(agents=agent("works"))), Done)
    git(repository, "checkout", "--quiet", "rivus/t-1-1")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "By hand")
    mine = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "main")
    outcome = await execute(context(agents=agent("works")))
    assert isinstance(outcome, Done), outcome
    assert outcome.output["branch"] == "rivus/t-1-2"
    assert git(repository, "rev-parse", "rivus/t-1-1") == mine


@pytest.mark.parametrize(("says", "resumed"), [([], False), ([{"type": "thread.started", "thread_id": "th-7"}], True)])
async def test_session_that_never_began_is_begun_and_one_that_did_is_gone_on_with_by_its_own_id(
    context: Make, tmp_path: Path, says: list[dict[str, str]], resumed: bool
) -> None:
    begun = tmp_path / "artifacts" / "session" / "tree" / "begun"
    end = '{"type": "turn.completed", "usage": {"input_tokens": 1, "output_tokens": 1}}'
    hangs = f"printf '%s\\n' {' '.join(repr(json.dumps(one)) for one in says)}; touch begun; sleep 1000"
    told = {
        "output": "codex_jsonl",
        "command": ["sh", "-c", f"test -e begun && exit 9; {hangs}" if resumed else f"{hangs}"],
        "resume": ["sh", "-c", f"echo {{session_id}} > resumed; echo '{end}'"],
    }
    ctx = context(agents={"fake": told})
    running = asyncio.ensure_future(execute(ctx))
    await asyncio.to_thread(wait_until, begun.exists, lambda: "the agent did not begin")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    if not resumed:
        told["command"] = ["sh", "-c", f"echo anew > resumed; echo '{end}'"]
    outcome = await execute(replace(ctx, params={"agents": {"fake": told}}))
    assert isinstance(outcome, Done), outcome
    assert git(ctx.root, "show", f"{outcome.output['branch']}:resumed") == ("th-7\n" if resumed else "anew\n")
