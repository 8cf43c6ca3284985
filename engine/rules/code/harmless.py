"""Can an expression be left out, or put in, without anybody noticing? Only if it cannot fail and changes nothing.

What an expression may rest on is known from the statements that certainly ran before it (`Before`): `data["title"]` in
a log call cannot fail where the line above it has read `data["title"]` already.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.kinds import CLOCKS, OF_STR_METHOD, SIZED, Kinds
from engine.rules.code.lens import Lens
from engine.rules.code.nodes import children
from engine.rules.code.project import Symbol, Unknown
from engine.rules.code.texts import parts_of

_OF_CONTEXT: Final = frozenset(
    {"item", "item.key", "item.title", "item.data", "item.path", "job", "stage", "attempt", "params", "root"}
)
"""Attributes that every context has."""
_NUMBER_FORMAT: Final = frozenset("0123456789.,+-_%efgEFG<>=^ ")
_PLAIN_FIELD: Final = re.compile(r"[^%]*%[sr][^%]*")
"""A text with one value in it, which may be any."""
_EVALUATED: Final = "_rivus_evaluated"
"""Attribute of a node that holds its keys: the statements around it ask for them again."""
_LAZY: Final = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CONTAINERS: Final = (ast.Tuple, ast.List, ast.Dict, ast.Set)
_TAKE_ONE: Final = frozenset({"builtins.str", "builtins.repr", "builtins.bool", "builtins.type", "builtins.id"})


@dataclass(slots=True)
class Before:
    """What has certainly been evaluated: variables (`x`), chains (`x.a`, `x["b"]`), and calls of `len` on them."""

    keys: set[str] = field(default_factory=set)

    def copy(self) -> Before:
        return Before(set(self.keys))

    def forget(self, root: str) -> None:
        """A variable has a new value: what was read of the old one proves nothing."""
        self.keys = {
            key for key in self.keys if key != root and not key.startswith((f"{root}.", f"{root}[", f"len({root}"))
        }


@dataclass(frozen=True, slots=True)
class Caution:
    """What in the whole closure makes reading an attribute or printing a value an act."""

    acting: frozenset[str] = frozenset()
    """Names of properties, and of `__str__`, `__len__` and their like, that the project defines."""
    arrays: bool = False
    """Arrays are about, whose truth is an error."""


def chain(node: ast.AST) -> str | None:
    """Return the key of a name, attribute or constant subscript chain; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = chain(node.value)
        return None if base is None else f"{base}.{node.attr}"
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        base = chain(node.value)
        return None if base is None else f"{base}[{node.slice.value!r}]"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1:
        base = chain(node.args[0])
        return None if base is None else f"len({base})"
    return None


def evaluated(node: ast.AST) -> frozenset[str]:
    """Return the keys of what is certainly evaluated when a statement or expression is."""
    known: frozenset[str] | None = node.__dict__.get(_EVALUATED)
    if known is None:
        known = node.__dict__[_EVALUATED] = frozenset(_evaluated(node))
    return known


def _evaluated(node: ast.AST) -> Iterator[str]:
    pending: list[ast.AST] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, _LAZY):
            if not isinstance(current, ast.Lambda):
                pending.append(current.generators[0].iter)
            continue
        if isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(current, ast.Compare) and len(current.ops) > 1:
            pending.extend([current.left, current.comparators[0]])
            continue
        if isinstance(current, ast.BoolOp):
            pending.append(current.values[0])
            continue
        if isinstance(current, ast.IfExp):
            pending.append(current.test)
            continue
        key = chain(current)
        if key is not None and isinstance(getattr(current, "ctx", ast.Load()), ast.Load):
            yield key
        pending.extend(children(current))


class Harmless:
    """The question for one statement of a module."""

    def __init__(self, lens: Lens, kinds: Kinds, caution: Caution, context: str | None) -> None:
        """`context` is the name of the parameter that is a handler's context, where the statement is the handler."""
        self._lens = lens
        self._kinds = kinds
        self._caution = caution
        self._context = context
        self._plain_objects = not any(name.startswith("__") for name in caution.acting)

    def is_harmless(self, node: ast.AST | None, before: Before, *, may_fail: bool = False) -> bool:
        """Whether evaluating it changes nothing and, unless it `may_fail`, cannot raise."""
        if node is None:
            return True
        return self._ok(node, before, may_fail)

    def not_harmless(self, nodes: list[ast.expr], before: Before) -> list[ast.expr] | None:
        """Return the values among these, and in f-strings among these, that are not; None if printing one may act."""
        found: list[ast.expr] = []
        for node in nodes:
            if isinstance(node, ast.FormattedValue) and node.format_spec is None:
                node = node.value
            if self._ok(node, before, False):
                continue
            inner = self.not_harmless(node.values, before) if isinstance(node, ast.JoinedStr) else [node]
            found.extend(inner or ())
        return found if self._plain_objects else None

    def _ok(self, node: ast.AST, before: Before, may_fail: bool) -> bool:
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name):
            return self._name_ok(node, before)
        if isinstance(node, ast.Attribute):
            return self._attribute_ok(node, before, may_fail)
        if isinstance(node, ast.Subscript):
            return self._subscript_ok(node, before, may_fail)
        if isinstance(node, ast.JoinedStr):
            return all(self._ok(value, before, may_fail) for value in node.values)
        if isinstance(node, ast.FormattedValue):
            return self._formatted_ok(node, before, may_fail)
        if isinstance(node, ast.Call):
            return self._call_ok(node, before, may_fail)
        if isinstance(node, ast.BinOp):
            return self._operation_ok(node, before, may_fail)
        if isinstance(node, ast.Compare):
            return self._comparison_ok(node, before, may_fail)
        if isinstance(node, ast.BoolOp):
            return self.is_truth_harmless(node.values, before, may_fail)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                return self.is_truth_harmless([node.operand], before, may_fail)
            return self._kinds.of(node.operand) == "num" and self._ok(node.operand, before, may_fail)
        if isinstance(node, ast.IfExp):
            return self.is_truth_harmless([node.test], before, may_fail) and all(
                self._ok(part, before, may_fail) for part in (node.body, node.orelse)
            )
        if isinstance(node, _CONTAINERS):
            return self._display_ok(node, before, may_fail)
        return False

    def is_truth_harmless(self, nodes: list[ast.expr], before: Before, may_fail: bool = False) -> bool:
        """Whether asking for the truth of values is; arrays fail, and `__bool__` may act."""
        if self._caution.arrays and any(
            self._kinds.of(node) is None and not isinstance(node, (ast.Compare, ast.UnaryOp)) for node in nodes
        ):
            return False
        return self._plain_objects and all(self._ok(node, before, may_fail) for node in nodes)

    def _name_ok(self, node: ast.Name, before: Before) -> bool:
        variable = self._lens.variable(node)
        if variable is not None:
            if variable.kind in ("inner", "param"):
                return self._plain_objects or self._kinds.of(node) is not None
            known = node.id in before.keys or (variable.shared and variable.owner is not None)
            return known and (self._plain_objects or self._kinds.of(node) is not None)
        target = self._lens.target(node)
        if isinstance(target, Unknown):
            return target.doubt is None and node.id in before.keys
        return self._plain_objects or not isinstance(target, Symbol)

    def _attribute_ok(self, node: ast.Attribute, before: Before, may_fail: bool) -> bool:
        if node.attr in self._caution.acting or not self._plain_objects:
            return False
        if isinstance(node.value, ast.Call) and node.attr in ("__name__", "__qualname__"):
            return self._lens.dotted(node.value.func) == "builtins.type" and self._ok(node.value, before, may_fail)
        key = chain(node)
        if key is None:
            return False
        root, _, rest = key.partition(".")
        if root == self._context and rest in _OF_CONTEXT and self._is_context(node):
            return True
        if key in before.keys:
            return True
        target = self._lens.target(node)
        if isinstance(target, Symbol):
            return True
        if not self._ok(node.value, before, may_fail):
            return False
        proven = isinstance(node.value, ast.Name) and any(k.startswith(f"{node.value.id}.") for k in before.keys)
        return proven or may_fail

    def _is_context(self, node: ast.AST) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        variable = self._lens.variable(node)
        return variable is not None and variable.kind == "param" and len(variable.bindings) == 1

    def _subscript_ok(self, node: ast.Subscript, before: Before, may_fail: bool) -> bool:
        key = chain(node)
        if key is not None and key in before.keys and self._plain_objects:
            return True
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper)
            sliceable = self._kinds.of(node.value) in ("str", "list", "tuple", "bytes")
            return (
                sliceable
                and node.slice.step is None
                and all(_is_index(bound) for bound in bounds)
                and self._ok(node.value, before, may_fail)
            )
        return (
            may_fail
            and self._plain_objects
            and self._ok(node.value, before, True)
            and self._ok(node.slice, before, True)
        )

    def _formatted_ok(self, node: ast.FormattedValue, before: Before, may_fail: bool) -> bool:
        if not self._ok(node.value, before, may_fail):
            return False
        if node.format_spec is None or (isinstance(node.format_spec, ast.JoinedStr) and not node.format_spec.values):
            return True
        parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
        spec = "".join(str(p.value) for p in parts if isinstance(p, ast.Constant))
        constant = all(isinstance(p, ast.Constant) for p in parts)
        return constant and (
            may_fail or (self._kinds.of(node.value) == "num" and spec[-1:] in "efg%EFG" and set(spec) <= _NUMBER_FORMAT)
        )

    def _call_ok(self, node: ast.Call, before: Before, may_fail: bool) -> bool:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            return False
        dotted = self._lens.dotted(node.func)
        if dotted in CLOCKS:
            return not node.args and not node.keywords
        if node.keywords:
            return False
        if dotted == "builtins.len" and len(node.args) == 1:
            key = chain(node)
            proven = (key is not None and key in before.keys) or self._kinds.of(node.args[0]) in SIZED
            return self._plain_objects and (proven or may_fail) and self._ok(node.args[0], before, may_fail)
        if dotted in _TAKE_ONE and len(node.args) == 1:
            return self._plain_objects and self._ok(node.args[0], before, may_fail)
        if dotted == "builtins.round" and 1 <= len(node.args) <= 2:
            return all(self._kinds.of(a) == "num" and self._ok(a, before, may_fail) for a in node.args)
        if dotted == "builtins.isinstance":
            return len(node.args) == 2 and self._plain_objects and all(self._ok(a, before, may_fail) for a in node.args)
        if dotted is None and isinstance(node.func, ast.Attribute):
            return self._method_ok(node, node.func, before, may_fail)
        return False

    def _method_ok(self, node: ast.Call, method: ast.Attribute, before: Before, may_fail: bool) -> bool:
        kind = self._kinds.of(method.value)
        if isinstance(method.value, ast.Constant) and method.attr == "format":
            plain = isinstance(parts_of(node, folds=True), list)
            return plain and self._plain_objects and all(self._ok(a, before, may_fail) for a in node.args)
        if not self._ok(method.value, before, may_fail) or not all(self._ok(a, before, may_fail) for a in node.args):
            return False
        if kind == "str" and method.attr in OF_STR_METHOD:
            return not node.args and method.attr not in ("join", "format", "replace", "count", "startswith", "endswith")
        if method.attr == "get" and 1 <= len(node.args) <= 2 and isinstance(node.args[0], ast.Constant):
            return kind == "dict" or (chain(method.value) or "").endswith((".data", ".params"))
        return kind == "dict" and method.attr in ("keys", "values", "items") and not node.args

    def _operation_ok(self, node: ast.BinOp, before: Before, may_fail: bool) -> bool:
        if not (self._ok(node.left, before, may_fail) and self._ok(node.right, before, may_fail)):
            return False
        kinds = (self._kinds.of(node.left), self._kinds.of(node.right))
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
            return may_fail or (kinds[1] == "num" and _PLAIN_FIELD.fullmatch(node.left.value) is not None)
        if isinstance(node.op, (ast.Div, ast.FloorDiv)):
            by = node.right.value if isinstance(node.right, ast.Constant) else 0
            return kinds == ("num", "num") and bool(by)
        return (kinds == ("num", "num") and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult))) or (
            kinds == ("str", "str") and isinstance(node.op, ast.Add)
        )

    def _comparison_ok(self, node: ast.Compare, before: Before, may_fail: bool) -> bool:
        sides = [node.left, *node.comparators]
        if not all(self._ok(side, before, may_fail) for side in sides):
            return False
        if all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            return True
        kinds = {self._kinds.of(side) for side in sides}
        if all(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
            return self._plain_objects and (not self._caution.arrays or None not in kinds)
        return kinds in ({"num"}, {"str"}) and not any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops)

    def _display_ok(self, node: ast.AST, before: Before, may_fail: bool) -> bool:
        if isinstance(node, ast.Dict):
            return all(isinstance(k, ast.Constant) for k in node.keys) and all(
                self._ok(v, before, may_fail) for v in node.values
            )
        if isinstance(node, ast.Set):
            return all(isinstance(e, ast.Constant) for e in node.elts)
        return isinstance(node, (ast.Tuple, ast.List)) and all(self._ok(e, before, may_fail) for e in node.elts)


def _is_index(node: ast.expr | None) -> bool:
    """Whether a bound of a slice is missing or a whole number in the source."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return node is None or (isinstance(node, ast.Constant) and type(node.value) is int)
