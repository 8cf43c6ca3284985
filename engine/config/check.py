"""Read and check a configuration with YAML and pydantic; every problem is noted, all at once."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from engine.config.checked import Checked
from engine.config.document import KeyPath, Unreadable
from engine.config.model import ProjectKeys, StageKeys
from engine.config.problems import Problems
from engine.config.wording import key_path, sentence
from engine.config.yaml_reader import parse_yaml


def check(raw: bytes, problems: Problems) -> Checked | None:
    """Return what the file says, without what is wrong in it; None when nothing is left of it. Each flaw is noted."""
    try:
        document = parse_yaml(raw)
    except Unreadable as error:
        problems.unreadable(error)
        raise
    problems.read(document)
    if not isinstance(document.value, dict):
        what = "is empty" if document.value is None else "must start with keys, such as `jobs:`"
        problems.add_file(what, line=None if document.value is None else 1)
        problems.check()
    keys = _validate(document.value, problems)
    return Checked(document, keys, StageKeys()) if keys is not None else None


def _validate(value: dict[str, Any], problems: Problems) -> ProjectKeys | None:
    """Return the file as models; what is wrong is noted and taken out of `value`, so that the rest is cross-checked."""
    while True:
        try:
            return ProjectKeys.model_validate(value)
        except ValidationError as error:
            wrong: set[KeyPath] = set()
            for detail in error.errors(include_url=False):
                path = key_path(detail["loc"])
                if not problems.has(path):
                    problems.add(path, sentence(detail))
                wrong.add(path[:-1] if detail["type"] == "missing" else path)
            pruned: set[KeyPath] = set()
            for path in sorted(wrong, key=len):
                if any(path[: len(gone)] == gone for gone in pruned):
                    continue  # it went with what stood around it
                if (gone := _prune(value, path)) is None:
                    return None
                pruned.add(gone)


def _prune(value: Any, path: KeyPath) -> KeyPath | None:
    """Take out what stands at `path` and return the place of what was taken; None when there is nothing.

    Of a list it is the whole list, so that the other indices keep their meaning.
    """
    parents: list[tuple[Any, str]] = []
    places: list[KeyPath] = []
    for depth, part in enumerate(path):
        if isinstance(value, dict) and isinstance(part, str) and part in value:
            parents.append((value, part))
            places.append(path[: depth + 1])
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
    if not parents:
        return None
    holder, key = parents[-1]
    holder.pop(key, None)
    return places[-1]
