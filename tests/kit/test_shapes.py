"""Answers of models are untrusted text: what fits comes through, whatever does not is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from engine.kit.shapes import Misfit, build, json_schema, read


@dataclass(frozen=True)
class Verdict:
    kind: Literal["cosmetic", "semantic"]
    reason: str
    sure: int = 3


class Model(BaseModel):
    kind: Literal["cosmetic", "semantic"]
    inner: list[dict[str, int]] = []


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"enum": ["cosmetic", "semantic"]}, "n": {"type": "integer", "minimum": 0}},
    "required": ["kind"],
}
GOOD = '{"kind": "cosmetic", "n": 1}'


@pytest.mark.parametrize(
    "text",
    [GOOD, f"```json\n{GOOD}\n```", f"Here you are:\n\n{GOOD}\n\nAnything else?", f"```\n{GOOD}\n```\n"],
)
def test_one_object_is_found(text: str) -> None:
    assert read(text, json_schema(SCHEMA)) == {"kind": "cosmetic", "n": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("I cannot do that.", "not JSON"),
        ('{"kind": "cosm', "not JSON"),
        ('{"kind": "odd"}', "must be one of"),
        ('{"n": 1}', "lacks `kind`"),
        ('{"kind": "cosmetic", "n": "1"}', "must be integer, not string"),
        ('{"kind": "cosmetic", "n": true}', "must be integer, not boolean"),
        ('{"kind": "cosmetic", "n": -1}', "0 at least"),
        ('{"kind": "cosmetic", "extra": 1}', "nobody asked for"),
        ('{"kind": "cosmetic", "kind": "semantic"}', "a key twice"),
        ('{"kind": "cosmetic", "n": NaN}', "NaN"),
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 100_000, "nested deeper"),
        ('["cosmetic"]', "must be object, not array"),
        ("x" * 2_000_000, "characters"),
    ],
)
def test_misfit_is_named(text: str, problem: str) -> None:
    with pytest.raises(Misfit, match=problem):
        read(text, json_schema(SCHEMA))


def test_dataclass_comes_back_as_itself() -> None:
    schema = json_schema(Verdict)
    value = read('{"kind": "semantic", "reason": "a prompt changed"}', schema)
    assert build(Verdict, value) == Verdict("semantic", "a prompt changed")
    with pytest.raises(Misfit, match="nobody asked for"):
        read('{"kind": "semantic", "reason": "", "more": 1}', schema)


def test_pydantic_model_comes_back_as_itself() -> None:
    value = read('{"kind": "semantic", "inner": [{"a": 1}]}', json_schema(Model))
    assert build(Model, value).inner == [{"a": 1}]


def test_reference_is_followed() -> None:
    @dataclass
    class Outer:
        inner: list[Verdict]

    with pytest.raises(Misfit, match=r"inner.*lacks `reason`"):
        read('{"inner": [{"kind": "semantic"}]}', json_schema(Outer))
