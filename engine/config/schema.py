"""The JSON Schema of jobs.yaml, for editors that complete and check while a person types."""

from __future__ import annotations

import ast
import inspect
import sys
from typing import Any, Final

from engine.config import model
from engine.config.values import Keys

_ATTRIBUTES: Final = {"validate": "check", "for": "later"}
"""Keys that are no good names for attributes of a model, with the attribute that stands for them."""


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) with the docstring of each key as its description."""
    schema = model.ProjectKeys.model_json_schema(mode="validation")
    docs = _field_docs()
    for title, part in (("ProjectKeys", schema), *schema.get("$defs", {}).items()):
        for name, field in part.get("properties", {}).items():
            if (attribute := _ATTRIBUTES.get(name, name)) in docs.get(title, {}):
                field["description"] = docs[title][attribute]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Rivus jobs.yaml",
    }


def _field_docs() -> dict[str, dict[str, str]]:
    """Return the string that stands under each field, by class and field."""
    found: dict[str, dict[str, str]] = {}
    modules = {name: sys.modules[name] for name in sorted(one.__module__ for one in Keys.__subclasses__())}
    nodes = [node for module in modules.values() for node in ast.parse(inspect.getsource(module)).body]
    for node in nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        fields = found.setdefault(node.name, {})
        for field, text in zip(node.body, node.body[1:], strict=False):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                    fields[name] = inspect.cleandoc(doc)
    return found
