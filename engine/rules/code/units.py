"""The parts in which code is fingerprinted: a function, a constant, the head of a class and each of its methods, and
what a module does when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.imports import QUIET_MODULES
from engine.rules.code.lens import Lens, lens_on
from engine.rules.code.module import Module
from engine.rules.code.nodes import walk
from engine.rules.code.project import Project, Symbol, Within

EFFECTS: Final = "<import>"
"""Name of the part that holds what a module does when it is imported."""
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_CHANGING: Final = frozenset(
    {"append", "add", "update", "setdefault", "extend", "insert", "pop", "popitem", "clear", "remove", "discard"}
    | {"appendleft", "register", "__setitem__"}
)
_MAY_CHANGE: Final = frozenset({ast.Global, ast.Subscript, ast.Attribute, ast.Call})
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
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)) and not statement.decorator_list:
        return False
    lens = lens_of(unit, statement)
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        decorators = (d.func if isinstance(d, ast.Call) else d for d in statement.decorator_list)
        return any((lens.dotted(d) or "").partition(".")[0] not in _QUIET_MAKERS for d in decorators)
    for node in lens.nodes:
        if isinstance(node, ast.Call):
            dotted = lens.dotted(node.func) or ""
            if dotted not in _PURE_CALLS and dotted.partition(".")[0] not in _QUIET_MAKERS:
                return not (isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant))
    return False


def registered(
    project: Project, module: Module, reached: dict[Symbol, None], subclasses: bool, hinted: Container[Symbol] = ()
) -> list[Symbol]:
    """Return what a module puts into something that was reached: by changing it, by a registering decorator, or as a
    subclass: of a class that is looked at at run time, or one of `hinted`, for which it may stand."""
    found: list[Symbol] = []
    for name, statements in module.bindings.items():
        symbol = Symbol(module.name, name)
        if symbol in reached:
            continue
        for statement in statements:
            if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)) and _puts_itself(
                project, module, statement, reached, subclasses, hinted
            ):
                found.append(symbol)
                break
    return found


def _puts_itself(
    project: Project,
    module: Module,
    node: ast.stmt,
    reached: dict[Symbol, None],
    subclasses: bool,
    hinted: Container[Symbol],
) -> bool:
    for decorator in getattr(node, "decorator_list", ()):
        target = _root(project, module, decorator)
        if target in reached and (_is_method(decorator) or _writes(project, target, reached, any_call=True)):
            return True
    if isinstance(node, ast.ClassDef):
        for base in node.bases:
            target = _root(project, module, base)
            if target in reached and (subclasses or target in hinted or _sees_subclasses(project, target)):
                return True
    return any(target in reached for target in _written(project, module, node, any_call=False))


def _is_method(decorator: ast.expr) -> bool:
    """`@registry.add` and `@registry.add("x")`."""
    return isinstance(decorator.func if isinstance(decorator, ast.Call) else decorator, ast.Attribute)


def _root(project: Project, module: Module, node: ast.expr) -> Symbol | None:
    """Return the symbol that a decorator or a base begins with: `registry` of `@registry.add("x")`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            base = project.resolve(module, node.value.id) if isinstance(node.value, ast.Name) else None
            if isinstance(base, Within):
                target = project.member(base, node.attr, module)
                return target if isinstance(target, Symbol) else None
            node = node.value
        else:
            return None
    target = project.resolve(module, node.id)
    return target if isinstance(target, Symbol) else None


def _writes(project: Project, symbol: Symbol | None, reached: dict[Symbol, None], *, any_call: bool) -> bool:
    """Whether a symbol is an object that keeps things, or a function that changes something reached."""
    module = project.module(symbol.module) if symbol is not None else None
    if module is None or symbol is None:
        return False
    for statement in module.bindings.get(symbol.name, ()):
        if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            return True
        if any(target in reached for target in _written(project, module, statement, any_call=any_call)):
            return True
    return False


def _written(project: Project, module: Module, statement: ast.stmt, *, any_call: bool) -> list[Symbol]:
    """Return the module-level symbols that a function or a class changes."""
    known = project.memo.get((id(statement), any_call))
    if known is None:
        known = project.memo[id(statement), any_call] = _found_written(project, module, statement, any_call)
    return known


def _found_written(project: Project, module: Module, statement: ast.stmt, any_call: bool) -> list[Symbol]:
    candidates: list[ast.AST] = []
    for node in walk(statement):
        if node.__class__ not in _MAY_CHANGE:
            continue
        if isinstance(node, ast.Global):
            candidates.extend(ast.Name(id=name, ctx=ast.Load()) for name in node.names)
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            candidates.append(node.value)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (any_call or node.func.attr in _CHANGING)
        ):
            candidates.append(node.func.value)
    if not candidates:
        return []
    lens = lens_on(project, module, statement)
    return [target for node in candidates if isinstance(target := lens.target(node), Symbol)]


def _sees_subclasses(project: Project, symbol: Symbol | None) -> bool:
    """Whether a class looks at its subclasses, or has a metaclass."""
    module = project.module(symbol.module) if symbol is not None else None
    if module is None or symbol is None:
        return False
    for statement in module.bindings.get(symbol.name, ()):
        for node in walk(statement):
            if isinstance(node, _FUNCTIONS) and node.name == "__init_subclass__":
                return True
            if isinstance(node, ast.ClassDef) and node.keywords:
                return True
    return False
