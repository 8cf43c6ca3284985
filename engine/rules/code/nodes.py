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
_NEVER_NODES: Final = frozenset(
    {"ctx", "id", "attr", "arg", "kind", "type_comment", "level", "module", "asname", "conversion", "simple", "rest"}
    | {"is_async", "kwd_attrs"}
)
"""Fields that hold texts and numbers, or the marks for loading and storing, which stand at every name."""
_FIELDS: Final[dict[type, tuple[str, ...]]] = {}
"""Class of node → its fields that may hold nodes."""


def children(node: ast.AST) -> Sequence[ast.AST]:
    """Return the nodes directly in a node, without the marks for loading and storing, which stand at every name."""
    if node.__class__ in _LEAVES:
        return ()
    known: Sequence[ast.AST] | None = node.__dict__.get(_KNOWN)
    return _found(node) if known is None else known


def _found(node: ast.AST) -> Sequence[ast.AST]:
    kind = node.__class__
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = tuple(name for name in kind._fields if name not in _NEVER_NODES)
    has = node.__dict__
    found: list[ast.AST] = []
    for name in names:
        value = has.get(name)
        if value.__class__ is list:
            if value:
                found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    has[_KNOWN] = found
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and everything in it, as `ast.walk` yields it, but for the marks that `children` leaves out."""
    found = [node]
    leaves = _LEAVES
    for inner in found:
        if inner.__class__ not in leaves:
            known = inner.__dict__.get(_KNOWN)
            found += _found(inner) if known is None else known
    return found
