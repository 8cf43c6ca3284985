"""The project's source as the architecture tests see it: modules, their trees, and what each of them imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "plugins", "rivus_tui")


@dataclass(frozen=True, kw_only=True)
class Module:
    """One source file."""

    name: str
    """Dotted; a package has the name of its folder."""
    path: str
    """Relative to the root of the repository."""
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported module."""

    name: str
    """Dotted; for `from a.b import c` it is `a.b.c` where that is a module of the project, else `a.b`."""
    line: int
    deferred: bool
    """Whether it stands in a function, and so happens later than the module's own import."""

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    @property
    def is_third_party(self) -> bool:
        return self.top not in sys.stdlib_module_names and self.top not in PACKAGES


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the three packages."""
    return tuple(_read(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


def _read(path: Path) -> Module:
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    text = path.read_text(encoding="utf-8")
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name=name, path=relative.as_posix(), text=text, tree=ast.parse(text))


@cache
def imports(module: Module) -> list[Import]:
    """Return what a module imports, anywhere in it."""
    return list(_imports(module.tree, deferred=False))


@cache
def _names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def _imports(node: ast.AST, *, deferred: bool) -> Iterator[Import]:
    names = _names()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(name=alias.name, line=child.lineno, deferred=deferred)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                inner = f"{child.module}.{alias.name}"
                yield Import(name=inner if inner in names else child.module or "", line=child.lineno, deferred=deferred)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, deferred=deferred or inside)


def is_within(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def none(found: Iterable[str]) -> None:
    """Fail with one line for each thing that was found."""
    lines = sorted(set(found))
    assert not lines, "\n" + "\n".join(lines)
