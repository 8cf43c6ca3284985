from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.contracts.item import Candidate
from engine.contracts.outcome import Artifact, Ask, Done, Fail, Later, Skip
from engine.kit.frames import LENGTH, FrameError
from engine.work.wire import (
    FRAME_LIMIT,
    decode_emitted,
    decode_outcome,
    encode_emitted,
    encode_outcome,
    pack,
)

CANDIDATE = Candidate(
    key="c", title="C", data={"x": [1]}, revision="1", closed="done", why="w", priority=2, path="a.md", line=3,
    headings=("H", "I"), parent_key="p", confidence="low",
)  # fmt: skip


@pytest.mark.parametrize(
    "outcome",
    [
        Done(),
        Done(
            output={"a": [1, None, "ü"]},
            cost_usd_micros=5,
            artifacts=(Artifact(path="x", type="t"),),
            emit=(("docs", CANDIDATE),),
        ),
        Later("busy", after=1.5),
        Later("busy", after="10m"),
        Later("closed", when=datetime(2026, 1, 5, 9, tzinfo=UTC)),
        Skip(why="no"),
        Ask(question="which?", choices=("a", "b")),
        Fail(why="gone"),
        Fail(why="gone", kind="SessionRejected"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_outcome_goes_over_the_wire_and_back(outcome: Any) -> None:
    raw = pack(encode_outcome(outcome))
    assert LENGTH.unpack(raw[: LENGTH.size]) == (len(raw) - LENGTH.size,)
    assert decode_outcome(json.loads(raw[LENGTH.size :])) == outcome


def test_dict_arrives_as_done() -> None:
    assert decode_outcome(encode_outcome({"a": 1})) == Done(output={"a": 1})


@pytest.mark.parametrize(("value", "name"), [(None, "NoneType"), (5, "int"), ([1], "list")])
def test_what_is_no_outcome_arrives_by_its_name(value: object, name: str) -> None:
    assert type(decode_outcome(encode_outcome(value))).__name__ == name


def test_emitted_items_go_over_the_wire_and_back() -> None:
    assert decode_emitted(json.loads(json.dumps(encode_emitted([("docs", CANDIDATE)])))) == [("docs", CANDIDATE)]


@pytest.mark.parametrize("value", [float("nan"), {1}, b"x"])
def test_what_is_not_json_is_not_packed(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        pack({"value": value})


def test_frame_has_a_limit() -> None:
    with pytest.raises(FrameError, match="go into one message"):
        pack({"x": "y" * FRAME_LIMIT})
