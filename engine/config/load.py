"""From a file to a ProjectSpec: read, validate, cross-check, resolve. Every problem is reported, all at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.config.build import build_project
from engine.config.find import builtin_config
from engine.config.model import ProjectKeys
from engine.config.power import power_of
from engine.config.problems import Problems
from engine.config.resolve import Resolver
from engine.config.wording import key_path, sentence
from engine.config.yaml_reader import KeyPath, Unreadable, read_yaml
from engine.contracts.errors import Untrusted
from engine.contracts.spec import ProjectSpec


def load_project(path: Path | None, root: Path, *, builtin: Path | None = None, trusted: bool = True) -> ProjectSpec:
    """Load a jobs.yaml, or the built-in jobs when `path` is None (from `builtin`, or the file beside the engine).

    `root` is the folder that relative paths in the jobs start from. What handlers are made of is imported here; one
    that does not import makes its job `broken`. ConfigError carries every other problem, and then nothing is applied.
    Where the file is not `trusted`, Untrusted says what of it needs that: code that is not part of Rivus, or a power.
    Blocks for as long as reading and importing take: call it outside an event loop, or in a thread.
    """
    file = path if path is not None else builtin or builtin_config()
    problems = Problems(file)
    try:
        document = read_yaml(file)
    except Unreadable as error:
        for flaw in error.flaws:
            if flaw.path:
                problems.add(flaw.path, flaw.message, line=flaw.line)
            else:
                problems.add_file(flaw.message, line=flaw.line)
        problems.check()
        raise
    problems.read(document)
    if not isinstance(document.value, dict):
        what = "is empty" if document.value is None else "must start with keys, such as `jobs:`"
        problems.add_file(what, line=None if document.value is None else 1)
        problems.check()
    keys = _validate(document.value, problems)
    resolver = Resolver(path.parent.absolute() if path is not None else None, trusted=trusted)
    project = build_project(keys, problems, resolver, root=root, source=path) if keys is not None else None
    problems.check()
    assert project is not None  # without keys there was a problem
    if path is not None and not trusted and (power := power_of(project, resolver)):
        raise Untrusted(f"{path}: {power}, and nobody has said yet that it may: look at it, then pass --trust once")
    return replace(project, trusted=trusted)


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
