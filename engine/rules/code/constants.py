"""Constants that may stand where their name stands: `LIMIT = 5` above and `LIMIT` below means what `5` below means."""

from __future__ import annotations

import ast
from typing import Final, TypeAlias

from engine.rules.code.project import Project, Symbol
from engine.rules.code.texts import parts_of

Scalar: TypeAlias = "str | bytes | int | float | complex"
_LARGEST: Final = 1 << 64
"""Sums of whole numbers are worked out up to here."""


def folded(node: ast.AST | None) -> Scalar | None:
    """Return the value of a text, a number, or a sum of whole numbers (`24 * 60`); None for anything else.

    True and False are numbers; None is no value here, because nothing is gained by giving it a name.
    """
    if isinstance(node, ast.Constant):
        value = node.value
        return value if isinstance(value, (str, bytes, int, float, complex)) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = folded(node.operand)
        return -inner if type(inner) is int or type(inner) is float else None
    if isinstance(node, (ast.JoinedStr, ast.Call, ast.BinOp)):
        parts = parts_of(node, folds=True)
        if parts is not None:
            return "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None
    if not isinstance(node, ast.BinOp):
        return None
    left, right = folded(node.left), folded(node.right)
    if type(left) is not int or type(right) is not int or max(abs(left), abs(right)) > _LARGEST:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    return left * right if isinstance(node.op, ast.Mult) else None


def constant(project: Project, symbol: Symbol) -> Scalar | None:
    """Return what a symbol is, where it is bound once, to such a value, and no function may bind it anew."""
    module = project.module(symbol.module)
    if module is None or symbol.name in module.globals or symbol.name in module.imports or module.stars:
        return None
    statements = module.bindings.get(symbol.name, [])
    if len(statements) != 1:
        return None
    (statement,) = statements
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    return folded(statement.value) if isinstance(target, ast.Name) else None
