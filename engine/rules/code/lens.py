"""One top-level statement seen with its names resolved: what every rule about code asks first."""

from __future__ import annotations

import ast
from typing import Any, Final, cast

from engine.rules.code.module import Module, imported
from engine.rules.code.nodes import children, walk
from engine.rules.code.project import Builtin, External, Project, Symbol, Target, Unknown
from engine.rules.code.scopes import Scopes, Variable

WELL_KNOWN: Final = frozenset({"logging", "time", "typing", "dataclasses", "functools", "contextlib", "asyncio"})
"""Modules that a piece of code without its imports means by these names."""


_DEFINING: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, getattr(ast, "TypeAlias", ast.ClassDef))
_ASKED_FOR: Final = frozenset(
    {*_DEFINING, ast.Expr, ast.Raise, ast.Assert, ast.ExceptHandler, ast.Global, ast.Nonlocal, ast.Attribute, ast.arg}
    | {ast.NamedExpr}
)
_QUERIES: Final = frozenset({"query", "eval", "sql", "execute", "from_query"})


class Lens:
    """A statement of a module, its scopes, and what its names lead to; get one from `lens_on`."""

    def __init__(self, project: Project, module: Module, statement: ast.stmt) -> None:
        self.project = project
        self.module = module
        self.statement = statement
        self.nodes = walk(statement)
        """Every node of the statement."""
        self._sorted: dict[type, list[Any]] = {}
        for node in self.nodes:
            if node.__class__ in _ASKED_FOR:
                self._sorted.setdefault(node.__class__, []).append(node)
        self.scopes = Scopes(statement, has_walrus=ast.NamedExpr in self._sorted)
        self.has_type_params = any(getattr(node, "type_params", ()) for node in self.of_kind(*_DEFINING))
        self.hinted: dict[int, dict[Symbol, None]] = {}
        """What type hints of the statement refer to, by the `id` of the hint."""
        self._imports: dict[int, Target] = {}
        self._targets: dict[int, tuple[Target | None, str | None]] = {}
        self._held: list[ast.AST] = []
        """The nodes of these, so that no other one can have their `id`."""
        self._parents: dict[int, ast.AST] | None = None
        self._queries: list[str] | None = None

    def of_kind(self, *kinds: type[ast.AST]) -> list[Any]:
        """Return the nodes of some kinds, without a walk; the kinds that are asked for stand in `_ASKED_FOR`."""
        return [node for kind in kinds for node in self._sorted.get(kind, ())]

    def variable(self, node: ast.AST) -> Variable | None:
        """Return the variable of a function that a node is; None for a global name."""
        return self.scopes.of.get(id(node))

    def target(self, node: ast.AST) -> Target | None:
        """Return what a name or a chain of attributes leads to; None for a local variable or a value."""
        kind = node.__class__
        if kind is not ast.Name and kind is not ast.Attribute:
            return None
        return (self._targets.get(id(node)) or self.asked(node))[0]

    def asked(self, node: ast.AST) -> tuple[Target | None, str | None]:
        """Return the target and the dotted name of a name or a chain of attributes."""
        known = self._targets.get(id(node))
        if known is None:
            target = self._target(node)
            known = self._targets[id(node)] = (target, self._dotted(node, target))
            self._held.append(node)
        return known

    def _target(self, node: ast.AST) -> Target | None:
        if isinstance(node, ast.Name):
            variable = self.scopes.of.get(id(node))
            if variable is None:
                return self.project.resolve(self.module, node.id)
            return self._import_of(variable) if variable.kind == "import" else None
        if isinstance(node, ast.Attribute):
            base = self.target(node.value)
            return None if base is None else self.project.member(base, node.attr, self.module)
        return None

    def dotted(self, node: ast.AST) -> str | None:
        """Return the dotted name of something outside the project: `time.monotonic`, `builtins.len`."""
        kind = node.__class__
        if kind is not ast.Name and kind is not ast.Attribute:
            return None
        return (self._targets.get(id(node)) or self.asked(node))[1]

    def _dotted(self, node: ast.AST, target: Target | None) -> str | None:
        if isinstance(target, External):
            return target.dotted
        if isinstance(target, Builtin):
            return f"builtins.{target.name}"
        if isinstance(target, Unknown) and target.doubt is None and target.name in WELL_KNOWN:
            return target.name
        if target is None and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            base = self.target(node.value)
            if isinstance(base, Unknown) and base.doubt is None and base.name in WELL_KNOWN:
                return f"{base.name}.{node.attr}"
        return None

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that a node stands in."""
        if self._parents is None:
            self._parents = {id(child): n for n in self.nodes for child in children(n)}
        return self._parents.get(id(node))

    def is_in_query(self, name: str) -> bool:
        """Whether a text that may be a query over local variables (data frames, in-process databases) has the name."""
        if self._queries is None:
            asks = any(node.attr in _QUERIES and self.is_called(node) for node in self.of_kind(ast.Attribute))
            texts = (n.value for n in self.nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
            self._queries = list(texts) if asks else []
        return any(name in text for text in self._queries)

    def is_called(self, node: ast.AST) -> bool:
        """Whether a name stands there only to be called."""
        parent = self.parent(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def made_by(self, variable: Variable) -> ast.expr | None:
        """Return the value of a variable that is assigned once, `x = value`; None for any other."""
        if len(variable.bindings) != 1:
            return None
        (binding,) = variable.bindings
        parent = self.parent(binding)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and parent.targets[0] is binding:
            return parent.value
        return None

    def statements(self, symbol: Symbol) -> list[ast.stmt]:
        """Return the statements that bind a symbol."""
        module = self.project.module(symbol.module)
        return [] if module is None else module.bindings.get(symbol.name, [])

    def target_of_alias(self, alias: ast.alias, variable: Variable | None) -> Target | None:
        """Return what one part of an import statement inside a block leads to."""
        if alias.name == "*":
            return None
        name = (alias.asname or alias.name).partition(".")[0]
        return self._import_of(variable) if variable is not None else self._of_alias(alias, name)

    def _import_of(self, variable: Variable) -> Target | None:
        """Return what a name leads to that is imported inside a function, once and only so."""
        if variable.kind != "import" or len(variable.bindings) != 1:
            return None
        alias = variable.bindings[0]
        if not isinstance(alias, ast.alias):
            return None
        known = self._imports.get(id(alias))
        if known is None:
            known = self._imports[id(alias)] = self._of_alias(alias, variable.name)
        return known

    def _of_alias(self, alias: ast.alias, name: str) -> Target:
        for node in self.nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)) and any(alias is known for known in node.names):
                for bound, found in imported(self.module, node):
                    if bound == name:
                        return self.project.imported(found, self.module)
        return Unknown(name, f"{name} is imported in an unusual way")


def lens_on(project: Project, module: Module, statement: ast.stmt) -> Lens:
    """Return the lens on a statement, made once: several rules look at the same one."""
    lens = project.lenses.get(id(statement))
    if lens is None:
        lens = project.lenses[id(statement)] = Lens(project, module, statement)
    return cast(Lens, lens)
