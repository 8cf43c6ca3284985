"""Which variable a name stands for, inside one top-level statement of a module.

A name that belongs to no function around it is global: it is left out of `Scopes.of`; the module's table resolves it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, Final, Literal, TypeAlias

from engine.contracts.values import dataclass
from engine.rules.code.nodes import LEAVES, children, walk

Kind: TypeAlias = Literal["param", "local", "inner", "import", "class", "nested"]
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_NAMED: Final = (*_FUNCTIONS, ast.ClassDef)
_CAPTURES: Final = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping)
_OF_SCOPES: Final = frozenset(
    {*_NAMED, *_CAPTURES, *_COMPREHENSIONS, ast.NamedExpr, ast.alias, ast.Lambda, ast.Global, ast.Nonlocal}
)


_PASSED: Final = frozenset({ast.Constant})
_VALUES: Final = _PASSED | {
    *(ast.Call, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.Await, ast.Yield),
    *(ast.YieldFrom, ast.Dict, ast.Set, ast.Lambda, *_COMPREHENSIONS),
}
"""Expressions that bind nothing, unless there is a walrus in them."""


@dataclass(eq=False, slots=True)
class Variable:
    """One variable of one function; `inner` ones belong to a comprehension or a lambda, `nested` are functions."""

    name: str
    kind: Kind
    owner: ast.AST | None
    bindings: list[ast.AST] = field(default_factory=list)
    """Nodes that give it a value: statements, parameters, handlers."""
    loads: list[ast.Name] = field(default_factory=list)
    shared: bool = False
    """Another function reads or writes it too."""


@dataclass(eq=False, slots=True)
class _Scope:
    names: dict[str, Variable] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    is_class: bool = False
    is_function: bool = False


class Scopes:
    """The variables of one statement and all functions in it."""

    def __init__(self, statement: ast.stmt, *, has_walrus: bool = True) -> None:
        """`has_walrus`: a value of the statement may bind a name, `(x := 1)`."""
        self._passed = _PASSED if has_walrus else _VALUES
        self.of: dict[int, Variable] = {}
        """Node → variable, by `id` of the node: Name, arg, ExceptHandler, alias, def, match capture."""
        self.variables: list[Variable] = []
        self.declared: set[str] = set()
        """Names that a function declares `global`."""
        self._stack: list[_Scope] = [_Scope()]
        self._visit(statement)

    def _visit(self, node: ast.AST) -> None:
        special = self._SPECIAL.get(node.__class__)
        if special is not None:
            special(self, node)
        else:
            for inner in children(node):
                kind = inner.__class__
                if kind is ast.Name:
                    self._name(inner)  # type: ignore[arg-type]
                elif kind not in LEAVES:
                    self._visit(inner)

    def _definition(self, node: FunctionNode) -> None:
        self._bound(node, node.name)
        self._all([*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)])
        self._all(_annotations(node))
        self._function(node, node.args, node.body)

    def _lambda(self, node: ast.Lambda) -> None:
        self._all([*node.args.defaults, *(d for d in node.args.kw_defaults if d)])
        self._function(node, node.args, [node.body])

    def _class(self, node: ast.ClassDef) -> None:
        self._bound(node, node.name)
        self._all([*node.decorator_list, *node.bases, *node.keywords])
        scope = _Scope(is_class=True)
        for statement in node.body:
            for bound in bound_names(statement, passed=self._passed):
                if bound not in scope.names:
                    scope.names[bound] = self._made(bound, "class", node)
        self._stack.append(scope)
        self._all(node.body)
        self._stack.pop()

    def _capture(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._bound(node, node.name)
        self._all(children(node))

    def _rest(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bound(node, node.rest)
        self._all(children(node))

    def _alias(self, node: ast.alias) -> None:
        self._bound(node, (node.asname or node.name).partition(".")[0])

    def _all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self._visit(node)

    def _function(self, node: ast.AST, args: ast.arguments, body: Sequence[ast.AST]) -> None:
        scope = _Scope(is_function=True)
        for argument in _arguments(args):
            kind: Kind = "inner" if isinstance(node, ast.Lambda) else "param"
            variable = scope.names[argument.arg] = self._made(argument.arg, kind, node)
            variable.bindings.append(argument)
            self.of[id(argument)] = variable
        outer: set[str] = set()
        found: dict[str, None] = {}
        for statement in body:
            found.update(dict.fromkeys(bound_names(statement, scope.global_names, outer, self._passed)))
        self.declared.update(scope.global_names)
        for bound in found:
            if bound not in scope.names and bound not in scope.global_names and bound not in outer:
                scope.names[bound] = self._made(bound, "local", node)
        self._stack.append(scope)
        self._all(body)
        self._stack.pop()

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self._visit(node.generators[0].iter)
        scope = _Scope()
        for generator in node.generators:
            for name in _targets(generator.target):
                if name not in scope.names:
                    scope.names[name] = self._made(name, "inner", node)
        self._stack.append(scope)
        for index, generator in enumerate(node.generators):
            if index:
                self._visit(generator.iter)
            self._visit(generator.target)
            self._all(generator.ifs)
        self._all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._stack.pop()

    def _made(self, name: str, kind: Kind, owner: ast.AST | None) -> Variable:
        variable = Variable(name=name, kind=kind, owner=owner)
        self.variables.append(variable)
        return variable

    def _bound(self, node: ast.AST, name: str) -> None:
        variable = self._found(name)
        if variable is not None:
            variable.bindings.append(node)
            if isinstance(node, ast.alias):
                variable.kind = "import"
            elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and variable.kind == "local":
                variable.kind = "nested"
            self.of[id(node)] = variable

    def _name(self, node: ast.Name) -> None:
        variable = self._found(node.id)
        if variable is None:
            return
        self.of[id(node)] = variable
        if node.ctx.__class__ is ast.Load:
            variable.loads.append(node)
        else:
            variable.bindings.append(node)

    def _found(self, name: str) -> Variable | None:
        crossed = False
        innermost = self._stack[-1]
        for scope in reversed(self._stack):
            if scope.is_class and scope is not innermost:
                continue
            if name in scope.global_names:
                return None
            variable = scope.names.get(name)
            if variable is not None:
                variable.shared = variable.shared or crossed
                return variable
            if scope.is_function:
                crossed = True
        return None

    _SPECIAL: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any], None]]] = {
        ast.Name: _name,
        ast.FunctionDef: _definition,
        ast.AsyncFunctionDef: _definition,
        ast.Lambda: _lambda,
        ast.ClassDef: _class,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.ExceptHandler: _capture,
        ast.MatchAs: _capture,
        ast.MatchStar: _capture,
        ast.MatchMapping: _rest,
        ast.alias: _alias,
    }
    """Nodes that open a scope or bind a name."""


def _arguments(args: ast.arguments) -> list[ast.arg]:
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [*named, *(a for a in (args.vararg, args.kwarg) if a is not None)]


def _annotations(node: FunctionNode) -> list[ast.AST]:
    found = [a.annotation for a in _arguments(node.args) if a.annotation is not None]
    return [*found, *([node.returns] if node.returns is not None else [])]


def _targets(node: ast.AST) -> Iterator[str]:
    for inner in walk(node):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield inner.id


def same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, without entering other functions and classes; their own names are seen."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if isinstance(current, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue
        pending.extend(children(current))


def bound_names(
    node: ast.AST,
    declared: set[str] | None = None,
    outer: set[str] | None = None,
    passed: frozenset[type[ast.AST]] = _PASSED,
) -> list[str]:
    """Return the names that a statement binds in its own scope; note those it declares global, and nonlocal.

    Nodes of the kinds `passed` are not looked into.
    """
    found: list[str] = []
    _bind_names(node, False, found, declared, outer, passed)
    return found


def _bind_names(
    node: Any,
    in_comprehension: bool,
    found: list[str],
    declared: set[str] | None,
    outer: set[str] | None,
    passed: frozenset[type[ast.AST]],
) -> None:
    kind = node.__class__
    if kind is ast.Name:
        if not in_comprehension and node.ctx.__class__ is not ast.Load:
            found.append(node.id)
        return
    if kind in _OF_SCOPES:
        if kind in _NAMED or kind in _CAPTURES:
            name = node.rest if kind is ast.MatchMapping else node.name
            if name:
                found.append(name)
            if kind in _NAMED:
                return
        elif kind is ast.NamedExpr:
            found.append(node.target.id)
        elif kind is ast.alias:
            if node.name != "*":
                found.append((node.asname or node.name).partition(".")[0])
            return
        elif kind is ast.Lambda:
            return
        elif kind is ast.Global:
            if declared is not None:
                declared.update(node.names)
        elif kind is ast.Nonlocal:
            if outer is not None:
                outer.update(node.names)
        else:
            in_comprehension = True
    for inner in children(node):
        if inner.__class__ not in passed:
            _bind_names(inner, in_comprehension, found, declared, outer, passed)


arguments_of = _arguments
