"""How names are dumped: as what they lead to, which is what ties the parts of a closure together."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Final

from engine.rules.code.constants import Scalar, constant
from engine.rules.code.escapes import Escapes
from engine.rules.code.facts import NOTABLE, Facts
from engine.rules.code.imports import QUIET_MODULES
from engine.rules.code.lens import Lens
from engine.rules.code.logs import LEVELS, LOGGERS, QUIET_SETTINGS, SET_UP
from engine.rules.code.names import Names
from engine.rules.code.plain import Plain
from engine.rules.code.project import Builtin, External, Symbol, Unknown, Within
from engine.rules.code.scopes import Variable
from engine.rules.code.words import Dump, Named, Word, literal

_OF_LOGGER: Final = LEVELS | SET_UP | {"bind", "getChild", "hasHandlers", "isEnabledFor", "level", "name"}
"""What a logger has that tells nothing of what was logged."""
_TYPING: Final = {"typing.List": "list", "typing.Dict": "dict", "typing.Set": "set", "typing.Tuple": "tuple"}
SAFE_SINKS: Final = frozenset(
    {"builtins.map", "builtins.filter", "builtins.sorted", "builtins.min", "builtins.max", "builtins.isinstance"}
    | {"builtins.issubclass", "asyncio.to_thread", "builtins.super", "builtins.type"}
)
"""Functions that call what they are given and look at nothing else of it."""


class References:
    """The part of `Dumper` for names and chains of attributes, and for what is seen where something is called."""

    dump: Dump
    _lens: Lens
    _owner: Symbol
    _seen: Facts
    _names: Names
    _rules: frozenset[str]
    _out: list[Word]
    _called: set[int]
    _held: set[int]
    _escapes: Escapes
    _plain: Plain
    _in_annotation: bool
    _looks: bool
    _of: dict[int, Variable]

    @abstractmethod
    def _node(self, node: ast.AST) -> None: ...

    def _name(self, node: ast.Name) -> None:
        variable = self._of.get(id(node))
        if variable is not None and variable.kind != "import":
            self._out.append(self._names.words.get(variable) or self._names.word(variable))
            if self._looks and node.ctx.__class__ is ast.Load and id(node) not in self._held:
                made = self._names.class_of(variable)
                if made is not None:
                    self._seen.values.add(made)
                if variable.kind == "nested" and id(node) not in self._called:
                    self._escapes.saw_code(node)
            return
        self._global(node)

    def _global(self, node: ast.Name | ast.Attribute) -> bool:
        target = self._lens.target(node)
        if target is None:
            return False
        facts = self._seen
        name = node.id if isinstance(node, ast.Name) else node.attr
        if isinstance(target, Symbol):
            self._refer(target, constant(self._lens.project, target) if self._inlines(node) else None)
            if target.name == "__getattr__" != name:
                self._out.append(f"N:{name}")
            elif target.name == "__doc__":
                facts.docs = True
            elif target.module == self._owner.module and self._lens.module.star_places:
                for other in self._lens.project.rebound(self._lens.module, name):
                    self._refer(other)
            if isinstance(node, ast.Name) and self._lens.module.stars and node.id not in self._lens.module.bindings:
                # What `import *` brings along, the other module's `__all__` says.
                listed = Symbol(target.module, "__all__")
                if target.module != self._owner.module and self._lens.statements(listed):
                    self._refer(listed)
            if id(node) not in self._called:
                facts.values.add(target)
        elif isinstance(target, External):
            self._out.append(f"E:{_TYPING.get(target.dotted, target.dotted) if self._in_annotation else target.dotted}")
            self._saw(target.dotted)
            self._perhaps_beside(node, target.dotted)
        elif isinstance(target, Builtin):
            if target.name in ("__name__", "__file__", "__package__", "__spec__"):
                self._out.append(f"M:{self._owner.module}")
            self._out.append(f"B:{target.name}")
            self._saw(f"builtins.{target.name}")
        elif isinstance(target, Within):
            self._out.append(f"M:{target.module}")
            self.dump.modules[target.module] = None
            facts.doubts[f"module {target.module} is handed around as a value"] = None
            self._reach_all(target.module)
        elif isinstance(target, Unknown):
            self._out.append(f"U:{target.name}")
            if target.doubt is not None:
                self._out.extend(f"*:{star}" for star in self._lens.module.stars)
            self.dump.unresolved[target.name] = None
            dotted = self._lens.dotted(node)
            self._saw(dotted if dotted is not None else target.name)
            if target.doubt is not None:
                facts.doubts[target.doubt] = None
        if not isinstance(node.ctx, ast.Load) and not (isinstance(node, ast.Name) and isinstance(target, Symbol)):
            facts.doubts[f"{ast.unparse(node)} is replaced at run time"] = None
        return True

    def _inlines(self, node: ast.Name | ast.Attribute) -> bool:
        return "constants" in self._rules and isinstance(node.ctx, ast.Load)

    def _saw(self, dotted: str) -> None:
        """Something outside the project is used; what reaches code by names made at run time may reach all of it."""
        known = len(self._seen.doubts)
        self._seen.saw_name(dotted)
        if len(self._seen.doubts) > known:
            self._reach_all(self._owner.module, *(m.name for m in self._lens.project.beside(self._lens.module)))

    def _perhaps_beside(self, node: ast.Name | ast.Attribute, dotted: str) -> None:
        """A module that is not there is handed around: it may be one that stands beside."""
        imports = self._lens.module.imports
        found = imports.get(node.id) if isinstance(node, ast.Name) else None
        if found is not None and found.name is None and dotted.partition(".")[0] not in QUIET_MODULES:
            for other in self._lens.project.beside(self._lens.module):
                self._seen.doubts[f"module {dotted} is handed around as a value"] = None
                self._reach_all(other.name)

    def _reach_all(self, *modules: str) -> None:
        for name in modules:
            module = self._lens.project.module(name)
            if module is not None:
                self.dump.symbols.update(dict.fromkeys(Symbol(name, bound) for bound in module.bindings))

    def _refer(self, target: Symbol, value: Scalar | None = None) -> None:
        if value is None:
            self.dump.say(target)
        else:
            self.dump.say(Named(target, literal(value)))
            self.dump.has_named = True
        self.dump.symbols[target] = None

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr in NOTABLE:
            self._seen.saw_attribute(node.attr)
        target, dotted = self._lens.asked(node)
        if target is not None:
            self._names_on_the_way(node)
            self._global(node)
            return
        if self._looks:
            self._look_at_attribute(node)
        if dotted is not None:
            self._seen.saw_name(dotted)
        self._out.append("Attribute(")
        self._node(node.value)
        self._out.append(f".{node.attr})")

    def _look_at_call(self, node: ast.Call, dotted: str | None) -> None:
        self._called.add(id(node.func))
        self._escapes.saw_call(node, dotted)
        for keyword in node.keywords:
            if keyword.arg is None:
                self._seen.spreads = True
                if dotted is not None and dotted.endswith(".gather"):  # perhaps `return_exceptions`
                    self._seen.errors = True
                continue
            self._seen.keywords.add(keyword.arg)
            if keyword.arg == "return_exceptions":
                self._seen.errors = True
            elif keyword.arg == "key":
                self._called.add(id(keyword.value))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "exception" and not node.args:
            self._seen.errors = True
        if dotted == "logging.basicConfig" and any(k.arg not in QUIET_SETTINGS for k in node.keywords):
            self._seen.logs = True
        if dotted == "builtins.open" and node.args and self._lens.dotted(node.args[0]) == "builtins.__file__":
            self._seen.source = True
        if dotted in SAFE_SINKS or dotted == "functools.partial":
            self._called.update(id(a) for a in node.args)
            self._held.update(id(a) for a in node.args)
        target = self._lens.target(node.func)
        if isinstance(target, Symbol) and id(node) not in self._held and self._plain.is_class(target):
            self._seen.values.add(target)

    def _look_at_attribute(self, node: ast.Attribute) -> None:
        self._held.add(id(node.value))
        self._called.add(id(node.value))
        of = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        is_set = node.ctx.__class__ is not ast.Load
        if (of in LOGGERS and of != "logging" and node.attr not in _OF_LOGGER) or (is_set and node.attr in LEVELS):
            self._seen.logs = True
        if id(node) not in self._called and isinstance(node.ctx, ast.Load):
            self._seen.value_attributes.add(node.attr)

    def _names_on_the_way(self, node: ast.Attribute) -> None:
        """`package.module.name` refers to the modules too: importing them may do something."""
        value = node.value
        while isinstance(value, (ast.Attribute, ast.Name)):
            target = self._lens.target(value)
            if isinstance(target, Within):
                self.dump.modules[target.module] = None
            if isinstance(value, ast.Name):
                break
            value = value.value
