"""The fingerprint of a stage: every symbol its function reaches, each with three hashes.

`raw` is the text; `norm` is the same for code that differs in comments, formatting and docstrings nobody reads;
`erased` also sets aside what cannot change an output (annotations, log calls, messages of errors, names of locals). The
version is made of the `norm` hashes. Module names and places are no part of it, so moved code keeps its version.
"""

from __future__ import annotations

import ast
import gc
import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.constants import constant
from engine.rules.code.facts import Facts
from engine.rules.code.module import Module
from engine.rules.code.nodes import walk
from engine.rules.code.plan import RULES, Plan
from engine.rules.code.project import Symbol
from engine.rules.code.reading import Reading
from engine.rules.code.registering import registered
from engine.rules.code.units import EFFECTS, Unit, acting_order
from engine.rules.code.words import SEPARATOR, Doc, Dump, Hint, Named, Word

SCHEME: Final = 1
"""Number of this way to make hashes; another number makes every version another."""
ALL_RULES: Final = frozenset(RULES)
CONSTANT: Final = "="
"""What `erased` begins with for a constant."""
HINTED: Final = ":"
"""What `erased` begins with for what only type hints refer to: a hint may come and go, what it names may not change."""
VALUES: Final = "/"
"""What follows in `erased` where constants are used: a second hash, with their values in place of their names."""
STAGE_NAME: Final = "<stage>"
"""The word for the stage's function, whatever it is called."""


class NoSuchSymbol(LookupError):
    """The function that a fingerprint was asked of is not there; the message is one sentence for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolPrint:
    """One symbol of a closure."""

    name: str
    """`function`, `Class`, `Class.method`, `CONSTANT`, `file prompts/x.md`, `params`, `package x`."""
    place: str
    """`path:line`; empty for what is not code."""
    raw: str
    norm: str
    erased: str
    """To be compared by `compare` only: see `CONSTANT` and `VALUES`."""
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """What a stage's code is at one moment."""

    version: str
    """32 hexadecimal digits."""
    symbols: tuple[SymbolPrint, ...]
    """The stage's function first."""
    doubts: tuple[str, ...] = ()
    """Why the closure may not be complete; empty when it is."""
    unresolved: tuple[str, ...] = ()
    """Global names that nothing seen here binds."""

    def by_name(self) -> Mapping[str, SymbolPrint]:
        """Return the symbols by name."""
        return {symbol.name: symbol for symbol in self.symbols}


def extra(name: str, text: str) -> SymbolPrint:
    """Return a symbol for what is not code: a declared file, the stage's params, a package's version."""
    digest = _hash([text])
    return SymbolPrint(name=name, place="", raw=digest, norm=digest, erased=digest, source=text)


def fingerprint(
    reading: Reading,
    module: str,
    function: str,
    *,
    extras: Iterable[SymbolPrint] = (),
    rules: frozenset[str] = ALL_RULES,
) -> Fingerprint:
    """Return the fingerprint of `function` in a module; NoSuchSymbol if it is not there.

    `function` is `name` or `Class.method`; the bare name of what only one class or function of the module defines
    stands for the whole of that.
    """
    with _uncollected():
        return _Closure(reading, _root(reading, module, function), rules, tuple(extras)).fingerprint()


def version(reading: Reading, module: str, function: str, *, extras: Iterable[SymbolPrint] = ()) -> str:
    """Return only the version of a fingerprint, which takes much less time; NoSuchSymbol as above."""
    with _uncollected():
        return _Closure(reading, _root(reading, module, function), ALL_RULES, tuple(extras)).version()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: tens of thousands of nodes are made, and all of them stay with the reading."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _root(reading: Reading, module: str, function: str) -> Symbol:
    found = reading.project.module(module)
    if found is None:
        raise NoSuchSymbol(f"there is no module `{module}`")
    if found.problem is not None:
        raise NoSuchSymbol(found.problem)
    top, _, method = function.partition(".")
    root = reading.project.resolve(found, top)
    if not isinstance(root, Symbol) or not reading.units(root):
        around = [name for name, statements in found.bindings.items() if any(_defines(s, top) for s in statements)]
        if len(around) != 1 or method:
            raise NoSuchSymbol(f"{found.source.path} has no `{function}`")
        return Symbol(found.name, around[0])
    statements = found.bindings.get(top, [])
    is_whole = len(statements) == 1 and isinstance(statements[0], ast.ClassDef) and not statements[0].bases
    if method and is_whole and not _defines(statements[0], method.rpartition(".")[2]):
        raise NoSuchSymbol(f"{found.source.path} has no `{function}`")
    return root


def _defines(statement: ast.stmt, name: str) -> bool:
    """Whether a function of this name, or something that may be one, is bound in a statement."""
    return any(
        (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name)
        or (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        for node in walk(statement)
        if node is not statement
    )


class _Closure:
    """Two walks from the root: one over everything, to see what is looked at, and one over what counts."""

    def __init__(self, reading: Reading, root: Symbol, rules: frozenset[str], extras: tuple[SymbolPrint, ...]) -> None:
        self._reading = reading
        self._project = reading.project
        self._root = root
        self._rules = rules
        self._extras = sorted(extras, key=lambda symbol: symbol.name)
        self._facts = Facts()
        self._keys: dict[Unit, Hashable] = {}
        """What is set aside in a part depends on."""
        self._plans: dict[Unit, list[Plan]] = {}
        self._norms: dict[Unit, str] = {}
        self._erased: dict[Unit, Dump] = {}
        self._all = self._walk(self._read, hints=True)
        self._names = self._plain_names()
        self._settle()

    def version(self) -> str:
        """Return the hash of everything that is reached."""
        parts = [f"{self._name(unit)}={self._norm(unit)}" for unit in self._all]
        parts.extend(f"{symbol.name}={symbol.norm}" for symbol in [*self._orders(self._all), *self._extras])
        return _hash([f"scheme {SCHEME}", *sorted(parts)])

    def fingerprint(self) -> Fingerprint:
        """Return the symbols that count, with their hashes."""
        general = self._facts.in_general()
        for unit in self._all:
            self._plans[unit] = self._planned(unit, general)
        if any(plan.reads_errors for plans in self._plans.values() for plan in plans):
            self._facts.errors = True
            for unit, plans in self._plans.items():
                self._plans[unit] = [replace(plan, messages=set()) for plan in plans]
        kept = self._walk(self._erase, hints=False)
        symbols = [
            symbol if unit in kept else replace(symbol, erased=HINTED + symbol.erased)
            for unit, dump in self._walk(self._erase, hints=True).items()
            if unit in self._all and (symbol := self._print(unit, dump)) is not None
        ]
        symbols.extend([*self._orders(kept), *self._extras])
        return Fingerprint(
            version=self.version(),
            symbols=tuple(symbols),
            doubts=tuple(self._facts.doubts),
            unresolved=tuple(sorted({name for dump in kept.values() for name in dump.unresolved})),
        )

    def _walk(self, dump_of: Callable[[Unit], Dump], *, hints: bool) -> dict[Unit, Dump]:
        """Return the parts that are reached from the root, as far as their words, or `hints`, refer to each other."""
        dumps: dict[Unit, Dump] = {}
        reached: dict[Symbol, None] = {self._root: None}
        modules: dict[str, None] = {}
        symbols = [self._root]
        names: list[str] = []
        while symbols or names:
            if names:
                units = self._entered(names.pop(), names, modules)
            else:
                symbol = symbols.pop()
                names.append(symbol.module)
                units = self._reading.units(symbol)
            for unit in units:
                dump = dumps[unit] = dump_of(unit)
                names.extend(name for name in dump.modules if name not in modules)
                found = [s for s in dump.symbols if s not in reached]
                if hints:
                    found += [s for s in dump.hinted if s not in reached and s not in dump.symbols]
                reached.update(dict.fromkeys(found))
                symbols.extend(found)
            if not symbols and not names:
                hinted = {s for dump in dumps.values() for s in dump.hinted} if hints else set()
                symbols = [*self._registered(modules, reached, hinted), *self._hinted(dumps, reached)]
        return dumps

    def _entered(self, name: str, names: list[str], modules: dict[str, None]) -> list[Unit]:
        """A module is seen for the first time: return what importing it does."""
        if name in modules:
            return []
        modules[name] = None
        effects = self._reading.effects(name)
        module = self._project.module(name)
        if effects is None or module is None:
            return []
        if module.problem is not None:
            self._facts.doubts[module.problem] = None
        unit, own = effects
        names.extend(own)
        return [unit] if unit.statements or unit.words else []

    def _hinted(self, dumps: dict[Unit, Dump], reached: dict[Symbol, None]) -> list[Symbol]:
        """Return what hints in quotes refer to, where something may read them."""
        facts = self._facts
        read = (dump for unit, dump in dumps.items() if facts.annotations or unit.symbol in facts.values)
        found = {symbol: None for dump in read for symbol in dump.quoted if symbol not in reached}
        reached.update(found)
        return list(found)

    def _registered(self, modules: dict[str, None], reached: dict[Symbol, None], hinted: set[Symbol]) -> list[Symbol]:
        found: dict[Symbol, None] = {}
        for name in modules:
            module = self._project.module(name)
            if module is not None:
                found.update(dict.fromkeys(registered(self._project, module, reached, self._facts.subclasses, hinted)))
        reached.update(found)
        return list(found)

    def _read(self, unit: Unit) -> Dump:
        read = self._reading.norm(unit, is_root=unit.symbol == self._root)
        self._facts.add(read.facts)
        return read.dump

    def _erase(self, unit: Unit) -> Dump:
        known = self._erased.get(unit)
        if known is None:
            known = self._erased[unit] = self._erase_anew(unit)
        return known

    def _erase_anew(self, unit: Unit) -> Dump:
        is_root = unit.symbol == self._root
        plans = self._plans.get(unit)
        if plans is None:
            self._facts.doubts[f"{unit.symbol.name} is reached in an unusual way"] = None
            return Dump()
        key = (self._keys[unit], self._facts.errors)
        return self._reading.erased(key, unit, self._facts, plans, self._rules, is_root=is_root)

    def _settle(self) -> None:
        """What was seen holds for the whole closure; only functions and classes are looked at as values."""
        facts = self._facts
        facts.values = {symbol for symbol in facts.values if self._is_code(symbol)}
        handed = (facts.value_attributes & facts.methods) | (facts.handed & facts.deferred)
        facts.errors = facts.errors or bool(facts.values or handed)

    def _is_code(self, symbol: Symbol) -> bool:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return any(isinstance(s, kinds) for unit in self._reading.units(symbol) for s in unit.statements)

    def _planned(self, unit: Unit, general: Hashable) -> list[Plan]:
        is_root = unit.symbol == self._root
        key = self._keys[unit] = (unit, is_root, self._rules, general, self._reading.view(unit, self._facts))
        return self._reading.plans(key, unit, self._facts, self._rules, is_root=is_root)

    def _plain_names(self) -> dict[Symbol, str]:
        """Return the word for each symbol: its bare name, with its module where two share one."""
        by_name: dict[str, set[Symbol]] = {}
        for symbol in {unit.symbol for unit in self._all} | {s for dump in self._all.values() for s in dump.symbols}:
            by_name.setdefault(symbol.name, set()).add(symbol)
        words = {}
        for name, sharing in by_name.items():
            for symbol in sharing:
                words[symbol] = name if len(sharing) == 1 else f"{symbol.module}.{name}"
        return words

    def _name(self, unit: Unit) -> str:
        if unit.symbol.name == EFFECTS:
            return f"{EFFECTS} {unit.symbol.module}"
        return STAGE_NAME if unit.symbol == self._root else self._names[unit.symbol]

    def _print(self, unit: Unit, dump: Dump) -> SymbolPrint | None:
        module = self._project.module(unit.symbol.module)
        assert module is not None
        if unit.symbol.name == EFFECTS and not dump.words:
            return None
        source = "\n\n".join(module.segment(s) for s in unit.statements)
        if unit.is_header:
            source = _without_methods(module, unit.statements[0])
        line = min((s.lineno for s in unit.statements), default=1)
        raw = _hash([source, *([str(line)] if self._facts.source else [])])
        norm, erased = self._norm(unit), self._joined(dump.words)
        if "constants" in self._rules and constant(self._project, unit.symbol) is not None:
            erased = CONSTANT + erased
        if dump.has_named:
            erased += VALUES + self._joined(dump.words, by_value=True)
        if self._facts.source:
            norm = erased = raw
        name = unit.symbol.name if unit.symbol == self._root else self._name(unit)
        place = f"{module.source.path}:{line}"
        return SymbolPrint(name=name, place=place, raw=raw, norm=norm, erased=erased, source=source)

    def _orders(self, dumps: dict[Unit, Dump]) -> list[SymbolPrint]:
        """Return the order of what acts when the modules are imported, as a symbol for each module where it matters."""
        found = []
        for name in dict.fromkeys(unit.symbol.module for unit in dumps):
            module = self._project.module(name)
            units = [unit for unit in dumps if unit.symbol.module == name and "." not in unit.symbol.name]
            words = acting_order(module, units, self._reading.lens) if module is not None else []
            if len(words) > 1 and module is not None:
                symbol = extra(f"<order> {name}", "\n".join(words))
                found.append(replace(symbol, place=module.source.path))
        return found

    def _norm(self, unit: Unit) -> str:
        known = self._norms.get(unit)
        if known is None:
            known = self._norms[unit] = self._joined(self._all[unit].words)
        return known

    def _joined(self, words: list[Word], *, by_value: bool = False) -> str:
        texts = [word if isinstance(word, str) else self._text(word, by_value) for word in words]
        return _hash([text for text in texts if text is not None])

    def _text(self, word: Symbol | Doc | Hint | Named, by_value: bool) -> str | None:
        """Return the text of a word that is not one already; None for a docstring or hint that nobody reads."""
        if isinstance(word, Doc):
            is_read = self._facts.docs or not word.plain or self._is_value(word.of)
            return f"doc:{word.text!a}" if is_read else None
        if isinstance(word, Hint):
            return "quoted" if self._facts.annotations or not word.plain or self._is_value(word.of) else None
        if isinstance(word, Named):
            if by_value:
                return word.value
            word = word.symbol
        return f"S:{STAGE_NAME if word == self._root else self._names.get(word, word.name)}"

    def _is_value(self, symbol: Symbol | None) -> bool:
        if symbol is None:
            return True
        top, _, method = symbol.name.partition(".")
        return Symbol(symbol.module, top) in self._facts.values or method in self._facts.value_attributes


def _without_methods(module: Module, definition: ast.stmt) -> str:
    """Return the source of a class with each method as its first line only."""
    lines = module.segment(definition).splitlines()
    offset = min([definition.lineno, *(d.lineno for d in getattr(definition, "decorator_list", []))])
    dropped: set[int] = set()
    for statement in getattr(definition, "body", []):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            dropped.update(
                range(statement.lineno + 1 - offset, (statement.end_lineno or statement.lineno) + 1 - offset)
            )
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped)


def _hash(words: Iterable[str]) -> str:
    return hashlib.sha256(SEPARATOR.join(words).encode("utf-8", "surrogatepass")).hexdigest()[:32]
