"""The shape of a model's answer: from text to a checked value, whatever the text is.

A shape is a JSON Schema, a dataclass or a pydantic model. Answers are untrusted: the text is searched for one JSON
object, keys must not repeat, NaN and endless nesting are refused, and what the shape does not name is an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from engine.contracts.llm import Schema

ANSWER_LIMIT: Final = 1 << 20
"""Longest answer that is parsed, in characters."""
_DEPTH_LIMIT: Final = 64
_PROBLEMS: Final = 8
"""So many problems are told: enough for a repair."""
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Misfit(Exception):
    """An answer does not have the shape that was asked for; the message names each problem."""


def json_schema(shape: Schema) -> Mapping[str, Any]:
    """The JSON Schema of a shape, with every object closed: what it does not name is not allowed."""
    if isinstance(shape, Mapping):
        return _closed(shape)
    if hasattr(shape, "model_json_schema"):
        return _closed(shape.model_json_schema())
    from pydantic import TypeAdapter

    return _closed(TypeAdapter(shape).json_schema())


def read(text: str, schema: Mapping[str, Any]) -> Any:
    """Return the JSON value in an answer, checked; Misfit says what is wrong with it."""
    if len(text) > ANSWER_LIMIT:
        raise Misfit(f"the answer has {len(text):,} characters, {ANSWER_LIMIT:,} are read")
    value = _parse(text)
    problems = []
    for problem in _check(value, schema, schema, "the answer"):
        problems.append(problem)
        if len(problems) == _PROBLEMS:
            break
    if problems:
        raise Misfit("; ".join(problems))
    return value


def build(shape: Schema, value: Any) -> Any:
    """Make the dataclass or model of a checked value; Misfit where its own rules refuse it."""
    if isinstance(shape, Mapping):
        return value
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(shape).validate_python(value)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise Misfit("; ".join(told[:_PROBLEMS])) from error


# Parsing


def _parse(text: str) -> Any:
    body = _unfenced(text.strip())
    if _deepest(body) > _DEPTH_LIMIT:
        raise Misfit(f"the answer is nested deeper than {_DEPTH_LIMIT}")
    try:
        return json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except Misfit:
        raise
    except (ValueError, RecursionError) as error:
        raise Misfit(f"the answer is not JSON: {error}") from error


def _unfenced(text: str) -> str:
    """Take off a Markdown fence, or words before and after the one object."""
    if match := re.search(r"```(?:json|JSON)?[ \t]*\n(.*?)\n?```", text, re.DOTALL):
        return match[1].strip()
    if text[:1] in "{[":
        return text
    first, last = text.find("{"), text.rfind("}")
    return text[first : last + 1] if 0 <= first < last else text


def _deepest(text: str) -> int:
    depth = deepest = 0
    inside = False
    skip = False
    for char in text:
        if skip:
            skip = False
        elif inside:
            if char == "\\":
                skip = True
            elif char == '"':
                inside = False
        elif char == '"':
            inside = True
        elif char in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}]":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Misfit("the answer names a key twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Misfit(f"{name} is no JSON")


# Checking: the part of JSON Schema that shapes are made of


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    def close(value: Any) -> Any:
        if isinstance(value, Mapping):
            made = {key: close(inner) for key, inner in value.items()}
            if made.get("type") == "object" and isinstance(made.get("properties"), dict):
                made.setdefault("additionalProperties", False)
            return made
        return [close(inner) for inner in value] if isinstance(value, list | tuple) else value

    made: dict[str, Any] = close(schema)
    return made


def _check(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = {**_resolve(str(schema["$ref"]), root), **{k: v for k, v in schema.items() if k != "$ref"}}
    if "anyOf" in schema or "oneOf" in schema:
        options = schema.get("anyOf") or schema["oneOf"]
        if not any(not any(True for _ in _check(value, option, root, where)) for option in options):
            yield f"{where} fits none of the {len(options)} possible shapes"
        return
    for part in schema.get("allOf", ()):
        yield from _check(value, part, root, where)
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where} must be {schema['const']!r}"
    if "enum" in schema and not any(_same(value, option) for option in schema["enum"]):
        yield f"{where} must be one of {', '.join(map(json.dumps, schema['enum']))}"
        return
    kinds = schema.get("type")
    if kinds is not None:
        names = [kinds] if isinstance(kinds, str) else list(kinds)
        if not any(_is(value, name) for name in names):
            yield f"{where} must be {' or '.join(names)}, not {_name(value)}"
            return
    if isinstance(value, dict):
        yield from _check_object(value, schema, root, where)
    elif isinstance(value, list):
        yield from _check_length(len(value), schema, "Items", where, "entries")
        if isinstance(items := schema.get("items"), Mapping):
            for index, inner in enumerate(value):
                yield from _check(inner, items, root, f"{where}[{index}]")
    elif isinstance(value, str):
        yield from _check_length(len(value), schema, "Length", where, "characters")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where} does not match {schema['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(value, schema, where)


def _check_object(
    value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], where: str
) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where} lacks `{name}`"
    others = schema.get("additionalProperties", True)
    for name, inner in value.items():
        below = f"`{name}`" if where == "the answer" else f"{where}.{name}"
        if name in known:
            yield from _check(inner, known[name], root, below)
        elif isinstance(others, Mapping):
            yield from _check(inner, others, root, below)
        elif not others:
            yield f"{where} has a key `{name[:60]}` that nobody asked for"


def _check_length(n: int, schema: Mapping[str, Any], what: str, where: str, unit: str) -> Iterator[str]:
    if n < schema.get(f"min{what}", 0):
        yield f"{where} needs {schema[f'min{what}']} {unit} at least"
    if n > schema.get(f"max{what}", n):
        yield f"{where} has {n} {unit}, {schema[f'max{what}']} are allowed"


def _check_number(value: float, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if not math.isfinite(value):
        yield f"{where} is not a finite number"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where} must be {schema['minimum']} at least"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{where} must be {schema['maximum']} at most"


def _resolve(ref: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool) and name in ("integer", "number"):
        return False
    return isinstance(value, _TYPES.get(name, (object,)))


def _name(value: Any) -> str:
    return next((name for name in _TYPES if name != "number" and _is(value, name)), "number")
