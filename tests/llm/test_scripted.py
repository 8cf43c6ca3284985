"""The prepared door, as tests of other rooms use it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.contracts.errors import BadReply, ModelNeeded
from engine.contracts.llm import Message
from engine.kit.no_model import NoModel
from engine.llm.scripted import ScriptedLLM


@dataclass
class Answer:
    word: str


async def test_answers_come_in_order_and_questions_are_kept() -> None:
    llm = ScriptedLLM({"word": "yes"}, "plain", ValueError("down"))
    assert (await llm.ask("q1", schema=Answer, model="fast", system="be brief")).value == Answer("yes")
    assert (await llm.ask("q2")).text == "plain"
    with pytest.raises(ValueError, match="down"):
        await llm.ask([Message(role="user", content="q3")])
    assert [request.messages[-1].content for request in llm.asked] == ["q1", "q2", "q3"]
    assert llm.asked[0].messages[0] == Message(role="system", content="be brief")


async def test_answer_of_another_shape_is_refused() -> None:
    with pytest.raises(BadReply, match="lacks `word`") as caught:
        await ScriptedLLM({"words": 1}).ask("q", schema=Answer)
    assert caught.value.text == '{"words": 1}'


async def test_without_a_model_it_says_how_to_get_one() -> None:
    llm = NoModel()
    assert "jobs.yaml" in (llm.missing() or "")
    with pytest.raises(ModelNeeded, match="models:") as caught:
        await llm.ask("anybody?")
    assert caught.value.exit_code == 4
