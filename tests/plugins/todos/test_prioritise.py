"""From what a scope found to a priority, to parts, and to a foundation that several TODOs share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.contracts.context import Peer
from engine.contracts.outcome import Done, Skip
from engine.kit.no_model import NoModel
from engine.kit.trial import TrialContext, TrialItem
from engine.llm.scripted import ScriptedLLM
from plugins.todos import consolidate, decompose, prioritise
from plugins.todos.urgency import Facts, judge, told


def peer(key: str, title: str, priority: int | None = None, **output: Any) -> Peer:
    return Peer(
        key=key, title=title, data={"text": title}, path="TODO.md", line=1, priority=priority, state="pending",
        output=output,
    )  # fmt: skip


def entry(text: str) -> dict[str, Any]:
    """A confirmed entry of `depends_on` or `overlaps`."""
    return {"text": text, "confirmed": True, "todo": text, "path": "TODO.md", "line": 1}


def context(stage: str, *, title: str = "Mend the upload", others: Any = None, **scope: Any) -> TrialContext:
    item = TrialItem(key="me", title=title, data={"text": title}, path="TODO.md", line=3, priority=1)
    return TrialContext(
        root=Path("/nowhere"),
        item=item,
        stage=stage,
        upstream={"scope": scope},
        others=others or {},
        llm=NoModel("none"),
    )


def test_every_term_has_its_reason_and_the_sum_decides() -> None:
    urgency = judge(Facts(text="Upload loses data", type="fix", effort="small", risk="low", blocks=1), [])
    assert (urgency.priority, urgency.score) == (0, 11.5)
    assert told(urgency) == (
        "P0 by rule, score 11.5: it says `loses data` +4, a fix +3, 1 come after it +2, small effort +1.5, low risk +1"
    )
    assert judge(Facts(text="Rename a variable", type="chore", effort="medium"), []).priority == 3


def test_compared_with_others_not_everything_is_urgent() -> None:
    facts = Facts(text="Mend it", type="fix", effort="small", risk="low", blocks=2)
    alone = judge(facts, [])
    assert alone.priority == 0
    among = judge(facts, [12.0] * 9)
    assert (among.priority, among.held_back, among.rank) == (2, 0, 10)
    assert "others come first" in told(among)
    assert judge(facts, [1.0] * 9).priority == 0


def test_goals_of_the_project_count() -> None:
    plain = judge(Facts(text="Speed up the upload", type="feature"), [])
    aimed = judge(Facts(text="Speed up the upload", type="feature", goals="Uploading at any speed"), [])
    assert aimed.score > plain.score
    assert any(term.name == "goals" for term in aimed.terms)


async def test_rule_gives_a_priority_with_its_terms_and_waits_for_what_comes_first() -> None:
    before = peer("a", "Store the parts", depends_on=[])
    after = peer("b", "Show progress", depends_on=[entry("Mend the upload")])
    ctx = context(
        "prioritise", others={"scope": [before, after]}, effort="small", risk="low", type="fix",
        depends_on=[entry("Store the parts"), {"text": "Something", "confirmed": False}],
    )  # fmt: skip
    outcome = await prioritise.handle(ctx)
    assert outcome.signals["priority"] == outcome.output["priority"] == 1
    assert "1 come after it +2" in outcome.signals["priority_why"]
    assert [one["key"] for one in outcome.output["after"]] == ["a"]
    assert [one["key"] for one in outcome.output["before"]] == ["b"]
    ((emitted, job),) = ctx.emitted
    assert (emitted.key, emitted.needs, job) == ("me", ("a",), None)


async def test_a_model_decides_where_one_is_asked_for_and_the_rule_where_none_is_there() -> None:
    ctx = context("prioritise", effort="small", risk="low", type="fix", others={"scope": [peer("a", "Paint", 3)]})
    ctx.params = {"by": "model", "goals": "Never lose an upload"}
    without = await prioritise.handle(ctx)
    assert (without.output["by"], without.signals["priority"]) == ("rule", without.output["priority"])
    assert "no model" in without.output["note"]
    llm = ctx.llm = ScriptedLLM({"priority": 3, "reason": "Nobody uploads"})  # type: ignore[assignment]
    outcome = await prioritise.handle(ctx)
    assert (outcome.output["by"], outcome.signals["priority"]) == ("model", 3)
    assert "Nobody uploads" in outcome.signals["priority_why"]
    sent = llm.asked[0].messages[-1].content
    assert "Never lose an upload" in sent
    assert "P3 Paint" in sent


async def test_a_large_item_gets_parts_in_order_with_its_priority() -> None:
    ctx = context("decompose", effort="large", subtasks=["Split the file", "split the file", "Send the parts", "Join"])
    outcome = await decompose.handle(ctx)
    assert isinstance(outcome, Done)
    *parts, itself = [one for one, _ in ctx.emitted]
    assert [(one.key, one.title, one.needs, one.priority) for one in parts] == [
        ("me.1", "Split the file", (), 1),
        ("me.2", "Send the parts", ("me.1",), 1),
        ("me.3", "Join", ("me.2",), 1),
    ]
    assert (itself.key, itself.needs) == ("me", ("me.1", "me.2", "me.3"))
    assert parts[0].data["part_of"]["path"] == "TODO.md"


async def test_a_simple_item_and_a_part_are_tasks_of_their_own() -> None:
    assert isinstance(await decompose.handle(context("decompose", effort="small", subtasks=["a", "b"])), Skip)
    ctx = context("decompose", effort="large", subtasks=["a", "b"])
    ctx.item = replace(ctx.item, data={"part_of": {"key": "whole"}})
    assert isinstance(await decompose.handle(ctx), Skip)


async def test_items_that_overlap_get_a_foundation_that_all_wait_for() -> None:
    files = [{"path": "net/upload.py", "confirmed": True}]
    a = peer("a", "Resume uploads", overlaps=[entry("Mend the upload")], files=files)
    b = peer("b", "Show progress of uploads", overlaps=[entry("Resume uploads")], files=[])
    far = peer("c", "Paint the house", overlaps=[], files=files)
    ctx = context("consolidate", overlaps=[], files=files, others={"scope": [a, b, far]})
    outcome = await consolidate.handle(ctx)
    assert isinstance(outcome, Done)
    foundation, *waiting = [one for one, _ in ctx.emitted]
    assert foundation.key.startswith("foundation:")
    assert "net/upload.py" in foundation.title
    assert [(one.key, one.needs) for one in waiting] == [(key, (foundation.key,)) for key in ("a", "b", "me")]
    again = context(
        "consolidate", overlaps=[entry("Resume uploads")],
        others={"scope": [a, b], "consolidate": [peer("a", "Resume uploads", foundation=foundation.key)]},
    )  # fmt: skip
    assert (await consolidate.handle(again)).output["foundation"] == foundation.key


async def test_two_that_overlap_are_no_reason_for_a_foundation() -> None:
    a = peer("a", "Resume uploads", overlaps=[entry("Mend the upload")])
    ctx = context("consolidate", overlaps=[], others={"scope": [a]})
    assert isinstance(await consolidate.handle(ctx), Skip)
    assert not ctx.emitted
