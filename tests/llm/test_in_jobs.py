"""The door as handlers use it: on the loop, in a thread and in a worker process; held, parked, and asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import InDoubt, UseError
from engine.contracts.llm import Backend, BackendOptions
from engine.contracts.models import BackendSpec
from engine.llm.backend_scripted import Script, ScriptedBackend
from engine.store.reader import Reader
from tests.factories import Rig, job, stage
from tests.llm.house import PRICE, backend, model

PLUGIN = """
from dataclasses import dataclass

@dataclass
class Word:
    word: str

def plain(ctx):
    reply = ctx.llm.ask_and_wait("house", schema=Word)
    assert isinstance(reply.value, Word)
    return {"word": reply.value.word, "deep": ctx.llm.missing("deep"), "any": ctx.llm.missing()}

def talks(ctx):
    talk = ctx.llm.conversation("talk", system="be brief")
    first = talk.say_and_wait("house", schema=Word)
    assert isinstance(first.value, Word)
    second = talk.say_and_wait("and?")
    talk.release()
    return {"said": [first.value.word, second.text], "turns": talk.turns, "attempt": ctx.attempt}

def decides(ctx):
    found = ctx.llm.jury_and_wait("house", members=["fast", "fast", "fast"], schema=Word, decide="word", purpose="vote")
    assert all(isinstance(ballot.value, Word) for ballot in found.ballots)
    return {"value": found.value, "how": found.how, "dissent": len(found.dissent)}

def nobody(ctx):
    ctx.llm.conversation("talk", model="deep")

def parked(ctx):
    return {"text": ctx.llm.ask_and_wait("q").text}
"""


def answering(script: Script | Sequence[Any], **more: Any) -> dict[str, tuple[BackendSpec, Backend]]:
    """One scripted backend for a rig."""
    options = BackendOptions(name="one", params={} if callable(script) else {"answers": list(script)})
    return {"one": (backend(**more), ScriptedBackend(options, script if callable(script) else None))}


@dataclass
class Verdict:
    good: bool


async def test_handler_asks_on_its_items_account(tmp_path: Path) -> None:
    async def ask(ctx: Any) -> dict[str, Any]:
        reply = await ctx.llm.ask("is it good?", schema=Verdict)
        return {"good": reply.value.good}

    spec = job("docs", stage("judge", handler="ask", needs_model=True, model="fast"))
    backends = answering([{"good": True}], price=PRICE)
    async with Rig(tmp_path, spec, functions={"ask": ask}, models=[model()], backends=backends) as rig:
        await rig.add("a")
        await rig.until(lambda: rig.reader.jobs()[0].count("done") == 1)
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].output == {"good": True}
        rows = await rig.change(
            lambda connection: connection.execute("SELECT purpose, item_id FROM model_calls").fetchall()
        )
        assert rows == [("judge", 1)]
        spent = await rig.change(lambda connection: connection.execute("SELECT sum(usd_micros) FROM spent").fetchone())
        assert spent[0] > 0


async def test_without_a_model_the_stage_is_held_and_says_so(tmp_path: Path) -> None:
    async def never(_ctx: Any) -> dict[str, Any]:
        raise AssertionError

    async def first(_ctx: Any) -> dict[str, Any]:
        return {}

    spec = job(
        "docs", stage("read", handler="first"), stage("judge", after=["read"], handler="never", needs_model=True)
    )
    async with Rig(tmp_path, spec, functions={"never": never, "first": first}) as rig:
        await rig.add("a")
        await rig.until(lambda: rig.reader.jobs()[0].count("ready") == 1 and rig.reader.jobs()[0].count("done") == 1)
        await rig.runtime.drained()  # what is held does not keep a run from ending
        (hold,) = rig.reader.jobs()[0].holds
        assert (hold.gate, hold.stage, hold.until) == ("model", "judge", None)
        assert "no model is configured" in hold.why
        assert rig.reader.plan(None, 5)[0].holds == (hold,)


async def test_attempt_is_parked_where_the_provider_asks_to_wait(tmp_path: Path) -> None:
    async def ask(ctx: Any) -> dict[str, Any]:
        return {"text": (await ctx.llm.ask(ctx.item.key)).text}

    spec = job("docs", stage("judge", handler="ask", needs_model=True, attempts=1, concurrency=1))
    backends = answering([{"fail": "throttled", "retry_after": 900}])
    async with Rig(tmp_path, spec, functions={"ask": ask}, models=[model()], backends=backends) as rig:
        await rig.add("a", "b")
        await rig.until(lambda: rig.reader.jobs()[0].count("later") == 1)
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].due_at == rig.clock.now() + 900_000
        assert detail.item.attempts == 0
        assert "asks to wait" in (detail.item.why or "")
        # The other one is not even started: its queue is held, with the time.
        reader = Reader(rig.state, project="test", clock=rig.clock)
        await rig.until(lambda: any(hold.gate == "model" for hold in reader.jobs()[0].holds))
        hold = next(hold for hold in reader.jobs()[0].holds if hold.gate == "model")
        reader.close()
        assert hold.until == rig.clock.now() + 900_000
        assert rig.reader.jobs()[0].count("ready") == 1


@pytest.mark.parametrize("place", ["process", "thread"])
async def test_plain_function_asks_and_waits(tmp_path: Path, place: str) -> None:
    (tmp_path / f"llm_plugin_{place}.py").write_text(PLUGIN, encoding="utf-8")
    spec = job("docs", stage("judge", handler="plain", runs=place))
    source = (tmp_path / "jobs.yaml", f"llm_plugin_{place}")
    backends = answering([{"word": "yes"}])
    functions: dict[str, Any] = {}
    exec(compile(PLUGIN, "plugin", "exec"), functions)
    async with Rig(tmp_path, spec, functions=functions, models=[model()], backends=backends, source=source) as rig:
        await rig.add("a")
        await rig.until(lambda: rig.reader.jobs()[0].count("done", "failed", "later") == 1, seconds=30)
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].output == {
            "word": "yes",
            "any": None,
            "deep": "there is no model `deep` under `models`; there are: fast",
        }


async def ran(
    tmp_path: Path, function: str, place: str, *answers: Any
) -> tuple[Any, str | None, list[tuple[Any, ...]]]:
    """Output and why of a plain function of the plugin, and what was asked for which purpose."""
    name = f"llm_plugin_{function}_{place}"
    (tmp_path / f"{name}.py").write_text(PLUGIN, encoding="utf-8")
    spec = job("docs", stage("judge", handler=function, runs=place, attempts=1))
    functions: dict[str, Any] = {}
    exec(compile(PLUGIN, "plugin", "exec"), functions)
    async with Rig(
        tmp_path, spec, functions=functions, models=[model()], backends=answering(answers),
        source=(tmp_path / "jobs.yaml", name),
    ) as rig:  # fmt: skip
        await rig.add("a")
        await rig.until(lambda: rig.reader.jobs()[0].count("done", "failed", "later") == 1, seconds=30)
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        rows = await rig.change(
            lambda connection: connection.execute("SELECT purpose, count(*) FROM model_calls GROUP BY 1").fetchall()
        )
        return detail.stages[0].output, detail.item.why, rows


@pytest.mark.parametrize("place", ["process", "thread"])
async def test_plain_function_holds_a_conversation(tmp_path: Path, place: str) -> None:
    # The first answer has not the shape: the conversation repairs it by one more turn.
    output, why, rows = await ran(tmp_path, "talks", place, "no", {"word": "yes"}, "that is all")
    assert why is None
    assert output == {"said": ["yes", "that is all"], "turns": 3, "attempt": 1}
    assert rows == [("talk", 3)]


@pytest.mark.parametrize("place", ["process", "thread"])
async def test_plain_function_asks_a_jury(tmp_path: Path, place: str) -> None:
    output, why, rows = await ran(tmp_path, "decides", place, {"word": "yes"}, {"word": "no"}, {"word": "yes"})
    assert why is None
    assert output == {"value": "yes", "how": "majority", "dissent": 1}
    assert rows == [("vote", 3)]


async def test_conversation_with_nobody_keeps_its_error(tmp_path: Path) -> None:
    _, why, _ = await ran(tmp_path, "nobody", "process")
    assert "there is no model `deep`" in (why or "")


async def test_worker_process_is_parked_too(tmp_path: Path) -> None:
    (tmp_path / "llm_plugin_parked.py").write_text(PLUGIN, encoding="utf-8")
    spec = job("docs", stage("judge", handler="parked", runs="process", attempts=1))
    source = (tmp_path / "jobs.yaml", "llm_plugin_parked")
    backends = answering([{"fail": "throttled", "retry_after": 900}])
    async with Rig(tmp_path, spec, models=[model()], backends=backends, source=source) as rig:
        await rig.add("a")
        await rig.until(lambda: rig.reader.jobs()[0].count("later", "failed") == 1, seconds=30)
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].due_at == rig.clock.now() + 900_000


async def test_person_is_asked_before_a_lost_request_is_sent_again(tmp_path: Path) -> None:
    answers: list[str] = []

    async def talk(ctx: Any) -> dict[str, Any]:
        answers.append(str(ctx.answer))
        raise InDoubt("its turn 1 was sent, and its answer is lost")

    spec = job("docs", stage("judge", handler="talk"))
    async with Rig(tmp_path, spec, functions={"talk": talk}) as rig:
        await rig.add("a")
        await rig.until(lambda: rig.reader.jobs()[0].count("waiting") == 1)
        detail = rig.reader.item("docs", "a")
        assert detail is not None
        assert detail.stages[0].choices == ("send it again",)
        assert "send it again?" in (detail.item.why or "")


async def test_daily_limit_pauses_the_job_when_a_call_is_booked(tmp_path: Path) -> None:
    async def ask(ctx: Any) -> dict[str, Any]:
        return {"text": (await ctx.llm.ask(ctx.item.key)).text}

    spec = job("docs", stage("judge", handler="ask", concurrency=1), daily_cost_usd_micros=230)
    backends = answering(["x" * 80], price=PRICE)
    async with Rig(tmp_path, spec, functions={"ask": ask}, models=[model()], backends=backends) as rig:
        await rig.add(*(f"k{n}" for n in range(8)))
        await rig.until(
            lambda: rig.reader.jobs()[0].count("running", "ready") == 0 or rig.reader.jobs()[0].state == "paused"
        )
        spent = await rig.change(lambda connection: connection.execute("SELECT sum(usd_micros) FROM spent").fetchone())
        assert 0 < spent[0] <= 230


async def test_a_person_asks_through_a_command(tmp_path: Path) -> None:
    async with Rig(tmp_path, job(), models=[model()], backends=answering([{"echo": True}])) as rig:
        outcome = await rig.runtime.command("ask", {"prompt": "hello", "model": "fast"})
        assert outcome.ok
        assert outcome.data["text"] == "hello"
        assert outcome.message.startswith("one/m, $0.00")


async def test_document_that_would_be_read_in_part_is_refused(tmp_path: Path) -> None:
    async with Rig(tmp_path, job(), models=[model()], backends=answering([{"echo": True}])) as rig:
        with pytest.raises(UseError, match="at most 400,000 characters"):
            await rig.runtime.command("review", {"name": "a.md", "text": "x " * 200_001, "reviewers": ["fast"]})
