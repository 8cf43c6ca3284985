"""Is a function or class plain: seen by nothing but its callers, its docstring and type hints for people only?"""

from __future__ import annotations

import ast
from typing import Final

from engine.rules.code.facts import Facts
from engine.rules.code.lens import Lens, lens_on
from engine.rules.code.project import Builtin, External, Symbol, Unknown

_DECORATORS: Final = frozenset(
    {"builtins.staticmethod", "builtins.classmethod", "builtins.property", "engine.contracts.seam.accepts"}
    | {f"functools.{n}" for n in ("wraps", "lru_cache", "cache", "cached_property")}
    | {f"contextlib.{n}" for n in ("contextmanager", "asynccontextmanager")}
    | {f"typing.{n}" for n in ("overload", "override", "final", "no_type_check", "runtime_checkable")}
    | {f"abc.{n}" for n in ("abstractmethod", "abstractproperty")}
)
_BASES: Final = frozenset({"builtins.object", "abc.ABC", "typing.Protocol", "typing.Generic"})
_MENTIONED: Final = frozenset({"accepts", "contextmanager", "asynccontextmanager", "lru_cache", "cache", "wraps"})
"""Decorators that a piece of code without its imports means by these names."""


def text_statement(node: ast.stmt) -> bool:
    """Whether a statement is a lone constant: a docstring, or nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class Plain:
    """The question for one statement of a module."""

    def __init__(self, lens: Lens, facts: Facts) -> None:
        self._lens = lens
        self._facts = facts

    def has_known_decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Whether nothing wraps the function that could read its name, docstring, hints or errors."""
        return all(self._is_known(d) for d in node.decorator_list)

    def _is_known(self, decorator: ast.expr) -> bool:
        if isinstance(decorator, ast.Call):
            decorator = decorator.func
        if isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "getter", "deleter"):
            return isinstance(decorator.value, ast.Name)
        dotted = self._lens.dotted(decorator)
        if dotted is None:
            target = self._lens.target(decorator)
            return isinstance(target, Unknown) and target.doubt is None and target.name in _MENTIONED
        return dotted in _DECORATORS

    def is_plain_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: Symbol) -> bool:
        """Whether only callers see the function; `owner` is the symbol it is, or is a method or part of."""
        if not self.has_known_decorators(node):
            return False
        variable = self._lens.variable(node)
        if variable is not None and variable.kind != "class":
            return len(variable.bindings) == 1 and all(self._lens.is_called(load) for load in variable.loads)
        class_name, _, method = owner.name.partition(".")
        if method or variable is not None:
            definitions = self._lens.statements(Symbol(owner.module, class_name))
            if len(definitions) != 1 or not isinstance(definitions[0], ast.ClassDef):
                return False
            if not self.is_plain_class(definitions[0]) and not self.is_data_class(definitions[0]):
                return False
            if node.name in self._facts.value_attributes:
                return False
        return Symbol(owner.module, class_name) not in self._facts.values

    def is_plain_class(self, node: ast.ClassDef) -> bool:
        """Whether a class is only what its methods do: nothing reads its fields, their order or its docstring."""
        return not node.decorator_list and not node.keywords and all(self._is_plain_base(b, 0) for b in node.bases)

    def is_class(self, symbol: Symbol) -> bool:
        """Whether a symbol of the project is a class."""
        return any(isinstance(s, ast.ClassDef) for s in self._lens.statements(symbol))

    def is_code(self, symbol: Symbol) -> bool:
        """Whether a symbol of the project is a function or a class."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return any(isinstance(s, kinds) for s in self._lens.statements(symbol))

    def is_data_class(self, node: ast.ClassDef) -> bool:
        """Whether a class is a plain one with the standard library's decorator, which reads its fields only."""
        names = {self._lens.dotted(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list}
        return (
            names == {"dataclasses.dataclass"}
            and not node.keywords
            and all(self._is_plain_base(b, 0) for b in node.bases)
        )

    def _is_plain_base(self, base: ast.expr, depth: int) -> bool:
        if isinstance(base, ast.Subscript):
            base = base.value
        dotted = self._lens.dotted(base)
        if dotted is not None and dotted in _BASES:
            return True
        target = self._lens.target(base)
        if isinstance(target, Builtin):
            return target.name.endswith(("Error", "Exception"))
        if isinstance(target, (External, Unknown)) or not isinstance(target, Symbol) or depth > 8:
            return False
        statements = self._lens.statements(target)
        module = self._lens.project.module(target.module)
        if len(statements) != 1 or not isinstance(statements[0], ast.ClassDef) or module is None:
            return False
        there = Plain(lens_on(self._lens.project, module, statements[0]), self._facts)
        definition = statements[0]
        return (
            not definition.decorator_list
            and not definition.keywords
            and not any(isinstance(s, ast.FunctionDef) and s.name == "__init_subclass__" for s in definition.body)
            and all(there._is_plain_base(b, depth + 1) for b in definition.bases)
        )
