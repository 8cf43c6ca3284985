"""What task runners offer: targets of a Makefile, scripts of package.json, recipes, tasks."""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from plugins.checks.repository import Repository

MAKEFILES: Final = ("GNUmakefile", "makefile", "Makefile")
JUSTFILES: Final = ("justfile", "Justfile", ".justfile")
TASKFILES: Final = ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml")

_INCLUDE: Final = re.compile(r"^(-|s)?include\s+(.+)$")
_MAKE_RULE: Final = re.compile(r"^([^\t #:=][^#:=]*?)\s*::?(?!=)(?!:?=)(.*)$")
_PHONY: Final = re.compile(r"^\.PHONY\s*:\s*(.*)$")
_JUST_RECIPE: Final = re.compile(r"^@?([A-Za-z_][\w-]*)(?:\s+[^:]*)?:(?!=)")
_JUST_ALIAS: Final = re.compile(r"^alias\s+([\w-]+)\s*:=")
_TASK: Final = re.compile(r"^(\s+)[\"']?([\w:*.-]+?)[\"']?:(?:\s|$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """What one file offers."""

    path: str
    names: frozenset[str]
    open: bool = False
    """Whether there may be more: it includes, imports or computes what this reading does not follow."""


def make_targets(repository: Repository, path: str) -> Targets:
    """Targets of a Makefile and of the files it includes; open where names are computed or any name is accepted."""
    names: set[str] = set()
    unknown = False
    waiting = [path]
    read: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current in read:
            continue
        read.add(current)
        text = re.sub(r"\\\n\s*", " ", repository.text(current))
        if not text.strip() or re.search(r"\$\((?:eval|foreach|call)\b|^define\s", text, re.M):
            unknown = True
        for line in text.splitlines():
            if line.startswith("\t"):
                continue
            if include := _INCLUDE.match(line.strip()):
                for name in include[2].split("#")[0].split():
                    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                    if target in repository.files:
                        waiting.append(target)
                    elif not (include[1] and re.fullmatch(r"[\w./-]*\.?env[\w.]*", name)):
                        unknown = True
                continue
            found = _PHONY.match(line) or _MAKE_RULE.match(line)
            if not found:
                continue
            for name in found[1].split():
                if "$" in name or "%" in name:
                    unknown = True
                elif re.fullmatch(r"[\w./-]+", name):
                    names.add(name)
    return Targets(path=path, names=frozenset(names), open=unknown or not names)


def npm_scripts(repository: Repository, path: str) -> Targets:
    """Scripts of a package.json; open when it cannot be read as JSON."""
    try:
        scripts = json.loads(repository.text(path)).get("scripts", {})
        return Targets(path=path, names=frozenset(scripts))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return Targets(path=path, names=frozenset(), open=True)


def just_recipes(repository: Repository, path: str) -> Targets:
    """Recipes and aliases of a justfile; open when it imports, has modules or falls back to the folder above."""
    names: set[str] = set()
    text = repository.text(path)
    for line in text.splitlines():
        if found := _JUST_ALIAS.match(line) or _JUST_RECIPE.match(line):
            names.add(found[1])
    unknown = bool(re.search(r"^(?:import|mod)\??\s|^set\s+fallback", text, re.M)) or not names
    return Targets(path=path, names=frozenset(names), open=unknown)


def task_names(repository: Repository, path: str) -> Targets:
    """Tasks of a Taskfile; open when it includes others."""
    names: set[str] = set()
    text = repository.text(path)
    indent: str | None = None
    inside = False
    for line in text.splitlines():
        if re.match(r"\S", line) and not line.startswith("#"):
            inside, indent = line.startswith("tasks:"), None
        elif inside and (found := _TASK.match(line)):
            indent = indent if indent is not None else found[1]
            if found[1] == indent:
                names.add(found[2])
    unknown = bool(re.search(r"^includes:|^\s+aliases:", text, re.M)) or any("*" in name for name in names) or not names
    return Targets(path=path, names=frozenset(names), open=unknown)


def invoke_tasks(repository: Repository, path: str) -> Targets:
    """Tasks of an invoke `tasks.py`; open when it builds collections."""
    try:
        tree = ast.parse(repository.text(path))
    except (SyntaxError, ValueError, RecursionError):
        return Targets(path=path, names=frozenset(), open=True)
    names: set[str] = set()
    unknown = any(isinstance(node, ast.Name) and node.id == "Collection" for node in ast.walk(tree))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _has_task(node.decorator_list):
            names.update((node.name, node.name.replace("_", "-")))
        elif isinstance(node, ast.ImportFrom) and node.module != "invoke" and node.level > 0:
            unknown = True
    named = any(
        "name=" in ast.unparse(one)
        for node in tree.body
        if hasattr(node, "decorator_list")
        for one in node.decorator_list
    )
    return Targets(path=path, names=frozenset(names), open=unknown or named or not names)


def _has_task(decorators: Iterable[ast.expr]) -> bool:
    return any(ast.unparse(one).split("(")[0].rpartition(".")[2] == "task" for one in decorators)
