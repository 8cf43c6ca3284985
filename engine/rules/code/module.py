"""A module as a table of symbols: what each name is bound to, what it imports, and what it does when it is imported."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import field
from itertools import chain
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.nodes import walk_once
from engine.rules.code.scopes import bound_names, same_scope

DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNMENTS: Final = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_LINE_ENDS: Final = re.compile("\r\n|\r|\n")
"""Where Python counts lines; `splitlines` also breaks at form feeds and separators inside texts."""
_SEPARATORS: Final = str.maketrans("[].,", "    ")
_DOES: Final = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.Raise, ast.Delete, ast.AugAssign)


@dataclass(frozen=True, slots=True)
class Import:
    """What a name was imported from: `module`, or `name` in it; `binds_top` for `import a.b`, which binds `a`."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Text of a module of the project, and where it stands."""

    text: str
    path: str
    is_package: bool = False


@dataclass(eq=False, slots=True)
class Module:
    """One parsed module."""

    name: str
    source: Source
    bindings: dict[str, list[ast.stmt]] = field(default_factory=dict)
    """Name → the statements that bind it, in order: several where it is redefined or conditional."""
    imports: dict[str, Import] = field(default_factory=dict)
    typing_only: dict[str, Import] = field(default_factory=dict)
    """Imports under `if TYPE_CHECKING`."""
    order: dict[int, int] = field(default_factory=dict)
    """Place of each top-level statement, by its `id`."""
    effects: list[ast.stmt] = field(default_factory=list)
    """Statements that do something when the module is imported, other than binding names."""
    stars: list[str] = field(default_factory=list)
    star_places: list[tuple[str, int]] = field(default_factory=list)
    """Module that everything is imported from, and the place of that statement."""
    globals: set[str] = field(default_factory=set)
    """Names that some function declares `global`, and so may bind anew."""
    idle_imports: list[str] = field(default_factory=list)
    """Modules that are imported without their names being used here: perhaps for what importing them does."""
    quoted_annotations: bool = False
    """`from __future__ import annotations`."""
    _lines: list[str] | None = None
    problem: str | None = None
    """Why the text could not be parsed; then there are no symbols."""

    def segment(self, node: ast.stmt) -> str:
        """Return the source of a statement, with its decorators."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        if self._lines is None:
            text = self.source.text
            self._lines = _LINE_ENDS.split(text) if "\r" in text else text.split("\n")
        return "\n".join(self._lines[first - 1 : node.end_lineno])


def absolute(module: str, is_package: bool, level: int, target: str | None) -> str:
    """Return the dotted name that `from <level dots><target> import …` names inside `module`."""
    if not level:
        return target or ""
    parts = module.split(".")
    left = len(parts) - level + (1 if is_package else 0)
    above = "." * max(-left, 0)  # above what is known
    return above + ".".join([*parts[: max(left, 0)], *([target] if target else [])])


def parse(name: str, source: Source) -> Module:
    """Parse a module; what cannot be parsed says so in `problem`."""
    module = Module(name=name, source=source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text.removeprefix("\ufeff"))
        _fill(module, tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Module(name=name, source=source, problem=f"{source.path} cannot be read as Python: {error}")
    return module


def _fill(module: Module, tree: ast.Module) -> None:
    body = tree.body
    if ast.get_docstring(tree, clean=False) is not None:
        _bind(module, "__doc__", body[0])
    for place, statement in enumerate(body):
        module.order[id(statement)] = place
        _take(module, statement)
    _look_inside(module, tree)


def _take(module: Module, statement: ast.stmt) -> None:
    if isinstance(statement, DEFINITIONS):
        _bind(module, statement.name, statement)
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        take_imports(module, statement, into=module.imports)
    elif isinstance(statement, _ASSIGNMENTS):
        names = set(bound_names(statement))
        for name in names:
            _bind(module, name, statement)
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(not isinstance(t, (ast.Name, ast.Tuple, ast.List)) for t in targets):
            module.effects.append(statement)
    elif isinstance(statement, ast.If) and _is_typing_only(statement.test) and "TYPE_CHECKING" not in module.bindings:
        for inner in statement.body:
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                take_imports(module, inner, into=module.typing_only)
        for inner in statement.orelse:
            _take(module, inner)
    elif isinstance(statement, ast.If) and _is_main(statement.test):
        for inner in statement.orelse:
            _take(module, inner)
    elif isinstance(statement, ast.Expr):
        if not isinstance(statement.value, ast.Constant):
            module.effects.append(statement)
    elif not isinstance(statement, ast.Pass):
        _take_compound(module, statement)


def _take_compound(module: Module, statement: ast.stmt) -> None:
    """`try: import a` and its like: every name it binds stands for the whole statement."""
    for name in dict.fromkeys(bound_names(statement)):
        _bind(module, name, statement)
    acts = False
    for node in same_scope(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            take_imports(module, node, into=module.imports)
        acts = acts or isinstance(node, _DOES)
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            acts = True
    if acts:
        module.effects.append(statement)


def take_imports(module: Module, statement: ast.Import | ast.ImportFrom, *, into: dict[str, Import]) -> None:
    """Enter what an import statement binds."""
    for name, found in imported(module, statement):
        if name == "*":
            module.stars.append(found.module)
            module.star_places.append((found.module, len(module.order)))
            continue
        known = into.get(name)
        if into is module.imports and (name in module.bindings or (known is not None and known != found)):
            _bind(module, name, statement)
        into[name] = found


def imported(module: Module, statement: ast.Import | ast.ImportFrom) -> list[tuple[str, Import]]:
    """Return (name it binds, what that is) for each part of an import statement."""
    if isinstance(statement, ast.Import):
        return [
            (alias.asname, Import(alias.name)) if alias.asname else (alias.name.partition(".")[0], _top(alias.name))
            for alias in statement.names
        ]
    base = absolute(module.name, module.source.is_package, statement.level, statement.module)
    if base == "__future__":
        module.quoted_annotations |= any(alias.name == "annotations" for alias in statement.names)
        return []
    return [(alias.asname or alias.name, Import(base, alias.name)) for alias in statement.names]


def _top(dotted: str) -> Import:
    return Import(dotted.partition(".")[0])


def _bind(module: Module, name: str, statement: ast.stmt) -> None:
    statements = module.bindings.setdefault(name, [])
    if not any(statement is known for known in statements):
        statements.append(statement)


def _is_typing_only(test: ast.expr) -> bool:
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING" and isinstance(test.value, ast.Name) and test.value.id == "typing"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _is_main(test: ast.expr) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    texts = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and texts == ["__main__"]


def _look_inside(module: Module, tree: ast.Module) -> None:
    """Note names declared `global`, and imports nobody uses here: a name in `__all__`, in quotes or in an annotation
    counts as used."""
    used: set[str] = set()
    constants: list[object] = []
    for node in chain.from_iterable(map(walk_once, tree.body)):
        kind = node.__class__
        if kind is ast.Name:
            if node.ctx.__class__ is ast.Load:  # type: ignore[attr-defined]
                used.add(node.id)  # type: ignore[attr-defined]
        elif kind is ast.Constant:
            constants.append(node.value)  # type: ignore[attr-defined]
        elif kind is ast.Global:
            module.globals.update(node.names)  # type: ignore[attr-defined]
    imports = [
        (name, found.module)
        for statement in tree.body
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for name, found in imported(module, statement)
        if name not in used and name != "*"
    ]
    if imports:
        texts = [value for value in constants if isinstance(value, str) and len(value) < 200]
        quoted = {word for text in texts for word in text.translate(_SEPARATORS).split()}
        module.idle_imports.extend(of for name, of in imports if name not in quoted)
