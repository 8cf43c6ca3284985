"""Words: what a symbol is dumped as, and what single nodes become."""

from __future__ import annotations

import ast
from dataclasses import field
from typing import Final, TypeAlias

from engine.contracts.values import dataclass
from engine.rules.code.imports import QUIET_MODULES
from engine.rules.code.lens import Lens
from engine.rules.code.nodes import walk
from engine.rules.code.project import External, Symbol, Unknown


@dataclass(frozen=True, slots=True)
class Doc:
    """A docstring, which counts only where something reads it."""

    text: str
    of: Symbol | None
    plain: bool
    """Nothing but a reader of docstrings could see it."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A type hint that `from __future__ import annotations` makes a text, which counts only where hints are read."""

    of: Symbol | None
    plain: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A constant of the project by its name, with the word for its value."""

    symbol: Symbol
    value: str


SEPARATOR: Final = "\0"
"""What stands between two words where they are hashed."""
Word: TypeAlias = "str | Symbol | Doc | Hint | Named"


@dataclass(slots=True)
class Dump:
    """The words of one symbol, and what was seen on the way."""

    words: list[Word] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    """Places of the words that are no texts yet, while a statement is dumped."""
    symbols: dict[Symbol, None] = field(default_factory=dict)
    """What it refers to in the project, in order."""
    modules: dict[str, None] = field(default_factory=dict)
    """Modules of the project that it imports or names."""
    unresolved: dict[str, None] = field(default_factory=dict)
    """Global names that nothing binds."""
    quoted: dict[Symbol, None] = field(default_factory=dict)
    """What type hints in quotes refer to, which counts only where something reads hints."""
    hinted: dict[Symbol, None] = field(default_factory=dict)
    """What hints refer to: a value that comes from elsewhere may be one of these, and do what they do."""
    has_named: bool = False
    """Whether there is a `Named` among the words."""

    def say(self, word: Symbol | Doc | Hint | Named) -> None:
        """Add a word whose text depends on the closure."""
        self.others.append(len(self.words))
        self.words.append(word)

    def add(self, other: Dump) -> None:
        """Take in the words of a statement; texts that stand side by side become one, as they are hashed."""
        words, start = other.words, 0
        for place in other.others:
            if start < place:
                self.words.append(SEPARATOR.join(words[start:place]))  # type: ignore[arg-type]
            self.words.append(words[place])
            start = place + 1
        if start < len(words):
            self.words.append(SEPARATOR.join(words[start:]))  # type: ignore[arg-type]
        self.symbols.update(other.symbols)
        self.modules.update(other.modules)
        self.unresolved.update(other.unresolved)
        self.quoted.update(other.quoted)
        self.hinted.update(other.hinted)
        self.has_named = self.has_named or other.has_named


def literal(value: object) -> str:
    """Return a constant as a word: the same on every Python, and different for `1`, `1.0` and `True`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"i{value:x}"
    if isinstance(value, str):
        if value.isascii() and value.isprintable() and "\\" not in value:
            return f"'{value}'"
        return "'" + value.encode("unicode_escape", "surrogatepass").decode("ascii") + "'"
    return ascii(value)


def is_bare_return(node: ast.stmt) -> bool:
    """`return` and `return None`."""
    if not isinstance(node, ast.Return):
        return False
    return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)


def is_quiet_import(lens: Lens, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
    """Whether an import inside a function only binds a name: that of a module of the standard library."""
    variable = lens.variable(alias)
    top = (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
    once = variable is not None and len(variable.bindings) == 1
    return once and top in QUIET_MODULES and not (isinstance(node, ast.ImportFrom) and node.level)


def union_members(node: ast.expr, lens: Lens) -> list[ast.expr]:
    """Return the members of a union of types, in order; of any other type, itself."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*union_members(node.left, lens), *union_members(node.right, lens)]
    if isinstance(node, ast.Subscript):
        target = lens.target(node.value)
        name = target.dotted if isinstance(target, External) else target.name if isinstance(target, Unknown) else ""
        if name in ("typing.Optional", "Optional"):
            return [*union_members(node.slice, lens), ast.Constant(value=None)]
        if name in ("typing.Union", "Union") and isinstance(node.slice, ast.Tuple):
            return [member for part in node.slice.elts for member in union_members(part, lens)]
    return [node]


def quoted_names(hint: ast.expr) -> list[str]:
    """Return the names in those parts of a type hint that stand in quotes: `T` of `"list[T]"`."""
    found: list[str] = []
    if isinstance(hint, ast.Name):  # as most are
        return found
    for node in walk(hint):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval")
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # no type: a word of `Literal`
            found.extend(n.id for n in walk(inner) if isinstance(n, ast.Name))
    return found
