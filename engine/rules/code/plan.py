"""What may be set aside in one symbol because it cannot change an output, and what stays."""

from __future__ import annotations

import ast
from dataclasses import field
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.facts import Facts
from engine.rules.code.harmless import Before, Caution, Harmless, chain, evaluated
from engine.rules.code.kinds import Kinds
from engine.rules.code.lens import Lens, lens_on
from engine.rules.code.logs import LEVELS, SET_UP, Logs
from engine.rules.code.nodes import walk
from engine.rules.code.project import Builtin, Symbol
from engine.rules.code.scopes import Variable, arguments_of

RULES: Final = ("annotations", "logging", "messages", "locals", "texts", "constants", "unused", "form")
"""What rules may set aside; the words are used in reasons."""
_MESSAGES: Final = frozenset(
    {"ArithmeticError", "AssertionError", "AttributeError", "BufferError", "ConnectionError", "EOFError", "Exception"}
    | {"FileExistsError", "FileNotFoundError", "IndexError", "InterruptedError", "LookupError", "MemoryError"}
    | {
        "ModuleNotFoundError",
        "NotADirectoryError",
        "NotImplementedError",
        "OSError",
        "OverflowError",
        "PermissionError",
    }
    | {"ProcessLookupError", "RecursionError", "ReferenceError", "RuntimeError", "TimeoutError", "TypeError"}
    | {"ValueError", "ZeroDivisionError", "KeyError", "ImportError"}
)
_EVERYWHERE: Final = 1 << 60
_ENDS: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_KEEPS_GOING: Final = frozenset({"builtins.open", "httpx.AsyncClient", "httpx.Client", "aiohttp.ClientSession"})
"""Context managers that swallow no errors."""
_CHANGES: Final = frozenset({"pop", "popitem", "clear", "remove", "update", "discard", "__delitem__"})


@dataclass(slots=True)
class Plan:
    """Decisions for one symbol; nodes are named by their `id`."""

    skipped: set[int] = field(default_factory=set)
    """Statements that are left out."""
    messages: set[int] = field(default_factory=set)
    """Arguments of raised errors and of asserts whose text does not count."""
    kept: dict[int, list[ast.expr]] = field(default_factory=dict)
    """Log calls that are left out but for some values that they ask for."""
    gone: set[int] = field(default_factory=set)
    """Every node in what is left out."""
    reads_errors: bool = False
    """A handler looks at the error it caught."""


class Planner:
    """Makes the plan of one symbol."""

    def __init__(self, lens: Lens, facts: Facts, rules: frozenset[str], context: str | None) -> None:
        self._lens = lens
        self._facts = facts
        self._rules = rules
        self._kinds = Kinds(lens)
        caution = Caution(acting=frozenset(facts.acting), arrays=facts.arrays)
        self._harmless = Harmless(lens, self._kinds, caution, context)
        self._logs = Logs(lens, self._harmless, context, frozenset(facts.own_names))
        self._plan = Plan()
        self._dead: set[Variable] = set()
        self._last = _EVERYWHERE

    def plan(self, statements: list[ast.stmt]) -> Plan:
        """Return the plan for the statements of a symbol."""
        self._last = self._last_candidate()
        if self._last:
            self._block(statements, Before())
        self._last = _EVERYWHERE
        while "unused" in self._rules:
            self._dead = self._unread()
            known = len(self._plan.skipped)
            if self._dead:
                self._block(statements, Before())
            if len(self._plan.skipped) == known:
                break
        self._look_at_handlers()
        return self._plan

    def _last_candidate(self) -> int:
        """Return the last line where something starts that may be set aside; 0 if there is none, as in most symbols."""
        last = max((node.lineno for node in self._lens.of_kind(ast.Raise, ast.Assert)), default=0)
        for node in self._lens.of_kind(ast.Expr):
            called = node.value.func if isinstance(node.value, ast.Call) else None
            method = called.attr if isinstance(called, ast.Attribute) else ""
            is_print = isinstance(called, ast.Name) and called.id == "print"
            if is_print or method in LEVELS or method in SET_UP:
                last = max(last, node.lineno)
        return last

    def _block(self, statements: list[ast.stmt], before: Before) -> None:
        for index, statement in enumerate(statements):
            if statement.lineno > self._last:
                break  # what follows is only asked what it proves for what comes after it
            if isinstance(statement, (ast.Expr, ast.Raise, ast.Assert)):
                after = _evaluated_next(statements, index + 1)
                added = after - before.keys
                before.keys |= added
                self._statement(statement, before)
                before.keys -= added
            else:
                self._statement(statement, before)

    def _is_erased(self, statements: list[ast.stmt]) -> bool:
        return all(
            id(s) in self._plan.skipped
            or isinstance(s, ast.Pass)
            or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
            for s in statements
        )

    def _statement(self, node: ast.stmt, before: Before) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = Before({a.arg for a in arguments_of(node.args)})
            self._block(node.body, inner)
            before.keys.add(node.name)
        elif isinstance(node, ast.ClassDef):
            self._block(node.body, Before())
            before.keys.add(node.name)
        elif isinstance(node, ast.Expr):
            self._expression(node, before)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            self._assignment(node, before)
        elif isinstance(node, ast.If):
            self._if(node, before)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self._loop(node, before)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node, before)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self._with(node, before)
        elif isinstance(node, ast.Match):
            before.keys.update(evaluated(node.subject))
            for case in node.cases:
                inner = before.copy()
                self._bind(case.pattern, inner)
                self._block(case.body, inner)
            self._forget_bound(node.cases, before)
        else:
            if isinstance(node, (ast.Raise, ast.Assert)):
                self._message(node, before)
            self._seen(node, before)

    def _expression(self, node: ast.Expr, before: Before) -> None:
        counts = "logging" not in self._rules or self._facts.logs
        if counts or not (self._logs.is_log_call(node.value, before) or self._logs.is_set_up(node.value, before)):
            kept = None if "logging" not in self._rules or self._facts.logs else self._logs.kept(node.value, before)
            if kept is not None:
                self._plan.kept[id(node)] = kept
            self._seen(node, before)
        else:
            self._plan.skipped.add(id(node))

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, before: Before) -> None:
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and node.value is not None:
            variable = self._lens.variable(targets[0])
            if variable in self._dead and self._is_idle(node, variable, before):
                self._plan.skipped.add(id(node))
        if node.value is not None:
            self._seen(node.value, before)
        if isinstance(node, ast.AugAssign):
            before.keys.update(evaluated(node.target))
        for target in targets:
            self._bind(target, before)

    def _is_idle(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, variable: Variable | None, before: Before
    ) -> bool:
        """Whether an assignment to a variable that nobody reads may be left out."""
        if variable is None or not all(isinstance(b, ast.Name) for b in variable.bindings):
            return False
        if isinstance(node, ast.AugAssign):
            return self._kinds.of(node.target) == "num" and self._harmless.is_harmless(node.value, before)
        value = node.value
        return value is not None and (self._harmless.is_harmless(value, before) or self._logs.is_logger(value))

    def _if(self, node: ast.If, before: Before) -> None:
        harmless = self._harmless.is_truth_harmless([node.test], before) or self._asks_for_level(node.test)
        before.keys.update(evaluated(node.test))
        self._bind_walrus(node.test, before)
        yes, no = before.copy(), before.copy()
        self._block(node.body, yes)
        self._block(node.orelse, no)
        erased = self._is_erased(node.body) and self._is_erased(node.orelse)
        if erased and harmless and any(id(s) in self._plan.skipped for s in [*node.body, *node.orelse]):
            self._plan.skipped.add(id(node))
        self._merge(before, [b for b, end in ((yes, _ends(node.body)), (no, _ends(node.orelse))) if not end])

    def _asks_for_level(self, test: ast.expr) -> bool:
        """`if log.isEnabledFor(…)`."""
        method = test.func if isinstance(test, ast.Call) else None
        return (
            isinstance(method, ast.Attribute)
            and method.attr in ("isEnabledFor", "hasHandlers")
            and self._logs.is_logger(method.value)
        )

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, before: Before) -> None:
        first = node.test if isinstance(node, ast.While) else node.iter
        before.keys.update(evaluated(first))
        self._forget_bound(node.body, before)
        inner = before.copy()
        if not isinstance(node, ast.While):
            self._bind(node.target, inner)
            self._bind(node.target, before, holds=False)
        self._block(node.body, inner)
        self._block(node.orelse, before.copy())
        self._forget_bound(node.orelse, before)

    def _try(self, node: ast.Try | ast.TryStar, before: Before) -> None:
        body = before.copy()
        self._block(node.body, body)
        self._block(node.orelse, body)
        self._forget_bound(node.body, before)
        ways = [body]
        for handler in node.handlers:
            inner = before.copy()
            if handler.name:
                inner.keys.add(handler.name)
            self._block(handler.body, inner)
            if not _ends(handler.body):
                ways.append(inner)
        self._block(node.finalbody, before.copy())
        self._merge(before, ways)

    def _with(self, node: ast.With | ast.AsyncWith, before: Before) -> None:
        for item in node.items:
            before.keys.update(evaluated(item.context_expr))
            if item.optional_vars is not None:
                self._bind(item.optional_vars, before)
        inner = before.copy()
        self._block(node.body, inner)
        lets_through = all(
            isinstance(i.context_expr, ast.Call) and self._lens.dotted(i.context_expr.func) in _KEEPS_GOING
            for i in node.items
        )
        self._forget_bound(node.body, before)
        if lets_through:
            before.keys = inner.keys

    def _merge(self, before: Before, ways: list[Before]) -> None:
        if ways:
            common = set.intersection(*(way.keys for way in ways))
            before.keys = common

    def _seen(self, node: ast.AST, before: Before) -> None:
        """A statement or value without a block of its own has been evaluated."""
        before.keys.update(evaluated(node))
        nodes = walk(node)
        for inner in nodes:
            if isinstance(inner, ast.NamedExpr):
                before.forget(inner.target.id)
        for inner in nodes:
            if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in _CHANGES:
                self._changed(inner.func.value, before)
            elif isinstance(inner, ast.Delete):
                for target in inner.targets:
                    self._changed(target, before, gone=isinstance(target, ast.Name))

    def _changed(self, node: ast.AST, before: Before, *, gone: bool = False) -> None:
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        if isinstance(node, ast.Name):
            before.forget(node.id)
            if not gone:
                before.keys.add(node.id)

    def _bind(self, target: ast.AST, before: Before, *, holds: bool = True) -> None:
        for node in walk(target):
            name = node.id if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) else None
            if isinstance(node, (ast.MatchAs, ast.MatchStar)):
                name = node.name
            if name is not None:
                before.forget(name)
                if holds:
                    before.keys.add(name)
        if holds and isinstance(target, ast.Subscript):
            key = chain(target)
            if key is not None:
                before.keys.add(key)

    def _bind_walrus(self, node: ast.AST, before: Before) -> None:
        for inner in walk(node):
            if isinstance(inner, ast.NamedExpr):
                before.forget(inner.target.id)

    def _forget_bound(self, nodes: list[ast.stmt] | list[ast.match_case], before: Before) -> None:
        """What a block may bind or change proves nothing after it."""
        for node in nodes:
            for inner in walk(node):
                if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
                    bound = inner.id in before.keys
                    before.forget(inner.id)
                    if bound and isinstance(inner.ctx, ast.Store):
                        before.keys.add(inner.id)
                elif (
                    isinstance(inner, ast.Call)
                    and isinstance(inner.func, ast.Attribute)
                    and inner.func.attr in _CHANGES
                ):
                    self._changed(inner.func.value, before)

    def _message(self, node: ast.Raise | ast.Assert, before: Before) -> None:
        if "messages" not in self._rules or self._facts.errors:
            return
        if isinstance(node, ast.Assert):
            text = node.msg
        else:
            made = node.exc
            if not (isinstance(made, ast.Call) and len(made.args) == 1 and not made.keywords):
                return
            if not self._is_plain_error(made.func):
                return
            (text,) = made.args
        is_text = text is not None and self._kinds.of(text) == "str"
        if is_text and self._harmless.is_harmless(text, before, may_fail=not self._facts.handles):
            self._plan.messages.add(id(text))

    def _is_plain_error(self, node: ast.expr, depth: int = 0) -> bool:
        """Whether a class of errors only carries its message."""
        target = self._lens.target(node)
        if isinstance(target, Builtin):
            return target.name in _MESSAGES
        if not isinstance(target, Symbol) or depth > 8:
            return False
        statements = self._lens.statements(target)
        module = self._lens.project.module(target.module)
        if len(statements) != 1 or not isinstance(statements[0], ast.ClassDef) or module is None:
            return False
        definition = statements[0]
        if definition.decorator_list or definition.keywords or len(definition.bases) != 1:
            return False
        if not all(
            isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
            for s in definition.body
        ):
            return False
        there = Planner(lens_on(self._lens.project, module, definition), self._facts, self._rules, None)
        return there._is_plain_error(definition.bases[0], depth + 1)

    def _gone(self) -> set[int]:
        gone: set[int] = set(self._plan.messages)
        if not self._plan.skipped and not self._plan.messages:
            return gone
        for node in self._lens.nodes:
            if id(node) in self._plan.skipped or id(node) in self._plan.messages:
                gone.update(id(inner) for inner in walk(node))
        return gone

    def _unread(self) -> set[Variable]:
        """Return the variables of functions that only what is left out reads."""
        gone = self._gone()
        outer_names = {n for node in self._lens.of_kind(ast.Global, ast.Nonlocal) for n in node.names}
        if self._facts.frames:
            return set()
        return {
            variable
            for variable in self._lens.scopes.variables
            if variable.kind == "local"
            and not variable.shared
            and variable.name not in outer_names
            and not self._lens.is_in_query(variable.name)
            and not any(isinstance(b, ast.Name) and isinstance(b.ctx, ast.Del) for b in variable.bindings)
            and all(id(load) in gone for load in variable.loads)
        }

    def _look_at_handlers(self) -> None:
        """Note whether a caught error is looked at, other than for a log or for another error."""
        gone = self._plan.gone = self._gone()
        for handler in self._lens.of_kind(ast.ExceptHandler):
            if handler.name:
                allowed = {id(n) for n in self._that_pass_it_on(handler)} | gone
                variable = self._lens.variable(handler)
                if variable is None or any(id(load) not in allowed for load in variable.loads):
                    self._plan.reads_errors = True

    def _that_pass_it_on(self, handler: ast.ExceptHandler) -> list[ast.AST]:
        """Return the nodes that hand a caught error to another one, whose message does not count either."""
        found: list[ast.AST] = []
        for node in walk(handler):
            if isinstance(node, ast.Raise):
                made = node.exc.func if isinstance(node.exc, ast.Call) else None
                counts = made is not None and not self._is_plain_error(made)
                found.extend(walk(node.cause) if counts and node.cause is not None else () if counts else walk(node))
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("isinstance", "type")
            ):
                found.extend(walk(node))
        return found


def _evaluated_next(statements: list[ast.stmt], start: int) -> set[str]:
    """Return the keys that the rest of a block certainly evaluates, as they are now: what fails there fails anyway."""
    found: set[str] = set()
    bound: set[str] = set()
    for statement in statements[start:]:
        first: ast.AST = statement
        if isinstance(statement, (ast.If, ast.While)):
            first = statement.test
        elif isinstance(statement, (ast.For, ast.AsyncFor)):
            first = statement.iter
        elif isinstance(statement, ast.Expr):
            called = statement.value.func if isinstance(statement.value, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in LEVELS:
                continue
        elif not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)):
            break
        found.update(key for key in evaluated(first) if not any(_is_of(key, name) for name in bound))
        if first is not statement or isinstance(statement, ast.Return):
            break
        for node in walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
            elif isinstance(node, ast.Call):
                bound.update(n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return found


def _is_of(key: str, name: str) -> bool:
    return key == name or key.startswith((f"{name}.", f"{name}[", f"len({name}"))


def _ends(statements: list[ast.stmt]) -> bool:
    return bool(statements) and isinstance(statements[-1], _ENDS)
