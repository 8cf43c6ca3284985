"""How functions, classes and types are dumped: which of their docstrings and type hints count."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Any

from engine.rules.code.escapes import Escapes
from engine.rules.code.facts import Facts
from engine.rules.code.lens import Lens
from engine.rules.code.names import Names
from engine.rules.code.nodes import walk
from engine.rules.code.plain import Plain, text_statement
from engine.rules.code.project import Symbol
from engine.rules.code.words import Doc, Dump, Hint, Word, quoted_names, union_members

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ACTS = frozenset({ast.Call, ast.NamedExpr, ast.Await, ast.Yield})


class Definitions:
    """The part of `Dumper` for definitions and annotations."""

    dump: Dump
    _lens: Lens
    _owner: Symbol
    _facts: Facts
    _seen: Facts
    _names: Names
    _plain: Plain
    _rules: frozenset[str]
    _out: list[Word]
    _called: set[int]
    _escapes: Escapes
    _in_annotation: bool
    _looks: bool
    """Whether what is met has not been looked at yet."""

    @abstractmethod
    def _node(self, node: ast.AST) -> None: ...

    @abstractmethod
    def _list(self, values: list[Any]) -> None: ...

    @abstractmethod
    def _block(self, statements: list[ast.stmt], *, is_function: bool = False) -> None: ...

    def _may_drop(self, annotation: ast.expr) -> bool:
        if "annotations" not in self._rules or self._facts.annotations:
            return False
        return isinstance(annotation, ast.Name) or not any(node.__class__ in _ACTS for node in walk(annotation))

    def _hint(self, node: ast.expr) -> None:
        """Note what a hint refers to, whether it is dumped or not."""
        found = self._lens.hinted.get(id(node))
        if found is None:
            targets = [self._lens.target(inner) for inner in walk(node)]
            targets += [self._lens.project.resolve(self._lens.module, name) for name in quoted_names(node)]
            found = {target: None for target in targets if isinstance(target, Symbol)}
            self._lens.hinted[id(node)] = found
        if found:
            self.dump.hinted.update(found)

    def _annotation(self, node: ast.expr, plain: bool) -> None:
        self._hint(node)
        if self._lens.module.quoted_annotations:
            self.dump.say(Hint(self._owner, plain))
        for name in quoted_names(node):
            target = self._lens.project.resolve(self._lens.module, name)
            if isinstance(target, Symbol):
                self.dump.quoted[target] = None
        if "annotations" in self._rules:
            self._in_annotation = True
            self._out.append(":")
            self._type(node)
            self._in_annotation = False
        else:
            if self._looks:
                self._called.update(map(id, walk(node)))
            self._node(node)

    def _type(self, node: ast.expr) -> None:
        """A type; `Optional[X]` and `Union[X, None]` are dumped as `X | None`."""
        if self._looks:
            self._called.update(map(id, walk(node)))
        members = union_members(node, self._lens)
        if len(members) == 1:
            self._node(node)
            return
        self._out.append("Union(")
        for member in members:
            self._type(member)
        self._out.append(")")

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        out = self._out
        variable = self._lens.variable(node)
        plain = self._plain.is_plain_function(node, self._owner)
        for decorator in node.decorator_list:
            out.append("@")
            self._called.add(id(decorator))
            self._node(decorator)
        is_wrapped = not self._plain.has_known_decorators(node)
        if is_wrapped:
            self._seen.errors = True
        out.append(type(node).__name__)
        out.append(self._names.word(variable) if variable is not None else self._names.of_symbol(node.name))
        self._list(getattr(node, "type_params", None) or [])
        self._arguments(node.args, plain)
        if node.returns is not None and plain and self._may_drop(node.returns):
            self._hint(node.returns)
        elif node.returns is not None:
            out.append("->")
            self._annotation(node.returns, plain)
        if is_wrapped:  # the decorator may read them
            self.dump.symbols.update(self.dump.quoted)
        self._doc(node, plain)
        self._block(node.body, is_function=True)

    def _doc(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, plain: bool) -> None:
        text = ast.get_docstring(node, clean=False)
        if text is not None:
            self.dump.say(Doc(text, self._owner, plain))

    def _arguments(self, args: ast.arguments, plain: bool) -> None:
        out = self._out
        out.append("(")
        positional = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
        for index, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
            if args.posonlyargs and index == len(args.posonlyargs):
                out.append("/")
            self._argument(argument, default, plain)
        if args.posonlyargs and len(args.posonlyargs) == len(positional):
            out.append("/")
        if args.vararg is not None or args.kwonlyargs:
            out.append("*")
        if args.vararg is not None:
            self._argument(args.vararg, None, plain)
        for keyword, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            self._argument(keyword, default, plain)
        if args.kwarg is not None:
            out.append("**")
            self._argument(args.kwarg, None, plain)
        out.append(")")

    def _argument(self, argument: ast.arg, default: ast.expr | None, plain: bool) -> None:
        variable = self._lens.variable(argument)
        self._out.append(self._names.word(variable) if variable is not None else argument.arg)
        if argument.annotation is not None and plain and self._may_drop(argument.annotation):
            self._hint(argument.annotation)
        elif argument.annotation is not None:
            self._annotation(argument.annotation, plain)
        if default is not None:
            self._out.append("=")
            self._node(default)
        self._out.append(",")

    def _lambda(self, node: ast.Lambda) -> None:
        if self._looks and id(node) not in self._called:
            self._escapes.saw_code(node)
        self._out.append("Lambda")
        self._arguments(node.args, True)
        self._node(node.body)

    def _class(self, node: ast.ClassDef, as_header: bool = False) -> None:
        out = self._out
        self._seen.saw_class(node)
        for decorator in node.decorator_list:
            out.append("@")
            self._called.add(id(decorator))
            self._node(decorator)
        variable = self._lens.variable(node)
        out.append("Class ")
        out.append(self._names.word(variable) if variable is not None else node.name)
        self._list(getattr(node, "type_params", None) or [])
        out.append("(")
        for base in node.bases:
            if "form" in self._rules and len(node.bases) == 1 and self._lens.dotted(base) == "builtins.object":
                continue
            self._called.update(id(n) for n in walk(base))
            self._node(base)
            out.append(",")
        for keyword in node.keywords:
            self._node(keyword)
        out.append(")")
        plain = self._plain.is_plain_class(node)
        self._doc(node, (plain or self._plain.is_data_class(node)) and self._owner not in self._facts.values)
        names = [s.name for s in node.body if isinstance(s, _FUNCTIONS)]
        seen_in_order = self._facts.frames or self._owner in self._facts.values or not self._rules
        in_order = not plain or seen_in_order or len(set(names)) != len(names)
        out.append("{")
        for index, statement in enumerate(node.body):
            if isinstance(statement, _FUNCTIONS) and as_header:
                if in_order:
                    out.append(f"def {statement.name}")
            elif isinstance(statement, ast.Pass) or (text_statement(statement) and (plain or index == 0)):
                continue
            else:
                self._node(statement)
                out.append(";")
        if as_header and not in_order:
            out.extend(f"def {name}" for name in sorted(names))
        if not plain:  # a model, a data class: made of its hints, or read by them
            self.dump.symbols.update(self.dump.quoted)
        out.append("}")
