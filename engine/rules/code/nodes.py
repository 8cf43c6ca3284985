"""Walks over a syntax tree: many rules look at the same few thousand nodes, so each is taken apart once."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

_KNOWN: Final = "_rivus_children"
"""Attribute of a node that holds its children: trees are parsed for the rules alone, and are never changed."""
_WALKED: Final = "_rivus_nodes"
"""Attribute of a top-level statement that holds all that is in it."""
_MARKS: Final = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
LEAVES: Final = frozenset(
    {ast.Name, ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal}
    | {kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, _MARKS)}
)
"""Nodes without anything in them."""
_NEVER_NODES: Final = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "level", "module", "asname", "conversion"}
    | {"simple", "rest"}
    | {"is_async", "kwd_attrs"}
)
"""Fields that hold texts and numbers, or marks: of operators, and for loading and storing."""
_HOLEY: Final = frozenset({"keys", "kw_defaults"})
"""Lists in which something may be missing."""
_FIELDS: Final[dict[type, tuple[str, ...]]] = {}
"""Class of node → its fields that may hold nodes."""


def children(node: ast.AST) -> Sequence[ast.AST]:
    """Return the nodes directly in a node, without its marks: operators, and those for loading and storing."""
    if node.__class__ in LEAVES:
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
            found += value if name not in _HOLEY else [item for item in value if item is not None]
        elif isinstance(value, ast.AST):
            found.append(value)
    has[_KNOWN] = found
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and everything in it, as `ast.walk` yields it, but for the marks that `children` leaves out.

    The list is not the caller's to change.
    """
    walked: list[ast.AST] | None = node.__dict__.get(_WALKED)
    if walked is not None:
        return walked
    found = [node]
    leaves = LEAVES
    for inner in found:
        if inner.__class__ not in leaves:
            known = inner.__dict__.get(_KNOWN)
            found += _found(inner) if known is None else known
    return found


def walk_once(statement: ast.stmt) -> list[ast.AST]:
    """Walk over a statement that will be asked for again."""
    found = statement.__dict__[_WALKED] = walk(statement)
    return found
