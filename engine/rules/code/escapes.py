"""Code of the project that something unseen may run, and whose errors it may catch and read.

A message of an error counts wherever such code is handed over: a lambda, a function inside a function, a coroutine or a
generator that is not run where it stands, or a block under a context manager that is not known.
"""

from __future__ import annotations

import ast
from typing import Final

from engine.rules.code.facts import Facts, is_deferred
from engine.rules.code.imports import QUIET_MODULES
from engine.rules.code.lens import Lens
from engine.rules.code.nodes import walk
from engine.rules.code.project import Builtin, External, Symbol

_RUNS_AT_ONCE: Final = frozenset(
    {
        f"builtins.{n}"
        for n in ("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "any", "all")
    }
    | {f"asyncio.{n}" for n in ("gather", "create_task", "ensure_future", "wait_for", "wait", "run", "shield")}
    | {"builtins.next", "asyncio.as_completed", "asyncio.to_thread", "re.sub", "re.subn", "functools.reduce"}
)
"""They run what they are given, or let it run, and let its errors through."""
_LAZY: Final = frozenset(
    {"builtins.map", "builtins.filter", "builtins.enumerate", "builtins.zip", "builtins.iter", "builtins.reversed"}
    | {"functools.partial"}
)
"""They run what they are given when somebody runs them."""
_CALLING: Final = frozenset({"builtins.map", "builtins.filter", "functools.partial"})
_RUNNING_METHODS: Final = frozenset({"join", "extend", "update", "sort", "create_task"})
_LETTING_THROUGH: Final = frozenset({"aiohttp", "httpx"}) | (QUIET_MODULES - {"unittest", "pytest", "tenacity"})
"""Packages whose context managers read no error; those of `unittest` and `tenacity` do."""
_LETTING_NAMES: Final = (
    *("lock", "semaphore", "timeout", "open", "stream", "cursor", "transaction", "begin", "connect", "acquire"),
    *("session", "client", "connection"),
)
"""What context managers are called that close or undo something at an error, and do not read it."""


class Escapes:
    """The question for the statements of one symbol, asked while they are dumped."""

    def __init__(self, lens: Lens, seen: Facts) -> None:
        self._lens = lens
        self._seen = seen
        self._here: set[int] = set()
        """What is run where it stands, or by what was seen."""

    def runs_here(self, *nodes: ast.AST) -> None:
        """Take note that these values are run where they stand."""
        pending = list(nodes)
        for node in pending:
            self._here.add(id(node))
            if isinstance(node, (ast.Starred, ast.keyword)):
                pending.append(node.value)
            elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
                pending.extend(node.elts)
            elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
                pending.append(node.elt)
            elif isinstance(node, ast.IfExp):
                pending.extend([node.body, node.orelse])
            elif isinstance(node, ast.Call) and _is_lazy(self._lens.dotted(node.func) or ""):
                pending.extend(node.args)

    def saw_call(self, node: ast.Call, dotted: str | None) -> None:
        """Something is called: what it is given may be run there, and what it returns may be code."""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if dotted in _RUNS_AT_ONCE or (dotted is None and method in _RUNNING_METHODS):
            self.runs_here(*node.args, *node.keywords)
        if id(node) in self._here:
            return
        if dotted is not None and _is_lazy(dotted):
            first = self._lens.target(node.args[0]) if node.args else None
            if dotted in _CALLING and not isinstance(first, (Builtin, External)):
                self._seen.errors = True
            return
        target = self._lens.target(node.func)
        if isinstance(target, Symbol):
            self._seen.errors = self._seen.errors or self._is_deferred(target)
        elif target is None and method:
            self._seen.handed.add(method)
        elif target is None and isinstance(node.func, ast.Name):
            variable = self._lens.variable(node.func)
            bindings = variable.bindings if variable is not None else []
            self._seen.errors = self._seen.errors or any(map(is_deferred, bindings))

    def saw_code(self, node: ast.AST) -> None:
        """A lambda, a generator or the name of an inner function stands there as a value."""
        if id(node) in self._here:
            return
        body = node.body if isinstance(node, ast.Lambda) else node
        if isinstance(node, ast.Name) or any(isinstance(inner, (ast.Call, ast.Subscript)) for inner in walk(body)):
            self._seen.errors = True

    def saw_with(self, node: ast.With | ast.AsyncWith) -> None:
        """A block stands under context managers."""
        if not all(self._lets_through(item.context_expr) for item in node.items):
            self._seen.errors = True

    def _is_deferred(self, symbol: Symbol) -> bool:
        """Whether a call of it returns a coroutine or a generator."""
        deferred = self._lens.project.deferred
        known = deferred.get(symbol)
        if known is None:
            known = deferred[symbol] = any(map(is_deferred, self._lens.statements(symbol)))
        return known

    def _lets_through(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            node = node.func
        target = self._lens.target(node)
        if isinstance(target, Symbol):  # its code was seen, unless it is something made elsewhere
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            if all(isinstance(statement, kinds) for statement in self._lens.statements(target)):
                return True
        dotted = self._lens.dotted(node) or ""
        if dotted == "builtins.open" or dotted.partition(".")[0] in _LETTING_THROUGH:
            return True
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        return name.lower().endswith(_LETTING_NAMES)


def _is_lazy(dotted: str) -> bool:
    return dotted in _LAZY or dotted.startswith("itertools.")
