"""The modules of a project, and what a name in one of them leads to, through imports and re-exports."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from engine.rules.code.module import Import, Module, Source, parse

BUILTINS: Final = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__package__", "__spec__"}
Load: TypeAlias = Callable[[str], "Source | None"]
"""Dotted name of a module → its source; None when it is not the project's own."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name bound in a module of the project."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class External:
    """Something of another package, by its dotted name."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Within:
    """A module of the project itself."""

    module: str


@dataclass(frozen=True, slots=True)
class Builtin:
    """A name of Python itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that nothing seen here binds; `doubt` says why something unseen may bind it."""

    name: str
    doubt: str | None = None


Target: TypeAlias = Symbol | External | Within | Builtin | Unknown


class Project:
    """Modules by name, parsed once each."""

    def __init__(self, load: Load, beside: tuple[str, ...] = ()) -> None:
        """`beside` names modules whose symbols are seen by each other without imports (`--old-deps`)."""
        self._load = load
        self._beside = beside
        self._modules: dict[str, Module | None] = {}
        self._targets: dict[tuple[str, str], Target] = {}
        self.memo: dict[tuple[int, bool], list[Symbol]] = {}
        """What statements change (`units`), by `id`: asked again for every stage."""
        self.lenses: dict[int, Any] = {}
        """What `lens_on` made, by the `id` of the statement."""

    def module(self, name: str) -> Module | None:
        """Return a module of the project; None for any other."""
        if name not in self._modules:
            source = self._load(name)
            self._modules[name] = None if source is None else parse(name, source)
        return self._modules[name]

    def resolve(self, module: Module, name: str) -> Target:
        """Return what a global name of `module` leads to."""
        key = (module.name, name)
        target = self._targets.get(key)
        if target is None:
            self._targets[key] = Unknown(name, f"{name} is imported in a circle")
            target = self._targets[key] = self._resolved(module, name)
        return target

    def member(self, target: Target, attribute: str) -> Target | None:
        """Return what `target.attribute` leads to, for a module; None when the target is a value."""
        if isinstance(target, External):
            inner = f"{target.dotted}.{attribute}"
            if self.module(inner) is not None:
                return Within(inner)
            return self._found_beside(None, attribute) or External(inner)
        if isinstance(target, Within):
            module = self.module(target.module)
            if module is not None and (attribute in module.bindings or attribute in module.imports):
                return self.resolve(module, attribute)
            inner = f"{target.module}.{attribute}"
            if self.module(inner) is not None:
                return Within(inner)
            if module is None:  # a folder without __init__
                return Within(inner)
            return self.resolve(module, attribute)
        return None

    def imported(self, found: Import) -> Target:
        """Return what an import leads to."""
        if found.name is None:
            return Within(found.module) if self._is_own(found.module) else External(found.module)
        module = self.module(found.module)
        if module is not None and (found.name in module.bindings or found.name in module.imports or module.stars):
            return self.resolve(module, found.name)
        inner = f"{found.module}.{found.name}"
        if self.module(inner) is not None:
            return Within(inner)
        if module is not None:
            return self.resolve(module, found.name)
        return self._found_beside(None, found.name) or External(inner)

    def _found_beside(self, module: Module | None, name: str) -> Target | None:
        for other in self._beside:
            beside = self.module(other)
            if beside is None or beside is module:
                continue
            if name in beside.bindings:
                return Symbol(other, name)
            if module is not None and name in beside.imports:
                return self.imported(beside.imports[name])
        return None

    def _is_own(self, name: str) -> bool:
        return self.module(name) is not None

    def _resolved(self, module: Module, name: str) -> Target:
        if module.problem is not None:
            return Unknown(name, module.problem)
        if name in module.bindings:
            return Symbol(module.name, name)
        found = module.imports.get(name) or module.typing_only.get(name)
        if found is not None:
            return self.imported(found)
        doubt = None
        for star in module.stars:
            other = self.module(star)
            if other is not None and name in other.bindings:
                return Symbol(other.name, name)
            if name not in BUILTINS or other is None:
                doubt = f"`from {star} import *` may bind {name}"
        beside = self._found_beside(module, name)
        if beside is not None:
            return beside
        if doubt is None and name in BUILTINS:
            return Builtin(name)
        if doubt is None and "__getattr__" in module.bindings:
            doubt = f"{module.name} makes {name} by its __getattr__"
        return Unknown(name, doubt)
