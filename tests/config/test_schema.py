from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from engine.config.schema import json_schema
from engine.config.yaml_reader import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", ["jobs.yaml", "plugins/builtin.yaml"])
def test_real_files_fit_the_schema(validator: jsonschema.Draft202012Validator, name: str) -> None:
    validator.validate(read_yaml(ROOT / name).value)


def test_bare_stages_and_single_names_fit(validator: jsonschema.Draft202012Validator) -> None:
    validator.validate({"jobs": {"a": {"handler": "m.f", "stages": ["x", {"y": None}, {"z": {"after": "x"}}]}}})


@pytest.mark.parametrize(
    "job",
    [{"handlr": "m.f"}, {"handler": "m-f"}, {"handler": "m.f", "stages": [{"x": {"timeout": "5"}}]}, {"every": 10}],
)
def test_mistakes_do_not_fit(validator: jsonschema.Draft202012Validator, job: dict[str, object]) -> None:
    assert not validator.is_valid({"jobs": {"a": job}})


def test_every_key_has_a_description() -> None:
    schema = json_schema()
    for name, part in {"top": schema, **schema["$defs"]}.items():
        for key, field in part["properties"].items():
            assert field.get("description"), f"{name}.{key}"


def test_schema_is_json() -> None:
    assert json.loads(json.dumps(json_schema())) == json_schema()
