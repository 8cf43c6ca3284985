"""What a module puts, while it is imported, into something that is used elsewhere: registries, lists, subclasses."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator
from typing import Final

from engine.rules.code.lens import lens_on
from engine.rules.code.module import Module
from engine.rules.code.nodes import children, walk
from engine.rules.code.project import Project, Symbol, Within

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_BINDING: Final = (*_FUNCTIONS, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.AugAssign)
_DEPTH: Final = 4
"""How far it is followed that one function calls another."""
_CHANGING: Final = frozenset(
    {"append", "add", "update", "setdefault", "extend", "insert", "pop", "popitem", "clear", "remove", "discard"}
    | {"appendleft", "register", "__setitem__"}
)
_MAY_CHANGE: Final = frozenset({ast.Global, ast.Subscript, ast.Attribute, ast.Call})


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
            puts = isinstance(statement, (*_FUNCTIONS, ast.ClassDef)) and _puts_itself(
                project, module, statement, reached, subclasses, hinted
            )
            if puts or (isinstance(statement, _BINDING) and _puts_by_calls(project, module, statement, reached)):
                found.append(symbol)
                break
    return found


def evaluated(statement: ast.AST, quoted_annotations: bool) -> Iterator[ast.AST]:
    """Yield what is evaluated when a statement of a module runs: of functions their decorators, defaults and hints."""
    pending = [statement]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            pending.extend(children(node))
            continue
        args = node.args
        pending.extend([*args.defaults, *(default for default in args.kw_defaults if default is not None)])
        if isinstance(node, ast.Lambda):
            continue
        pending.extend(node.decorator_list)
        if not quoted_annotations:
            own = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
            pending.extend(hint for hint in (*(arg.annotation for arg in own), node.returns) if hint is not None)


def _puts_by_calls(project: Project, module: Module, statement: ast.stmt, reached: dict[Symbol, None]) -> bool:
    """Whether something reached is changed by what is called for the value, a default or a hint of a statement."""
    known = project.at_import.get(id(statement))
    if known is None:
        known = project.at_import[id(statement)] = _called_at_import(project, module, statement)
    changed, named = known
    return any(s in reached for s in changed) or any(_leads_to_writing(project, s, reached, _DEPTH) for s in named)


def _called_at_import(project: Project, module: Module, statement: ast.stmt) -> tuple[list[Symbol], list[Symbol]]:
    """Return what a statement changes, and what it names, if it calls anything when its module is imported."""
    nodes = list(evaluated(statement, module.quoted_annotations))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if not calls:
        return [], []
    functions = [call.func for call in calls]
    objects = [f.value for f in functions if isinstance(f, ast.Attribute) and f.attr in _CHANGING]
    named = [n for n in nodes if isinstance(n, (ast.Name, ast.Attribute)) and isinstance(n.ctx, ast.Load)]
    return _roots(project, module, objects), _roots(project, module, named)


def _roots(project: Project, module: Module, nodes: Iterable[ast.expr]) -> list[Symbol]:
    return list(dict.fromkeys(target for node in nodes if (target := _root(project, module, node)) is not None))


def _leads_to_writing(project: Project, symbol: Symbol, reached: dict[Symbol, None], depth: int) -> bool:
    """Whether a function or class changes something reached, itself or by what it calls."""
    module = project.module(symbol.module)
    if module is None:
        return False
    for statement in module.bindings.get(symbol.name, ()):
        if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            continue
        if any(target in reached for target in _written(project, module, statement, any_call=False)):
            return True
        called = project.calls.get(id(statement))
        if called is None:
            functions = [node.func for node in walk(statement) if isinstance(node, ast.Call)]
            called = project.calls[id(statement)] = _roots(project, module, functions)
        if depth and any(c != symbol and _leads_to_writing(project, c, reached, depth - 1) for c in called):
            return True
    return False


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
