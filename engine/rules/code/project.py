"""The modules of a project, and what a name in one of them leads to, through imports and re-exports."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from engine.contracts.values import dataclass
from engine.rules.code.imports import QUIET_MODULES
from engine.rules.code.module import Import, Module, Source, parse

BUILTINS: Final = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__package__", "__spec__"}
Load: TypeAlias = Callable[[str], "Source | None"]
"""Dotted name of a module → its source; None when it is not the project's own."""


class Symbol(NamedTuple):
    """A name bound in a module of the project; a tuple, because sets of them are asked at every name of the code."""

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
        """What statements change (`registering`), by `id`: asked again for every stage."""
        self.calls: dict[int, list[Symbol]] = {}
        """What a function or a class calls, by its `id`."""
        self.at_import: dict[int, tuple[list[Symbol], list[Symbol]]] = {}
        """What a statement changes, and what it names beside a call, when its module is imported."""
        self.deferred: dict[Symbol, bool] = {}
        """Whether a call of a function only returns a coroutine or a generator."""
        self.guessed: dict[Symbol, set[str]] = {}
        """What was found beside, though it was imported from a module that is not there; with the module's names."""
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

    def member(self, target: Target, attribute: str, of: Module) -> Target | None:
        """Return what `target.attribute` in module `of` leads to, for a module; None when the target is a value."""
        if isinstance(target, External):
            inner = f"{target.dotted}.{attribute}"
            if self.module(inner) is not None:
                return Within(inner)
            return self._guessed(of, target.dotted, attribute) or External(inner)
        if isinstance(target, Within):
            given = self._guessed(of, target.module, attribute) if of.name in self._beside else None
            if given is not None:
                return given
            module = self.module(target.module)
            if module is not None and (attribute in module.bindings or attribute in module.imports):
                return self.resolve(module, attribute)
            inner = f"{target.module}.{attribute}"
            if self.module(inner) is not None:
                return Within(inner)
            if module is None:  # a folder without __init__
                return Within(inner)
            return self._made(module, attribute) or self.resolve(module, attribute)
        return None

    def imported(self, found: Import, of: Module) -> Target:
        """Return what an import in module `of` leads to."""
        if found.name is None:
            return Within(found.module) if self._is_own(found.module) else External(found.module)
        given = self._guessed(of, found.module, found.name) if of.name in self._beside else None
        if given is not None:  # what was given for this side, whatever file of that name lies about
            return given
        module = self.module(found.module)
        if module is not None and (found.name in module.bindings or found.name in module.imports or module.stars):
            return self.resolve(module, found.name)
        inner = f"{found.module}.{found.name}"
        if self.module(inner) is not None:
            return Within(inner)
        if module is not None:
            return self._made(module, found.name) or self.resolve(module, found.name)
        return External(inner)

    def beside(self, module: Module) -> list[Module]:
        """Return the modules that a module sees without imports."""
        others = (self.module(name) for name in self._beside if name != module.name)
        return [other for other in others if other is not None]

    def _guessed(self, module: Module, dotted: str, name: str) -> Target | None:
        """Look beside for what is imported from a module that is not there."""
        if not self._beside or dotted in self._beside or dotted.partition(".")[0] in QUIET_MODULES:
            return None
        for other in self.beside(module):
            found = Symbol(other.name, name) if name in other.bindings else self._made(other, name)
            if found is not None:
                self.guessed.setdefault(found, set()).add(dotted)
                return found
        return None

    def _made(self, module: Module, name: str) -> Symbol | None:
        """A module's own `__getattr__` makes what the module does not bind."""
        known = name in module.bindings or name in module.imports or module.stars
        return None if known or "__getattr__" not in module.bindings else Symbol(module.name, "__getattr__")

    def _found_beside(self, module: Module, name: str) -> Target | None:
        for other in self.beside(module):
            if name in other.bindings:
                return Symbol(other.name, name)
            if name in other.imports:
                return self.imported(other.imports[name], other)
        return None

    def rebound(self, module: Module, name: str) -> list[Symbol]:
        """Return what an `import *` below the binding of a name may bind it to instead, with what decides that."""
        places = [module.order.get(id(statement), 0) for statement in module.bindings.get(name, ())]
        stars = [star for star, place in module.star_places if places and place > max(places)]
        found: list[Symbol] = []
        for star in stars:
            other = self.module(star)
            for source in [other] if other is not None else self.beside(module):
                found.extend(Symbol(source.name, each) for each in (name, "__all__") if each in source.bindings)
        return found

    def _is_own(self, name: str) -> bool:
        return self.module(name) is not None

    def _resolved(self, module: Module, name: str) -> Target:
        if module.problem is not None:
            return Unknown(name, module.problem)
        if name in module.bindings:
            return Symbol(module.name, name)
        found = module.imports.get(name) or module.typing_only.get(name)
        if found is not None:
            return self.imported(found, module)
        doubt = None
        for star in reversed(module.stars):
            other = self.module(star)
            if other is not None and (name in other.bindings or name in other.imports):
                return self.resolve(other, name)
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
