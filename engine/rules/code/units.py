"""The parts in which code is fingerprinted: a function, a constant, the head of a class and each of its methods, and
what a module does when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.imports import QUIET_MODULES
from engine.rules.code.lens import Lens
from engine.rules.code.module import Module
from engine.rules.code.nodes import walk
from engine.rules.code.project import Project, Symbol
from engine.rules.code.registering import evaluated

EFFECTS: Final = "<import>"
"""Name of the part that holds what a module does when it is imported."""
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_PURE_CALLS: Final = frozenset(
    {"builtins.dict", "builtins.list", "builtins.set", "builtins.tuple", "builtins.frozenset", "builtins.str"}
    | {"builtins.int", "builtins.float", "builtins.len", "builtins.range", "builtins.sorted", "builtins.bool"}
    | {"builtins.bytes", "builtins.min", "builtins.max", "builtins.sum"}
)
_QUIET_MAKERS: Final = frozenset(
    {
        "re",
        "logging",
        "pathlib",
        "datetime",
        "typing",
        "dataclasses",
        "functools",
        "contextlib",
        "textwrap",
        "enum",
        "abc",
    }
    | {"collections", "os", "decimal", "string", "structlog", "loguru", "operator"}
)
"""Modules whose functions make values and do nothing else; as decorators they keep nothing."""


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """One part: its name, and the statements it is made of."""

    symbol: Symbol
    """A method's name is `Class.method`."""
    statements: tuple[ast.stmt, ...]
    is_header: bool = False
    words: tuple[str, ...] = ()
    """What it says besides its statements."""


def units_of(project: Project, symbol: Symbol) -> list[Unit]:
    """Return the parts of a symbol: several for a class, none for what is not bound."""
    module = project.module(symbol.module)
    if module is None:
        return []
    statements = module.bindings.get(symbol.name, [])
    also = module.imports.get(symbol.name)
    words = (f"bound to {also.module}:{also.name}",) if also is not None and statements else ()
    if len(statements) != 1 or not isinstance(statements[0], ast.ClassDef):
        return [Unit(symbol, tuple(statements), words=words)] if statements else []
    definition = statements[0]
    found = [Unit(symbol, (definition,), is_header=True, words=words)]
    methods: dict[str, list[ast.stmt]] = {}
    for statement in definition.body:
        if isinstance(statement, _FUNCTIONS):
            methods.setdefault(statement.name, []).append(statement)
    for name, definitions in methods.items():
        found.append(Unit(Symbol(symbol.module, f"{symbol.name}.{name}"), tuple(definitions)))
    return found


def effects_of(project: Project, module: Module) -> tuple[Unit, list[str]]:
    """Return what importing a module does, and which modules of the project it imports only for what that does."""
    idle = [name for name in module.idle_imports if project.module(name) is None]
    loud = sorted({name for name in idle if name.partition(".")[0] not in QUIET_MODULES})
    own = [name for name in module.idle_imports if project.module(name) is not None]
    unit = Unit(Symbol(module.name, EFFECTS), tuple(module.effects), words=tuple(f"imports {name}" for name in loud))
    return unit, own


def acting_order(module: Module, units: list[Unit], lens_of: Callable[[Unit, ast.stmt], Lens]) -> list[str]:
    """Return the names of what acts when a module is imported, in order; what only binds a value has no order."""
    several = any(len(unit.statements) > 1 for unit in units if unit.symbol.name != EFFECTS)
    effects = any(unit.symbol.name == EFFECTS and unit.statements for unit in units)
    places: list[tuple[int, str]] = []
    for unit in units:
        for index, statement in enumerate(unit.statements):
            place = module.order.get(id(statement), 0)
            if unit.symbol.name == EFFECTS:
                places.append((place, f"{EFFECTS} {index}"))
            elif (
                len(unit.statements) > 1
                or ((several or effects) and not _is_fixed(statement))
                or _acts(lens_of, unit, statement)
            ):
                places.append((place, unit.symbol.name))
    return [name for _, name in sorted(places)]


def _is_fixed(statement: ast.stmt) -> bool:
    """Whether a statement binds something that does not depend on what ran before it."""
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return True
    value = getattr(statement, "value", None)
    return value is not None and not any(isinstance(n, (ast.Name, ast.Call)) for n in walk(value))


def _acts(lens_of: Callable[[Unit, ast.stmt], Lens], unit: Unit, statement: ast.stmt) -> bool:
    """Whether binding a name may do something that others notice."""
    lens = lens_of(unit, statement)
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        made = (n.func for n in evaluated(statement, lens.module.quoted_annotations) if isinstance(n, ast.Call))
        if any(isinstance(lens.target(func), Symbol) for func in made):
            return True
        decorators = (d.func if isinstance(d, ast.Call) else d for d in statement.decorator_list)
        return any((lens.dotted(d) or "").partition(".")[0] not in _QUIET_MAKERS for d in decorators)
    for node in lens.nodes:
        if isinstance(node, ast.Call):
            dotted = lens.dotted(node.func) or ""
            if dotted not in _PURE_CALLS and dotted.partition(".")[0] not in _QUIET_MAKERS:
                return not (isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant))
    return False
