"""Rules of triage while the engine runs: they see what begins to wait, act where they may, and follow a reload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.contracts.steering import Condition, TriageRule
from engine.contracts.view import ItemDetail
from engine.kit.clock import ManualClock
from tests.factories import Rig, candidate, job, stage


async def nothing(_ctx: Any) -> dict[str, int]:
    return {}


def detail(it: Rig, key: str) -> ItemDetail:
    found = it.reader.item("docs", key)
    assert found is not None
    return found


def rule(do: Any, folder: str, *, auto: bool = False) -> TriageRule:
    return TriageRule(name="1", do=do, when=(Condition(field="path", within=(folder,)),), auto=auto)


def rig(folder: Path, *rules: TriageRule, clock: ManualClock | None = None) -> Rig:
    spec = job(
        "docs", stage("context", handler="nothing"),
        stage("brief", after=["context"], gate="accept", handler="nothing"), triage=rules,
    )  # fmt: skip
    return Rig(folder, spec, functions={"nothing": nothing}, clock=clock)


async def test_what_begins_to_wait_is_judged_and_a_drain_waits_for_what_rules_do(tmp_path: Path) -> None:
    async with rig(tmp_path, rule("accept", "src", auto=True), rule("drop", "docs")) as it:
        await it.add(candidate("a", path="src/a.py"), candidate("b", path="docs/b.md"), candidate("c", path="c.md"))
        await it.drained()
        assert it.states("a") == {"a": "done", "context": "done", "brief": "done"}
        assert {one: it.states(one)["brief"] for one in "bc"} == {"b": "waiting", "c": "waiting"}
        await it.until(lambda: detail(it, "b").item.proposed == "drop")
        assert detail(it, "c").item.proposed is None
        assert detail(it, "b").steering.proposed_why == "rule 1: path is docs/b.md (within docs)"
        await it.command("triage", job="docs", keys=["b"])
        assert detail(it, "b").item.state == "dropped"


async def test_other_rules_propose_anew_and_do_nothing_by_themselves_to_what_was_seen(tmp_path: Path) -> None:
    clock = ManualClock()
    async with rig(tmp_path, rule("drop", "docs"), clock=clock) as it:
        await it.add(candidate("b", path="docs/b.md"))
        await it.until(lambda: detail(it, "b").item.proposed == "drop")
    clock.advance(1)
    async with rig(tmp_path, rule("accept", "docs", auto=True), clock=clock) as it:
        await it.until(lambda: detail(it, "b").item.proposed == "accept")
        await it.drained()
        assert detail(it, "b").item.state == "waiting"
    async with rig(tmp_path, clock=clock) as it:
        await it.until(lambda: detail(it, "b").item.proposed is None)
