"""What was read of a project's code once and is asked again by each of its stages: parts and their normalised words."""

from __future__ import annotations

import ast
from collections.abc import Hashable

from engine.contracts.values import dataclass
from engine.rules.code.dump import Dumper
from engine.rules.code.facts import Facts
from engine.rules.code.lens import Lens, lens_on
from engine.rules.code.names import Names
from engine.rules.code.plan import Plan, Planner
from engine.rules.code.project import Project, Symbol
from engine.rules.code.units import Unit, effects_of, units_of
from engine.rules.code.words import Dump


@dataclass(frozen=True, slots=True)
class Read:
    """The words of one part, and what was seen in it."""

    dump: Dump
    facts: Facts


class Reading:
    """One state of a project's source; make a new one when a file has changed."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._units: dict[Symbol, list[Unit]] = {}
        self._effects: dict[str, tuple[Unit, list[str]] | None] = {}
        self._norms: dict[tuple[Unit, bool], Read] = {}
        self._names: dict[Unit, frozenset[str]] = {}
        self._plans: dict[Hashable, list[Plan]] = {}
        self._erased: dict[Hashable, Dump] = {}

    def lens(self, unit: Unit, statement: ast.stmt) -> Lens:
        """Return a statement of a part with its names resolved."""
        module = self.project.module(unit.symbol.module)
        assert module is not None
        return lens_on(self.project, module, statement)

    def units(self, symbol: Symbol) -> list[Unit]:
        """Return the parts of a symbol."""
        known = self._units.get(symbol)
        if known is None:
            known = self._units[symbol] = units_of(self.project, symbol)
        return known

    def effects(self, name: str) -> tuple[Unit, list[str]] | None:
        """Return what importing a module does, and what it imports for that; None if it is not of the project."""
        if name not in self._effects:
            module = self.project.module(name)
            self._effects[name] = None if module is None else effects_of(self.project, module)
        return self._effects[name]

    def norm(self, unit: Unit, *, is_root: bool) -> Read:
        """Return the normalised words of a part; they do not depend on who asks."""
        key = (unit, is_root)
        known = self._norms.get(key)
        if known is None:
            facts = Facts()
            dump = self.dump(unit, Facts(), None, frozenset(), seen=facts, is_root=is_root)
            known = self._norms[key] = Read(dump, facts)
        return known

    def view(self, unit: Unit, facts: Facts) -> Hashable:
        """Return what a part sees of the facts of a closure: where it sees the same, the same of it is set aside."""
        names = self._names.get(unit)
        if names is None:
            lenses = [self.lens(unit, statement) for statement in unit.statements]
            found = {node.attr for lens in lenses for node in lens.of_kind(ast.Attribute)}
            found.update(node.arg for lens in lenses for node in lens.of_kind(ast.arg))
            found.update(node.name for lens in lenses for node in lens.of_kind(ast.FunctionDef, ast.AsyncFunctionDef))
            names = self._names[unit] = frozenset(found)
        return facts.about(unit.symbol, names)

    def plans(self, key: Hashable, unit: Unit, facts: Facts, rules: frozenset[str], *, is_root: bool) -> list[Plan]:
        """Return what may be set aside in each statement of a part; `key` holds all that this depends on."""
        known = self._plans.get(key)
        if known is None:
            known = self._plans[key] = [
                Planner(self.lens(unit, each), facts, rules, first_parameter(each) if is_root else None).plan([each])
                for each in unit.statements
            ]
        return known

    def erased(
        self, key: Hashable, unit: Unit, facts: Facts, plans: list[Plan], rules: frozenset[str], *, is_root: bool
    ) -> Dump:
        """Return the words of a part without what its plans set aside; `key` holds all that they depend on."""
        known = self._erased.get(key)
        if known is None:
            known = self._erased[key] = self.dump(unit, facts, plans, rules, seen=Facts(), is_root=is_root)
        return known

    def dump(
        self, unit: Unit, facts: Facts, plans: list[Plan] | None, rules: frozenset[str], *, seen: Facts, is_root: bool
    ) -> Dump:
        """Return the words of a part; with `plans`, one for each statement, what they set aside is left out."""
        whole = Dump(words=list(unit.words))
        for index, statement in enumerate(unit.statements):
            plan = plans[index] if plans is not None else None
            if plan is not None and id(statement) in plan.skipped:
                continue
            lens = self.lens(unit, statement)
            names = Names(lens, unit.symbol, facts, plan is not None and "locals" in rules, context=is_root)
            dumper = Dumper(lens, unit.symbol, facts, plan, names, rules, seen=seen)
            dumper.statement(statement, as_header=unit.is_header)
            whole.add(dumper.dump)
        return whole


def first_parameter(statement: object) -> str | None:
    """Return the name of a function's first parameter."""
    args = getattr(statement, "args", None)
    named = [*args.posonlyargs, *args.args] if args is not None else []
    return named[0].arg if named else None
