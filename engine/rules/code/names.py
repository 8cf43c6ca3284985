"""By which word a variable is dumped: its place, where renaming it changes nothing, else its name."""

from __future__ import annotations

import ast

from engine.rules.code.facts import Facts
from engine.rules.code.lens import Lens
from engine.rules.code.project import Symbol
from engine.rules.code.scopes import Variable


class Names:
    """Words for the variables of one statement, given out in the order in which they are dumped."""

    def __init__(self, lens: Lens, owner: Symbol, facts: Facts, renames: bool, *, context: bool) -> None:
        """`renames` is the rule; `context`: the statement is a handler, whose one parameter is given by position."""
        self._lens = lens
        self._owner = owner
        self._facts = facts
        self._renames = renames and not facts.frames and not facts.source and not lens.has_type_params
        self._context = context
        self.words: dict[Variable, str] = {}
        """What has a word already."""
        self._classes: dict[Variable, Symbol | None] = {}
        self._count = 0
        self._lambdas: set[int] = set()

    def word(self, variable: Variable) -> str:
        """Return the word of a variable."""
        word = self.words.get(variable)
        if word is None:
            if self._renames and self._is_private(variable):
                word = f"L{self._count:d}"
                self._count += 1
            else:
                word = f"N:{variable.name}"
            self.words[variable] = word
        return word

    def of_symbol(self, name: str) -> str:
        """Return the word for the name of the function or class itself; that of a handler does not count."""
        return "<stage>" if self._context else name

    def take_lambdas(self, nodes: list[ast.expr]) -> None:
        """These arguments are called by position only: the parameters of a lambda among them are its own affair."""
        self._lambdas.update(id(node) for node in nodes if isinstance(node, ast.Lambda))

    def returned_at_once(self, first: ast.stmt, second: ast.stmt, gone: set[int]) -> ast.expr | None:
        """Return the value in `x = value; return x` where nothing else sees `x`, but what is `gone`; else None."""
        if not (isinstance(first, ast.Assign) and len(first.targets) == 1 and isinstance(first.targets[0], ast.Name)):
            return None
        if not (isinstance(second, ast.Return) and isinstance(second.value, ast.Name)):
            return None
        variable = self._lens.variable(first.targets[0])
        if variable is None or variable is not self._lens.variable(second.value) or variable.shared:
            return None
        loads = [load for load in variable.loads if id(load) not in gone]
        once = len(variable.bindings) == 1 and len(loads) == 1 and variable.kind == "local"
        return first.value if once and not self._facts.frames else None

    def class_of(self, variable: Variable) -> Symbol | None:
        """Return the class of the project that a variable certainly holds an instance of (`self` too); None if none."""
        if variable not in self._classes:
            self._classes[variable] = self._class_of(variable)
        return self._classes[variable]

    def _class_of(self, variable: Variable) -> Symbol | None:
        if variable.kind == "param":
            name, _, method = self._owner.name.partition(".")
            owner = variable.owner
            is_first = isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef)) and (
                [a.arg for a in [*owner.args.posonlyargs, *owner.args.args]][:1] == [variable.name]
            )
            return Symbol(self._owner.module, name) if method and is_first and owner is self._lens.statement else None
        value = self._lens.made_by(variable)
        target = self._lens.target(value.func) if isinstance(value, ast.Call) else None
        if not isinstance(target, Symbol):
            return None
        return target if any(isinstance(s, ast.ClassDef) for s in self._lens.statements(target)) else None

    def _is_private(self, variable: Variable) -> bool:
        name = variable.name
        if name.startswith("__") or self._lens.is_in_query(name):
            return False
        if variable.kind == "param":
            return self._is_private_param(variable)
        if variable.kind == "inner":
            return not isinstance(variable.owner, ast.Lambda) or id(variable.owner) in self._lambdas
        if variable.kind == "nested":
            return all(self._lens.is_called(load) for load in variable.loads) and all(
                isinstance(b, (ast.FunctionDef, ast.AsyncFunctionDef)) and not b.decorator_list
                for b in variable.bindings
            )
        return variable.kind == "local"

    def _is_private_param(self, variable: Variable) -> bool:
        """Whether a parameter is given by position wherever this closure calls the function."""
        if variable.owner is not self._lens.statement or "." in self._owner.name:
            return False
        function = variable.owner
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        if self._context:
            return not function.decorator_list and _only_required(function) == variable.name
        return (
            not function.decorator_list
            and function.args.kwarg is None
            and variable.name not in [a.arg for a in function.args.kwonlyargs]
            and variable.name not in self._facts.keywords
            and not self._facts.spreads
            and self._owner not in self._facts.values
        )


def _only_required(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    required = positional[: len(positional) - len(args.defaults)]
    alone = len(required) == 1 and not args.vararg and not args.kwarg
    return required[0].arg if alone else None
