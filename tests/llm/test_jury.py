"""Juries: compared, stored, and honest about who disagrees and who is missing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from engine.rules.jury import decide, labels, rank
from tests.llm.house import House, backend, model, run_virtually
from tests.llm.test_gateway import Kind

KINDS = ("cosmetic", "semantic")


def _house(folder: Path, clock: Any = None) -> House:
    names = ("a", "b", "c")
    return House(
        folder,
        clock=clock,
        backends=[backend(name) for name in names],
        models=[model(name, f"{name}/m") for name in names],
    )


@pytest.mark.parametrize(
    ("votes", "more", "expected"),
    [
        (["x", "x", "y"], {}, ("x", 2 / 3, "majority")),
        (["x", "y", "z"], {}, (None, 1 / 3, "no majority")),
        (["x", "y"], {}, (None, 1 / 2, "no majority")),
        (["x"], {}, (None, 0.0, "no quorum")),
        (["x", "x"], {"quorum": 2}, ("x", 1.0, "majority")),
        (["P0", "P1", "P3"], {"scale": ["P0", "P1", "P2", "P3"]}, ("P1", 1 / 3, "median")),
        (["P0", "P3"], {"scale": ["P0", "P1", "P2", "P3"]}, ("P3", 1 / 2, "median")),
        (["cosmetic", "cosmetic", "semantic"], {"decisive": "semantic"}, ("semantic", 1 / 3, "one vote decides")),
        (["semantic"], {"decisive": "semantic"}, ("semantic", 1.0, "one vote decides")),
        (["cosmetic"], {"decisive": "semantic"}, (None, 0.0, "no quorum")),
        ([], {}, (None, 0.0, "no quorum")),
    ],
)
def test_votes_are_compared(votes: list[Any], more: dict[str, Any], expected: tuple[Any, float, str]) -> None:
    found = decide(votes, asked=3, **more)
    assert (found.value, found.agreement, found.how) == expected


def test_ranking_counts_others_only() -> None:
    found = rank({"a": ["b", "c"], "b": ["b", "c", "a", "zz"], "c": ["b", "b", "a"]}, ["a", "b", "c"])
    assert found[0][0] == "b"
    assert dict(found)["b"] == 1.0
    shuffled = {tuple(labels(["a", "b", "c"], random.Random(seed)).values()) for seed in range(20)}
    assert len(shuffled) > 3


async def test_majority_is_found_and_every_ballot_stored(tmp_path: Path) -> None:
    house = await _house(tmp_path).open({"a": [{"kind": "x"}], "b": [{"kind": "y"}], "c": [{"kind": "x"}]})
    found = await house.door("docs").jury(
        "which?", members=["a", "b", "c"], schema=Kind, decide="kind", purpose="triage"
    )
    assert (found.value, found.how) == ("x", "majority")
    assert found.agreement == pytest.approx(2 / 3, abs=0.001)
    assert [ballot.member for ballot in found.dissent] == ["b"]
    assert house.rows("SELECT purpose, how, value FROM juries") == [("triage", "majority", '"x"')]
    assert house.rows("SELECT member, model, text FROM ballots ORDER BY n") == [
        ("a", "a/m", '{"kind": "x"}'),
        ("b", "b/m", '{"kind": "y"}'),
        ("c", "c/m", '{"kind": "x"}'),
    ]


def test_quorum_goes_on_without_the_slowest(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await _house(tmp_path, clock).open({"a": [{"kind": "x"}], "b": [{"kind": "x"}], "c": [{"hang": True}]})
        found = await house.door().jury("which?", members=["a", "b", "c"], schema=Kind, decide="kind", deadline_s=20)
        assert (found.value, found.agreement) == ("x", 1.0)
        (late,) = [ballot for ballot in found.ballots if ballot.error]
        assert (late.member, late.error) == ("c", "no answer within 20 s")
        assert clock.monotonic() - 1_000 <= 21
        await house.gateway.chores.done()
        assert house.rows("SELECT count(*) FROM model_calls WHERE state = 'reserved'") == [(0,)]

    run_virtually(main)


async def test_disagreement_is_no_consensus(tmp_path: Path) -> None:
    house = await _house(tmp_path).open({"a": [{"kind": "x"}], "b": [{"kind": "y"}], "c": ["nonsense"]})
    found = await house.door().jury("which?", members=["a", "b", "c"], schema=Kind, decide="kind")
    assert (found.value, found.how) == (None, "no majority")
    assert "missed the shape twice" in str(found.ballots[2].error)


async def test_prose_is_ranked_by_the_others(tmp_path: Path) -> None:
    def ranks(own: str) -> Any:
        def script(sent: Any, _n: int) -> Any:
            asked = sent.messages[-1].content
            if "Rank these" not in asked:
                return f"{own} says {'much' if own == 'b' else 'little'}"
            label = next(line for line in asked.splitlines() if "label=" in line)
            parts = asked.split("<answer label=")[1:]
            best = sorted(parts, key=lambda part: "much" not in part)
            assert label
            return {"ranking": [part[0] for part in best]}

        return script

    house = await _house(tmp_path).open({name: ranks(name) for name in "abc"})
    found = await house.door().jury("write", members=["a", "b", "c"], schema=None, decide="")
    assert (found.value, found.how) == ("b says much", "ranking")
    assert found.agreement == 1.0
    for name in "abc":
        ranked = house.backends[name].sent[-1].messages[-1].content
        assert f"{name} says" not in ranked  # nobody ranks its own
