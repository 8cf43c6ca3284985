"""From the branch to the checkout: a person's words, and a merge that is whole or leaves everything as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Ask, Done, Fail, Later, Skip
from engine.kit.trial import TrialCheckpoint, TrialContext
from plugins.maintenance.classify import handle as classify
from plugins.maintenance.execute import handle as execute
from plugins.maintenance.merge import handle as merge
from plugins.maintenance.review import handle as review
from tests.acceptance.waiting import wait_until
from tests.plugins.maintenance.conftest import agent, git

Make = Callable[..., TrialContext]


async def worked(make: Make, deed: str = "works") -> TrialContext:
    """A context at the review stage, after an agent's work."""
    ctx = make(agents=agent(deed))
    outcome = await execute(ctx)
    assert isinstance(outcome, Done), outcome
    return replace(ctx, stage="review", upstream={"execute": outcome.output}, checkpoint=TrialCheckpoint())


async def accepted(make: Make) -> TrialContext:
    """A context at the merge stage."""
    ctx = await worked(make)
    verdict = await review(replace(ctx, answer="accept"))
    assert isinstance(verdict, Done)
    return replace(ctx, stage="merge", upstream={**ctx.upstream, "review": verdict.output}, params={})


async def test_person_is_asked_with_what_to_look_at_twice(context: Make) -> None:
    outcome = await review(await worked(context))
    assert isinstance(outcome, Ask)
    assert outcome.choices == ("accept", "reject")
    assert "rivus/t-1-1" in outcome.question
    assert "not verified" in outcome.question


async def test_needs_work_goes_round_with_the_note_and_stays_one_commit(repository: Path, context: Make) -> None:
    ctx = await worked(context)
    base = git(repository, "rev-parse", "main").strip()
    again = replace(ctx, answer="use two exclamation marks", spent=0)
    outcome = await review(again)
    assert isinstance(outcome, Ask), outcome
    assert again.spent == 250_000
    assert "rivus/t-1-2" in outcome.question
    assert "two exclamation marks" in git(repository, "show", "rivus/t-1-2:PROMPT.txt")
    assert git(repository, "rev-parse", "rivus/t-1-2^").strip() == base
    accepted = replace(ctx, answer="accept", spent=0)
    verdict = await review(accepted)
    assert isinstance(verdict, Done)
    assert verdict.output["branch"] == "rivus/t-1-2"
    assert (accepted.spent, verdict.cost_usd_micros) == (0, 0)  # booked when it was spent


async def test_interrupted_rework_is_salvaged(repository: Path, context: Make) -> None:
    ctx = await worked(context)
    hanging = replace(ctx, answer="more", params={**ctx.params, "agents": agent("hangs")})
    running = asyncio.ensure_future(review(hanging))
    half = ctx.artifact_dir / "session" / "tree" / "half.txt"
    await asyncio.to_thread(wait_until, lambda: half.exists() and half.read_text(), lambda: "the agent did not begin")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert isinstance(await review(replace(ctx, answer="more")), Ask)
    assert git(repository, "show", "refs/rivus/salvage/t-1:half.txt") == "half of the work\n"


async def test_sent_back_beyond_the_limit_it_fails_and_asks_again_when_it_is_tried_again(context: Make) -> None:
    ctx = await worked(context)
    ctx = replace(ctx, params={**ctx.params, "rounds": 2})
    assert isinstance(await review(replace(ctx, answer="more")), Ask)
    beyond = replace(ctx, answer="even more")
    outcome = await review(beyond)
    assert isinstance(outcome, Fail)
    assert outcome.kind == "SessionSentBack"
    assert outcome.why.startswith("sent back 2 times, which is the limit; its work stays on rivus/t-1-2")
    assert isinstance(await review(beyond), Ask)
    assert isinstance(await review(replace(ctx, answer="accept")), Done)


async def test_rejected_work_stays_on_its_branch(repository: Path, context: Make) -> None:
    rejected = replace(await worked(context), answer="reject")
    outcome = await review(rejected)
    assert outcome == Fail(why="rejected; its work stays on rivus/t-1-1", kind="SessionRejected")
    assert git(repository, "rev-parse", "--verify", "rivus/t-1-1")
    assert isinstance(await review(rejected), Ask), "tried again, it asks again"
    assert isinstance(await review(rejected), Fail), "and what is said then counts"


async def test_nothing_executed_is_nothing_to_review_or_merge(context: Make) -> None:
    assert isinstance(await review(context()), Skip)
    assert isinstance(await merge(context()), Skip)


async def test_merge_ticks_the_box_in_the_same_commit(repository: Path, context: Make) -> None:
    outcome = await merge(await accepted(context))
    assert isinstance(outcome, Done), outcome
    assert outcome.output["into"] == "main"
    assert outcome.output["ticked"] is True
    assert (repository / "hello.py").read_text() == "print('hello')\n"
    assert (repository / "TODO.md").read_text() == "# To do\n\n- [x] Greet the world\n- [ ] Something else\n"
    assert git(repository, "status", "--porcelain") == ""
    assert len(git(repository, "rev-list", "--parents", "-1", "HEAD").split()) == 3
    again = await merge(await accepted_again(context, outcome))
    assert isinstance(again, (Done, Skip))


async def accepted_again(make: Make, merged: Done) -> TrialContext:
    verdict = {"verdict": "accept", "branch": "rivus/t-1-1", "commit": merged.output["commit"]}
    return replace(make(), stage="merge", upstream={"review": verdict})


async def test_checkout_with_changes_is_waited_for(repository: Path, context: Make) -> None:
    ctx = await accepted(context)
    (repository / "a.txt").write_text("mine\n")
    outcome = await merge(ctx)
    assert isinstance(outcome, Later)
    assert "a.txt" in outcome.why
    assert (repository / "a.txt").read_text() == "mine\n"


async def test_conflict_leaves_everything_as_it_was(repository: Path, context: Make) -> None:
    ctx = await accepted(context)
    (repository / "hello.py").write_text("print('mine')\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "Mine")
    head = git(repository, "rev-parse", "HEAD")
    outcome = await merge(ctx)
    assert isinstance(outcome, Fail)
    assert "hello.py" in outcome.why
    assert git(repository, "rev-parse", "HEAD") == head
    assert git(repository, "status", "--porcelain") == ""


async def test_file_in_the_way_is_named(repository: Path, context: Make) -> None:
    ctx = await accepted(context)
    (repository / "hello.py").write_text("mine, and not committed\n")
    outcome = await merge(ctx)
    assert isinstance(outcome, Fail)
    assert "hello.py" in outcome.why
    assert (repository / "hello.py").read_text() == "mine, and not committed\n"


@pytest.mark.parametrize("is_ignored", [False, True])
async def test_list_that_git_does_not_know_is_ticked_and_stays_out(
    repository: Path, context: Make, is_ignored: bool
) -> None:
    git(repository, "rm", "--quiet", "--cached", "TODO.md")
    if is_ignored:
        (repository / ".gitignore").write_text("TODO.md\n")
        git(repository, "add", ".gitignore")
    git(repository, "commit", "--quiet", "--message", "The list is mine")
    outcome = await merge(await accepted(context))
    assert isinstance(outcome, Done), outcome
    assert outcome.output["ticked"] is True
    assert "- [x] Greet the world" in (repository / "TODO.md").read_text()
    assert "TODO.md" not in git(repository, "ls-files")
    ctx = replace(context(), stage="merge", upstream={"review": {"verdict": "parts"}})
    (repository / "TODO.md").write_text("- [ ] Greet the world\n")
    head = git(repository, "rev-parse", "HEAD")
    closed = await merge(ctx)
    assert isinstance(closed, Done), closed
    assert closed.output["ticked"] is True
    assert git(repository, "rev-parse", "HEAD") == head


async def test_hooks_of_the_repository_do_not_run(repository: Path, context: Make, tmp_path: Path) -> None:
    ctx = await accepted(context)
    for name in ("pre-merge-commit", "pre-commit", "post-merge", "commit-msg"):
        hook = repository / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    assert isinstance(await merge(ctx), Done)
    assert not (tmp_path / "ran").exists()


TIERS: dict[str, Any] = {
    "tidy": {"kind": "script", "agent": "ruff"},
    "think": {"kind": "call", "wants": "report"},
    "build": {"kind": "agent", "agent": "fake"},
}


@pytest.mark.parametrize(
    ("data", "scope", "params", "tier"),
    [
        ({"tags": ["#build"]}, {}, {}, "build"),
        ({"tags": ["@ruff"]}, {}, {}, "tidy"),
        ({}, {"safety": "safe_always", "effort": "small"}, {}, "think"),
        ({}, {}, {"default": "build"}, "build"),
        ({}, {}, {}, None),
        ({}, {"effort": "large"}, {"default": "build"}, None),
    ],
)
async def test_cheapest_tier_that_fits_or_a_person(
    context: Make, data: dict[str, Any], scope: dict[str, Any], params: dict[str, Any], tier: str | None
) -> None:
    ctx = context(tiers=TIERS, **params)
    ctx = replace(ctx, item=replace(ctx.item, data={**ctx.item.data, **data}), upstream={"scope": scope})
    outcome = await classify(ctx)
    if tier is None:
        assert isinstance(outcome, Ask)
        assert outcome.choices == ("tidy", "think", "build", "I do it myself")
    else:
        assert isinstance(outcome, Done)
        assert outcome.output["tier"] == tier


async def test_person_names_the_tier(context: Make) -> None:
    ctx = replace(context(tiers=TIERS), answer="build")
    outcome = await classify(ctx)
    assert isinstance(outcome, Done)
    assert outcome.output == {"tier": "build", "kind": "agent", "because": "a person said so", "agent": "fake"}
    assert isinstance(await classify(replace(ctx, answer="I do it myself")), Fail)
    assert isinstance(await classify(replace(ctx, answer="nobody")), Ask)
