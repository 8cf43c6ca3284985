"""Texts that are put together: `"a" + "b"`, `f"a{x}"` and `"a{}".format(x)` mean the same wherever they are equal."""

from __future__ import annotations

import ast
import string
from typing import TypeAlias

from engine.contracts.values import dataclass
from engine.rules.code.nodes import walk


@dataclass(frozen=True, slots=True)
class Part:
    """A value in a text: the expression, its conversion (-1 for none) and its format."""

    value: ast.expr
    conversion: int
    spec: ast.expr | None


Parts: TypeAlias = "list[str | Part]"


def parts_of(node: ast.AST, *, folds: bool) -> Parts | None:
    """Return what a text is made of, neighbouring constants joined; None for anything that is not certainly a text.

    `folds` also takes sums of texts and plain `.format` calls apart; without it only f-strings are looked at.
    """
    found = _parts(node, folds)
    return None if found is None else _joined(found)


def _parts(node: ast.AST, folds: bool) -> Parts | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return _of_fstring(node, folds)
    if folds and isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add):
            left, right = _parts(node.left, folds), _parts(node.right, folds)
            return None if left is None or right is None else [*left, *right]
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Tuple):
            return _of_percent(node.left.value, node.right.elts)
    if folds and isinstance(node, ast.Call):
        return _of_format(node)
    return None


def _of_fstring(node: ast.JoinedStr, folds: bool) -> Parts:
    found: Parts = []
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            spec = value.format_spec
            if isinstance(spec, ast.JoinedStr) and _joined(_of_fstring(spec, False)) in ([], [""]):
                spec = None
            inner = _parts(value.value, folds) if folds and spec is None and value.conversion in (-1, 115) else None
            found.extend(inner if inner is not None else [Part(value.value, value.conversion, spec)])
        elif isinstance(value, ast.Constant):
            found.append(str(value.value))
    return found


def _of_format(node: ast.Call) -> Parts | None:
    """`"…{}…".format(a)` with one plain field for each argument, in order: what an f-string does."""
    method = node.func
    if not (isinstance(method, ast.Attribute) and method.attr == "format" and isinstance(method.value, ast.Constant)):
        return None
    text = method.value.value
    if not isinstance(text, str) or any(isinstance(a, ast.Starred) for a in node.args):
        return None
    named = {k.arg: k.value for k in node.keywords}
    if None in named or (named and node.args):
        return None
    order = list(named)
    found: Parts = []
    used = 0
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return None
    for literal, name, spec, conversion in fields:
        found.append(literal)
        if name is None:
            continue
        if spec or conversion not in (None, "r", "s"):
            return None
        if named:
            if used >= len(order) or name != order[used]:
                return None
            value = named[name]
        else:
            if used >= len(node.args) or name not in ("", str(used)):
                return None
            value = node.args[used]
        found.append(Part(value, ord(conversion) if conversion else -1, None))
        used += 1
    numbered = {name == "" for _, name, _, _ in fields if name is not None}
    values = [*node.args, *named.values()]
    return found if used == len(values) and len(numbered) <= 1 and _in_any_order(values) else None


def _in_any_order(values: list[ast.expr]) -> bool:
    """Whether it does not matter that an f-string makes a text of one value before it asks for the next."""
    acts = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
    return len(values) < 2 or not any(isinstance(n, acts) for value in values for n in walk(value))


def _of_percent(text: object, values: list[ast.expr]) -> Parts | None:
    """`"…%s…" % (a, b)` with nothing but `%s`, one for each value."""
    if not isinstance(text, str) or any(isinstance(v, ast.Starred) for v in values):
        return None
    pieces = text.split("%s")
    if len(pieces) != len(values) + 1 or any("%" in piece for piece in pieces) or not _in_any_order(values):
        return None
    found: Parts = [pieces[0]]
    for value, piece in zip(values, pieces[1:], strict=True):
        found.extend([Part(value, 115, None), piece])
    return found


def _joined(parts: Parts) -> Parts:
    joined: Parts = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined
