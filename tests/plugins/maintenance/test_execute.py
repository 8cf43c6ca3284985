"""An agent session from the item to the branch: what good agents leave is taken, what bad ones do reaches nobody."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.outcome import Ask, Done, Fail, Later, Skip
from engine.kit.trial import TrialContext
from plugins.maintenance.agents import clone as clones
from plugins.maintenance.agents import session
from plugins.maintenance.execute import AgentRefused
from plugins.maintenance.execute import handle as execute
from tests.acceptance.waiting import wait_until
from tests.plugins.maintenance.conftest import AGENT, agent, git

Make = Callable[..., TrialContext]
PWNED = Path("/tmp/pwned")
confined_only = pytest.mark.skipif(
    session.cannot_confine() is not None, reason=f"agents cannot be confined here: {session.cannot_confine()}"
)


def branches(repository: Path) -> list[str]:
    return git(repository, "for-each-ref", "--format=%(refname)").split()


async def failed(make: Make, deed: str, **params: Any) -> str:
    outcome = await execute(make(agents=agent(deed, **params.pop("keys", {})), **params))
    assert isinstance(outcome, Fail), outcome
    return outcome.why


async def test_work_becomes_a_branch_and_the_checkout_stays_as_it_was(repository: Path, context: Make) -> None:
    (repository / "a.txt").write_text("the user is at work\n")
    before = clones.mark(repository)
    ctx = context(agents=agent("works"))
    outcome = await execute(ctx)
    assert isinstance(outcome, Done), outcome
    told = outcome.output
    assert (told["kind"], told["branch"]) == ("diff", "rivus/t-1-1")
    assert {one["path"] for one in told["files"]} == {"hello.py", "PROMPT.txt"}
    assert git(repository, "show", f"{told['branch']}:hello.py") == "print('hello')\n"
    prompt = git(repository, "show", f"{told['branch']}:PROMPT.txt")
    assert "Greet the world" in prompt
    assert "TODO.md:3" in prompt
    assert (ctx.spent, outcome.cost_usd_micros) == (250_000, 0)
    assert (repository / "a.txt").read_text() == "the user is at work\n"
    git(repository, "branch", "-D", told["branch"])
    assert clones.mark(repository) == before
    assert (ctx.artifact_dir / "change.diff").read_text().startswith("diff --git a/PROMPT.txt")
    assert not (ctx.artifact_dir / "session").exists()
    assert any("fake" in text or "turn" in text for _, _, text in ctx.steps)


async def test_what_ends_without_a_change_is_no_success(context: Make) -> None:
    assert "changed nothing" in await failed(context, "nothing")


async def test_report_is_taken_where_one_is_wanted(context: Make) -> None:
    ctx = context(agents=agent("nothing"), wants="report")
    outcome = await execute(ctx)
    assert isinstance(outcome, Done)
    assert outcome.output["kind"] == "report"
    assert "perfect" in (ctx.artifact_dir / "report.md").read_text()


@pytest.mark.parametrize(
    ("deed", "why"),
    [("symlink", "symbolic link"), ("many", "200 files"), ("secret", "private key")],
)
async def test_change_that_must_not_be_taken_is_refused_and_kept(
    repository: Path, context: Make, deed: str, why: str
) -> None:
    assert why in await failed(context, deed)
    assert "refs/rivus/salvage/t-1" in branches(repository)
    assert not [name for name in branches(repository) if name.startswith("refs/heads/rivus")]


@confined_only
async def test_confined_agent_reaches_nothing_outside(
    repository: Path, context: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "canary-in-the-environment")
    (repository / "local.secret").write_text("canary-in-a-file")
    before = clones.mark(repository)
    victim = await asyncio.to_thread(subprocess.Popen, ["sleep", "60"])
    server = socket.create_server(("127.0.0.1", 0))
    try:
        more = (str(repository), str(repository / "local.secret"), str(server.getsockname()[1]), str(victim.pid))
        outcome = await execute(context(agents=agent("escapes", *more)))
        assert isinstance(outcome, Done), outcome
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
        server.close()
    tried = json.loads(git(repository, "show", f"{outcome.output['branch']}:tried.json"))
    assert set(tried) >= {"write outside", "read secret", "environment", "network", "kill", "git config", "push"}
    got = {name: how for name, how in tried.items() if how.startswith(("did", "got"))}
    assert got == {}
    git(repository, "branch", "-D", outcome.output["branch"])
    assert clones.mark(repository) == before
    assert not await asyncio.to_thread(PWNED.exists)
    assert "canary" not in json.dumps(outcome.output)
    assert outcome.output["confined"] is True


async def test_unconfined_agent_is_said_to_be(context: Make) -> None:
    outcome = await execute(context(agents=agent("works", confined="no")))
    assert isinstance(outcome, Done)
    assert "the agent was not confined" in outcome.output["careful"]


async def test_agent_that_hangs_is_killed_whole_and_its_work_is_kept(
    repository: Path, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_GRACE_S", 0.1)
    why = await failed(context, "hangs", keys={"silent_minutes": 0.02})
    assert "said nothing" in why
    assert why.endswith("what it had done is kept as `refs/rivus/salvage/t-1`")
    assert git(repository, "show", "refs/rivus/salvage/t-1:half.txt") == "half of the work\n"


async def test_agent_that_floods_is_stopped(context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "OUTPUT_MAX", 1 << 20)
    assert "printed without end" in await failed(context, "floods")


async def test_agent_that_spends_too_much_is_stopped(context: Make) -> None:
    assert "more than $2.00" in await failed(context, "spends")


async def test_agent_that_asks_becomes_a_question(context: Make) -> None:
    outcome = await execute(context(agents=agent("asks")))
    assert outcome == Ask(question="Shall it be blue or green?")


@pytest.mark.parametrize(("deed", "why"), [("crashes", "code 7: segmentation fault"), ("silent", "without a word")])
async def test_crash_is_an_error_for_the_doctor(context: Make, deed: str, why: str) -> None:
    with pytest.raises(RuntimeError, match=why):
        await execute(context(agents=agent(deed)))


async def test_what_a_crashed_agent_had_done_is_kept(repository: Path, context: Make) -> None:
    half = {"fake": {"command": ["sh", "-c", "echo half > half.txt; exit 7"]}}
    with pytest.raises(RuntimeError, match="code 7"):
        await execute(context(agents=half))
    assert git(repository, "show", "refs/rivus/salvage/t-1:half.txt") == "half\n"


async def test_missing_command_is_an_operators_matter(context: Make) -> None:
    with pytest.raises(AgentRefused, match="command not found: `nowhere-to-be-found`"):
        await execute(context(agents={"fake": {"command": ["nowhere-to-be-found"]}}))


async def test_verify_sends_it_back_once_and_takes_what_passes(repository: Path, context: Make) -> None:
    told = agent("twice")
    told["fake"]["resume"] = [*told["fake"]["command"], "--resume"]
    ctx = context(agents=told, verify=["grep", "-q", "good", "check.txt"])
    outcome = await execute(ctx)
    assert isinstance(outcome, Done), outcome
    assert git(repository, "show", f"{outcome.output['branch']}:check.txt") == "good\n"
    assert outcome.output["verified"] == "grep -q good check.txt"
    assert ctx.spent == 200_000
    told["fake"].pop("resume")
    outcome = await execute(context(agents=told, verify=["grep", "-q", "good", "check.txt"]))
    assert isinstance(outcome, Fail)
    assert "does not pass" in outcome.why


@pytest.mark.parametrize(
    ("deed", "cost", "sessions", "spent"),
    [("twice", "0.1 USD", 1, 100_000), ("mute", "2 USD", 2, 4_000_000)],
    ids=["told", "not told"],
)
async def test_no_session_begins_without_money_and_none_is_free(
    context: Make, deed: str, cost: str, sessions: int, spent: int
) -> None:
    told = agent(deed, cost=cost)
    told["fake"]["resume"] = told["fake"]["command"]
    ctx = context(agents=told, verify=["false"], rounds=3 if sessions == 1 else 2)
    outcome = await execute(ctx)
    assert isinstance(outcome, Fail), outcome
    assert outcome.kind == ("SessionOverLimit" if sessions == 1 else "ChangeFails")
    assert "refs/rivus/salvage" in outcome.why
    assert ctx.spent == spent


@pytest.mark.parametrize(("words", "spent"), [([], 0), (["I have looked."], 2_000_000)])
async def test_who_was_let_do_nothing_has_spent_nothing(context: Make, words: list[str], spent: int) -> None:
    ctx = context(agents=agent("held_back", *words, output="codex_jsonl"))
    outcome = await execute(ctx)
    assert isinstance(outcome, Later), outcome
    assert ctx.spent == spent


async def test_repository_with_other_object_names_is_worked_on(context: Make, tmp_path: Path) -> None:
    folder = tmp_path / "sha256"
    folder.mkdir()
    git(folder, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    (folder / "TODO.md").write_text("- [ ] Greet the world\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    outcome = await execute(replace(context(agents=agent("works")), root=folder))
    assert isinstance(outcome, Done), outcome
    assert git(folder, "show", f"{outcome.output['branch']}:hello.py") == "print('hello')\n"


async def test_partial_clone_is_refused_before_anything_is_lost(
    repository: Path, context: Make, tmp_path: Path
) -> None:
    (repository / "folder").mkdir()
    (repository / "folder" / "b.txt").write_text("b\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "More")
    git(repository, "config", "uploadpack.allowFilter", "true")
    options = ("-c", "protocol.file.allow=always", "clone", "--quiet", "--sparse", "--filter=blob:none")
    git(tmp_path, *options, f"file://{repository}", "partial")
    outcome = await execute(replace(context(agents=agent("works")), root=tmp_path / "partial"))
    assert isinstance(outcome, Fail), outcome
    assert "lacks files of its own, such as folder/b.txt" in outcome.why


async def test_interrupted_session_is_salvaged_and_gone_on_with(repository: Path, context: Make) -> None:
    told = agent("hangs")
    told["fake"]["resume"] = [sys.executable, str(AGENT), "twice", "--resume"]
    ctx = context(agents=told)
    running = asyncio.ensure_future(execute(ctx))
    half = ctx.artifact_dir / "session" / "tree" / "half.txt"
    await asyncio.to_thread(wait_until, lambda: half.exists() and half.read_text(), lambda: "the agent did not begin")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    wait_until(lambda: not _processes(str(ctx.artifact_dir)), lambda: _processes(str(ctx.artifact_dir)))
    outcome = await execute(ctx)
    assert isinstance(outcome, Done), outcome
    assert ctx.checkpoint.saved[1]["session_id"] == ctx.checkpoint.saved[0]["session_id"]
    assert ctx.reserved == [2_000_000, 2_000_000]
    assert ctx.spent == 2_100_000, (
        "the one that was cut off has told nothing of its cost: it counts as all it was allowed"
    )
    assert git(repository, "show", "refs/rivus/salvage/t-1:half.txt") == "half of the work\n"
    assert git(repository, "show", f"{outcome.output['branch']}:half.txt") == "half of the work\n"


def test_clone_is_there_whole_or_not_at_all(repository: Path, tmp_path: Path) -> None:
    folder, head = tmp_path / "session", clones.head(repository)
    with pytest.raises(clones.CloneProblem):
        clones.make(repository, folder, base=head, branch="rivus/x", at="0" * 40)
    assert not folder.exists()
    clone = clones.make(repository, folder, base=head, branch="rivus/x")
    assert clone.take("nothing") == head
    assert [one.name for one in tmp_path.glob("session*")] == ["session"]


async def test_a_second_interrupted_session_keeps_what_the_first_had_done(repository: Path, context: Make) -> None:
    ctx = context(agents=agent("hangs"))
    tree = ctx.artifact_dir / "session" / "tree"
    for word in ("one", "two"):
        running = asyncio.ensure_future(execute(ctx))
        await asyncio.to_thread(
            wait_until,
            lambda: (tree / "half.txt").exists() and not (tree / "word.txt").exists(),
            lambda: "the agent did not begin",
        )
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        (tree / "word.txt").write_text(word)
    ctx.params = {**ctx.params, "agents": agent("works")}
    assert isinstance(await execute(ctx), Done)
    kept = git(repository, "rev-list", "refs/rivus/salvage/t-1", "--not", "main").split()
    assert {git(repository, "show", f"{commit}:word.txt") for commit in kept} == {"one", "two"}


def _processes(word: str) -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{name}/cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found


async def test_what_is_ticked_or_gone_from_its_file_is_not_done(repository: Path, context: Make) -> None:
    (repository / "TODO.md").write_text("- [x] Greet the world\n")
    assert await execute(context(agents=agent("works"))) == Skip(why="it is ticked off in TODO.md")
    (repository / "TODO.md").write_text("nothing\n")
    assert await execute(context(agents=agent("works"))) == Skip(why="it stands in TODO.md no more")


async def test_user_in_the_middle_of_a_merge_is_waited_for(repository: Path, context: Make) -> None:
    (repository / ".git" / "MERGE_HEAD").write_text("0" * 40)
    outcome = await execute(context(agents=agent("works")))
    assert isinstance(outcome, Later)
    assert "merge" in outcome.why


@pytest.mark.parametrize(
    ("agents", "why"),
    [
        ({}, "there is no agent"),
        ({"a": {}}, "agents.a.command"),
        ({"a": {"command": "claude -p"}}, "a list of words"),
        ({"a": {"command": ["x", "{secret}"]}}, "there is no {secret}"),
        ({"a": {"command": ["x"], "cost": "2"}}, "such as `2 USD`"),
        ({"a": {"command": ["x"], "shell": True}}, "there is no such key"),
        ({"a": {"command": ["x"], "prompt": "argument"}}, "one word holds {prompt}"),
    ],
)
async def test_wrong_description_of_an_agent_names_its_key(context: Make, agents: Any, why: str) -> None:
    outcome = await execute(context(agents=agents))
    assert isinstance(outcome, Fail)
    assert why in outcome.why
