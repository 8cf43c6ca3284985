"""Walks over a syntax tree: many rules look at the same few thousand nodes, so each is taken apart once."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

_KNOWN: Final = "_rivus_children"
"""Attribute of a node that holds its children: trees are parsed for the rules alone, and are never changed."""
_MARKS: Final = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
_LEAVES: Final = frozenset(
    {ast.Name, ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal}
    | {kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, _MARKS)}
)
"""Nodes without anything in them."""


def children(node: ast.AST) -> Sequence[ast.AST]:
    """Return the nodes directly in a node, without the marks for loading and storing, which stand at every name."""
    if node.__class__ in _LEAVES:
        return ()
    known: Sequence[ast.AST] | None = node.__dict__.get(_KNOWN)
    if known is None:
        known = node.__dict__[_KNOWN] = tuple(_found(node))
    return known


def _found(node: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found.extend([item for item in value if isinstance(item, ast.AST)])
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and everything in it, as `ast.walk` yields it, but for the marks that `children` leaves out."""
    found = [node]
    for inner in found:
        if inner.__class__ not in _LEAVES:
            found.extend(children(inner))
    return found
