"""A symbol as a row of words that is equal on every Python, and equal for code that differs in form only.

Positions, parentheses, quotes, comments and empty fields leave no trace; `ast.dump` would differ between Pythons. Names
are dumped as what they lead to. With a `Plan` the words leave out what the plan sets aside.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from engine.rules.code.constants import folded
from engine.rules.code.definitions import Definitions
from engine.rules.code.escapes import Escapes
from engine.rules.code.facts import Facts
from engine.rules.code.lens import Lens
from engine.rules.code.names import Names
from engine.rules.code.nodes import walk
from engine.rules.code.plain import Plain, text_statement
from engine.rules.code.plan import Plan
from engine.rules.code.project import External, Symbol, Within
from engine.rules.code.references import SAFE_SINKS, References
from engine.rules.code.texts import Parts, parts_of
from engine.rules.code.words import SEPARATOR, Dump, is_bare_return, is_quiet_import, literal

SKIPPED_FIELDS: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores", "lineno", "col_offset"})
_FORMS: Final[dict[type, tuple[str, tuple[tuple[str, str], ...]]]] = {}
"""Class of node → its first words, and each field that is dumped with the words before it."""
_DOTTED: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[.:][^\W\d]\w*")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_TURNED: Final = {ast.In: "NotIn", ast.Is: "IsNot", ast.NotIn: "In", ast.IsNot: "Is"}


class Dumper(Definitions, References):
    """Dumps the statements of one symbol."""

    def __init__(
        self,
        lens: Lens,
        owner: Symbol,
        facts: Facts,
        plan: Plan | None,
        names: Names,
        rules: frozenset[str],
        seen: Facts,
    ) -> None:
        """`facts` hold for the closure, `seen` takes in what is met; with `plan` None it is the normalised form.

        With a plan the code is dumped another time, and `seen` need not hold all that was met the first time.
        """
        self.dump = Dump()
        self._looks = plan is None
        self._of = lens.scopes.of
        self._seen = seen
        self._lens = lens
        self._owner = owner
        self._facts = facts
        self._plan = plan
        self._names = names
        self._rules = rules if plan is not None else frozenset()
        self._plain = Plain(lens, facts)
        self._out = self.dump.words
        self._escapes = Escapes(lens, seen)
        self._called: set[int] = set()
        self._held: set[int] = set()
        """Names and calls whose value goes no further: `x` in `x.a`, `C()` in `v = C()`."""
        self._in_annotation = False
        self._in_try = 0

    def statement(self, node: ast.stmt, *, as_header: bool = False) -> None:
        """Dump a statement; a class `as_header` leaves its methods to be dumped by themselves."""
        if isinstance(node, ast.ClassDef):
            self._class(node, as_header)
        else:
            self._node(node)

    # -- what any node is dumped as

    def _node(self, node: ast.AST) -> None:
        (self._SPECIAL.get(node.__class__) or _PLAINLY)(self, node)

    def _plainly(self, node: ast.AST) -> None:
        out = self._out
        head, fields = _FORMS.get(node.__class__) or _form(node.__class__)
        out.append(head)
        if not fields:  # an operator
            return
        has, special = node.__dict__, self._SPECIAL
        for name, label in fields:
            value = has.get(name)
            if value.__class__ is list:
                if value:
                    out.append(label)
                    self._list(value)
            elif isinstance(value, ast.AST):
                out.append(label)
                (special.get(value.__class__) or _PLAINLY)(self, value)
            elif value is not None:
                out += (label, literal(value))
        out.append(")")

    def _list(self, values: list[Any]) -> None:
        if values and isinstance(values[0], ast.stmt):
            self._block(values)
            return
        out, special = self._out, self._SPECIAL
        out.append("[")
        for item in values:
            if isinstance(item, ast.AST):
                (special.get(item.__class__) or _PLAINLY)(self, item)
            else:
                out.append("~" if item is None else literal(item))
        out.append("]")

    def _block(self, statements: list[ast.stmt], *, is_function: bool = False) -> None:
        """Dump a list of statements; what is nothing (`pass`, a lone constant) is left out of it."""
        out = self._out
        out.append("{")
        pending = [s for s in statements if not self._is_nothing(s)]
        shapes = "form" in self._rules
        if shapes and is_function and pending and is_bare_return(pending[-1]):
            pending.pop()
        while pending:
            statement = pending.pop(0)
            if shapes and isinstance(statement, ast.If) and statement.orelse and self._ends(statement.body):
                self._if(statement, statement.orelse[:0])
                pending[:0] = [s for s in statement.orelse if not self._is_nothing(s)]
                if is_function and pending and is_bare_return(pending[-1]):
                    pending.pop()
            elif shapes and pending and (value := self._returned(statement, pending[0])) is not None:
                pending.pop(0)
                out.extend(["Return", "(", "value", "="])
                self._node(value)
                out.append(")")
            else:
                self._node(statement)
            out.append(";")
        out.append("}")

    def _returned(self, first: ast.stmt, second: ast.stmt) -> ast.expr | None:
        return self._names.returned_at_once(first, second, self._plan.gone if self._plan is not None else set())

    def _is_nothing(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.Pass) or text_statement(node):
            return True
        if isinstance(node, (ast.Import, ast.ImportFrom)) and self._rules and not self._in_try:
            return all(is_quiet_import(self._lens, node, alias) for alias in node.names)
        return self._plan is not None and id(node) in self._plan.skipped

    def _ends(self, statements: list[ast.stmt]) -> bool:
        left = [s for s in statements if not self._is_nothing(s)]
        return bool(left) and isinstance(left[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))

    def _if(self, node: ast.If, orelse: list[ast.stmt] | None = None) -> None:
        orelse = node.orelse if orelse is None else orelse
        self._out.append("If(")
        self._node(node.test)
        self._block(node.body)
        if any(not self._is_nothing(s) for s in orelse):
            self._out.append("else")
            self._block(orelse)
        self._out.append(")")

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        self._in_try += 1
        self._plainly(node)
        self._in_try -= 1

    def _not(self, node: ast.UnaryOp) -> None:
        """`not a in b` is `a not in b`; `-1` is a number."""
        inner = node.operand
        value = folded(node) if "constants" in self._rules else None
        if value is not None:
            self._out.append(literal(value))
            return
        if (
            "form" in self._rules
            and isinstance(node.op, ast.Not)
            and isinstance(inner, ast.Compare)
            and len(inner.ops) == 1
        ):
            turned = _TURNED.get(type(inner.ops[0]))
            if turned is not None:
                self._out.extend(["Compare", "(", "left", "="])
                self._node(inner.left)
                self._out.extend(["ops", "=", "[", turned, "(", ")", "]", "comparators", "=", "["])
                self._node(inner.comparators[0])
                self._out.extend(["]", ")"])
                return
        self._plainly(node)

    # -- values

    def _sum(self, node: ast.BinOp) -> None:
        """`24 * 60`, where that is nothing but a number; else perhaps a text that is put together."""
        is_message = self._plan is not None and id(node) in self._plan.messages
        value = folded(node) if "constants" in self._rules and not is_message else None
        if value is None:
            self._text(node)
        else:
            self._out.append(literal(value))

    def _constant(self, node: ast.Constant) -> None:
        is_message = self._plan is not None and id(node) in self._plan.messages
        self._out.append("<message>" if is_message else literal(node.value))
        if isinstance(node.value, str) and not is_message:
            self._dotted_text(node.value)

    def _dotted_text(self, text: str) -> None:
        """`"package.module.name"` and `"module:name"` may be looked up at run time."""
        if "." not in text and ":" not in text:
            return
        module, _, name = text.replace(":", ".").rpartition(".")
        if not module or not _DOTTED.fullmatch(text):
            return
        found = self._lens.project.module(module)
        for other in [found] if found is not None else self._lens.project.beside(self._lens.module):
            if name in other.bindings:
                self.dump.symbols[Symbol(other.name, name)] = None

    def _text(self, node: ast.AST) -> None:
        """An f-string, or with the rule a sum of texts: the same words for the same text; `cast(T, x)` is `x`."""
        if self._plan is not None and id(node) in self._plan.messages:
            self._out.append("<message>")
            return
        folds = "texts" in self._rules
        parts = parts_of(node, folds=folds) if folds or node.__class__ is not ast.Call else None
        if parts is None:
            if not isinstance(node, ast.Call):
                self._plainly(node)
            elif self._is_cast(node):
                self._hint(node.args[0])
                self._node(node.args[1])
            else:
                self._call(node)
            return
        self._parts(parts)

    def _is_cast(self, node: ast.Call) -> bool:
        if "annotations" not in self._rules or len(node.args) != 2 or node.keywords:
            return False
        return self._lens.dotted(node.func) == "typing.cast" and self._may_drop(node.args[0])

    def _parts(self, parts: Parts) -> None:
        if len(parts) <= 1 and all(isinstance(part, str) for part in parts):
            self._out.append(literal("".join(str(part) for part in parts)))
            return
        self._out.append("Text(")
        for part in parts:
            if isinstance(part, str):
                self._out.append(literal(part))
            else:
                self._out.append(f"!{part.conversion}")
                self._node(part.value)
                if part.spec is not None:
                    self._out.append(":")
                    self._node(part.spec)
        self._out.append(")")

    def _call(self, node: ast.Call) -> None:
        dotted = self._lens.dotted(node.func)
        if self._looks:
            self._look_at_call(node, dotted)
        if dotted in ("builtins.getattr", "builtins.setattr", "builtins.delattr") and len(node.args) > 1:
            self._dynamic(node, dotted)
        if dotted in SAFE_SINKS or dotted == "functools.partial":
            self._names.take_lambdas(node.args)
        for keyword in node.keywords:
            if keyword.arg == "key":
                self._names.take_lambdas([keyword.value])
        self._plainly(node)

    def _dynamic(self, node: ast.Call, dotted: str) -> None:
        name, of = node.args[1], self._lens.target(node.args[0])
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self._seen.saw_attribute(name.value)
            if isinstance(of, (Within, External)) or (of is not None and dotted != "builtins.getattr"):
                self._seen.doubts[f"{dotted[9:]}() reaches {ast.unparse(node.args[0])}.{name.value}"] = None
        elif dotted == "builtins.getattr" or of is not None:
            self._seen.doubts[f"{dotted[9:]}() with a name made at run time"] = None

    def _raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self._called.add(id(node.exc))
            self._held.add(id(node.exc))
        self._plainly(node)

    def _assert(self, node: ast.Assert) -> None:
        """`assert x, "message"`: where the message does not count, it may be missing."""
        if self._plan is None or id(node.msg) not in self._plan.messages:
            self._plainly(node)
            return
        self._out.extend(["Assert", "(", "test", "="])
        self._node(node.test)
        self._out.append(")")

    def _handler(self, node: ast.ExceptHandler) -> None:
        self._seen.handles = True
        out = self._out
        out.append("ExceptHandler(")
        if node.type is not None:
            self._called.update(id(n) for n in walk(node.type))
            self._node(node.type)
        variable = self._lens.variable(node)
        gone = self._plan.gone if self._plan is not None and "unused" in self._rules else None
        if variable is not None and (gone is None or any(id(load) not in gone for load in variable.loads)):
            out.append(f"as {self._names.word(variable)}")
        self._block(node.body)
        out.append(")")

    def _capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        variable = self._lens.variable(node)
        self._out.append(type(node).__name__)
        self._out.append("(")
        if variable is not None:
            self._out.append(self._names.word(variable))
        for name in ("pattern", "keys", "patterns"):
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                self._node(value)
            elif value:
                self._list(value)
        self._out.append(")")

    # -- statements

    def _assign(self, node: ast.Assign) -> None:
        self._assigned(node.targets, node.value)

    def _assigned(self, targets: list[ast.expr], value: ast.expr) -> None:
        if self._looks and all(id(target) in self._of for target in targets):
            self._held.add(id(value))
        self._out.append("Assign(")
        for target in targets:
            self._node(target)
            self._out.append("=")
        self._node(value)
        self._out.append(")")

    def _annotated(self, node: ast.AnnAssign) -> None:
        """`x: int = 1`; the annotation of a local is never looked at, that of a class's field always counts."""
        owner = self._lens.variable(node.target) if isinstance(node.target, ast.Name) else None
        is_local = owner is not None and owner.kind in ("local", "param")
        if is_local or (owner is None and isinstance(node.target, ast.Name) and self._may_drop(node.annotation)):
            self._hint(node.annotation)
            if node.value is not None:
                self._assigned([node.target], node.value)
            elif is_local and owner is not None and len(owner.bindings) < 2:
                self._out.append("declared")
            return
        self._out.append("AnnAssign(")
        self._node(node.target)
        of = owner.owner if owner is not None else None
        self._annotation(node.annotation, not isinstance(of, ast.ClassDef) or self._plain.is_plain_class(of))
        if node.value is not None:
            self._node(node.value)
        self._out.append(")")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import inside a function or a block: the names it binds are dumped where they are used."""
        for alias in node.names:
            self._out.append(
                f"import {getattr(node, 'module', None) or ''}:{alias.name}:{getattr(node, 'level', 0) or 0}"
            )
            variable = self._lens.variable(alias)
            target = self._lens.target_of_alias(alias, variable)
            if isinstance(target, Within):
                self.dump.modules[target.module] = None
            elif isinstance(target, Symbol):
                self.dump.symbols[target] = None
            elif isinstance(target, External):
                self._saw(target.dotted)
            if alias.name == "*":
                self._seen.doubts["`import *` inside a block"] = None

    def _global_statement(self, node: ast.Global | ast.Nonlocal) -> None:
        if isinstance(node, ast.Global):
            for name in sorted(node.names):
                self._out.append("global")
                self._global(ast.Name(id=name, ctx=ast.Load()))

    def _return(self, node: ast.Return) -> None:
        if is_bare_return(node):
            self._out.append("Return()")
        else:
            self._plainly(node)

    def _runs(self, node: ast.Await | ast.YieldFrom) -> None:
        if self._looks:
            self._escapes.runs_here(node.value)
        self._plainly(node)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        if self._looks:
            self._escapes.runs_here(node.iter)
        self._plainly(node)

    def _generator(self, node: ast.GeneratorExp) -> None:
        if self._looks:
            self._escapes.saw_code(node)
        self._plainly(node)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        if self._looks:
            self._escapes.saw_with(node)
        self._plainly(node)

    def _expr(self, node: ast.Expr) -> None:
        self._held.add(id(node.value))
        kept = self._plan.kept.get(id(node)) if self._plan is not None else None
        if kept is None:
            self._plainly(node)
            return
        self._out.append("Log(")
        for value in kept:
            self._node(value)
            self._out.append(",")
        self._out.append(")")

    _SPECIAL: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any], None]]] = {
        ast.Name: References._name,
        ast.If: _if,
        ast.Try: _try,
        ast.TryStar: _try,
        ast.UnaryOp: _not,
        ast.Attribute: References._attribute,
        ast.Constant: _constant,
        ast.JoinedStr: _text,
        ast.BinOp: _sum,
        ast.Call: _text,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.Await: _runs,
        ast.YieldFrom: _runs,
        ast.For: _loop,
        ast.AsyncFor: _loop,
        ast.comprehension: _loop,
        ast.GeneratorExp: _generator,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.ExceptHandler: _handler,
        ast.MatchAs: _capture,
        ast.MatchStar: _capture,
        ast.MatchMapping: _capture,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.Import: _import,
        ast.ImportFrom: _import,
        ast.Global: _global_statement,
        ast.Nonlocal: _global_statement,
        ast.Return: _return,
        ast.Expr: _expr,
        ast.FunctionDef: Definitions._function,
        ast.AsyncFunctionDef: Definitions._function,
        ast.Lambda: Definitions._lambda,
        ast.ClassDef: Definitions._class,
    }


def _form(kind: type[ast.AST]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the form of a class of nodes; words that always stand side by side are one."""
    fields = [name for name in kind._fields if name not in SKIPPED_FIELDS]
    head = SEPARATOR.join([kind.__name__, "(", *([] if fields else [")"])])
    form = _FORMS[kind] = (head, tuple((name, f"{name}{SEPARATOR}=") for name in fields))
    return form


_PLAINLY: Final[Callable[[Any, Any], None]] = Dumper._plainly
