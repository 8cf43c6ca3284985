"""Is a call a log call: one whose only effect is a line in a log? What is merely named like a logger is none."""

from __future__ import annotations

import ast
from typing import Final

from engine.rules.code.harmless import Before, Harmless
from engine.rules.code.lens import Lens, lens_on
from engine.rules.code.project import External, Symbol, Unknown

LEVELS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success"}
)
SET_UP: Final = frozenset({"basicConfig", "captureWarnings", "setLevel", "addHandler"})
QUIET_SETTINGS: Final = frozenset({"level", "format", "datefmt", "force"})
"""What `logging.basicConfig` may be told without anybody reading what is logged."""
LOGGERS: Final = frozenset({"log", "logger", "logging", "_log", "_logger", "LOG", "LOGGER"})
_MAKERS: Final = frozenset({"getLogger", "get_logger"})
_LIBRARIES: Final = frozenset({"logging", "structlog", "loguru", "eliot"})
_SETTINGS: Final = frozenset({"exc_info", "extra", "stack_info", "stacklevel"})
_PRINT_SETTINGS: Final = frozenset({"sep", "end", "flush", "file"})
_STREAMS: Final = frozenset({"sys.stdout", "sys.stderr"})
_RESERVED: Final = frozenset(
    {"name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text", "asctime"}
    | {"stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName", "message"}
    | {"processName", "process", "taskName"}
)
"""Keys that `extra` may not have: logging raises KeyError."""


class Logs:
    """Log calls of one statement of a module."""

    def __init__(self, lens: Lens, harmless: Harmless, context: str | None, own_names: frozenset[str]) -> None:
        """`own_names`: attributes and methods that classes of the closure define, which are no loggers of a context."""
        self._lens = lens
        self._harmless = harmless
        self._context = context
        self._own_names = own_names

    def is_log_call(self, node: ast.AST, before: Before) -> bool:
        """Whether a call writes a line to a log and does nothing else; it cannot fail either."""
        if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
            return False
        if self._lens.dotted(node.func) == "builtins.print":
            return self._is_print(node, before)
        values = self._logged(node)
        return values is not None and all(self._harmless.is_harmless(value, before) for value in values)

    def kept(self, node: ast.AST, before: Before) -> list[ast.expr] | None:
        """Return what a log call asks for that may fail or act: all that counts of it; None for another call."""
        if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        values = self._logged(node)
        return None if values is None else self._harmless.not_harmless(values, before)

    def _logged(self, node: ast.Call) -> list[ast.expr] | None:
        """Return what a call of a logger is given; None for another call."""
        method = node.func
        if not isinstance(method, ast.Attribute) or method.attr not in LEVELS or not node.args:
            return None
        library = self.library(method.value)
        if library is None or any(k.arg is None for k in node.keywords):
            return None
        if method.attr == "log" and len(node.args) < 2:
            return None
        settings = node.keywords
        if library == "loguru" and (len(node.args) > 1 or node.keywords):
            return None
        if library != "structlog" and not all(k.arg in _SETTINGS and _extra_ok(k) for k in settings):
            return None
        return [*node.args, *(k.value for k in settings if not _is_caught(k))]

    def is_set_up(self, node: ast.AST, before: Before) -> bool:
        """Whether a call sets up logging: `logging.basicConfig(level=…)`, `log.setLevel(…)`."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        values = [*node.args, *(k.value for k in node.keywords)]
        if self._lens.dotted(node.func) in ("logging.basicConfig", "logging.captureWarnings"):
            known = all(k.arg in QUIET_SETTINGS for k in node.keywords) and not node.args
            return known and all(self._is_level(value, before) for value in values)
        if node.func.attr == "setLevel" and self.library(node.func.value) is not None:
            return all(self._is_level(value, before) for value in values)
        if node.func.attr == "addHandler" and self.library(node.func.value) is not None and len(node.args) == 1:
            handler = node.args[0]
            return isinstance(handler, ast.Call) and self._lens.dotted(handler.func) == "logging.NullHandler"
        return False

    def is_logger(self, node: ast.AST) -> bool:
        """Whether an expression is a logger, or makes one."""
        return self.library(node) is not None

    def library(self, node: ast.AST, depth: int = 0) -> str | None:
        """Return the library a logger is of; `logging` for one of unknown make; None for no logger."""
        if depth > 4:
            return None
        if isinstance(node, ast.Call):
            return self._made_by(node, depth)
        if isinstance(node, ast.Name):
            variable = self._lens.variable(node)
            if variable is not None and variable.kind != "import":
                return self._of_variable(node, depth)
        target = self._lens.target(node)
        if isinstance(target, External):
            top, _, last = target.dotted.partition(".")
            if target.dotted in _LIBRARIES:
                return target.dotted if target.dotted != "structlog" else None
            if top == "loguru":
                return "loguru" if last == "logger" else None
            return "logging" if _is_named_logger(target.dotted) else None
        if isinstance(target, Unknown):
            return "logging" if target.doubt is None and target.name in LOGGERS and isinstance(node, ast.Name) else None
        if isinstance(target, Symbol):
            return self._of_symbol(target, depth)
        if isinstance(node, ast.Attribute) and node.attr in ("log", "logger"):
            return self._of_context(node)
        return None

    def _of_context(self, node: ast.Attribute) -> str | None:
        variable = self._lens.variable(node.value)
        if variable is None or variable.kind != "param" or len(variable.bindings) != 1:
            return None
        is_context = variable.name == self._context or variable.name in ("ctx", "context")
        return "logging" if is_context and node.attr not in self._own_names else None

    def _of_variable(self, node: ast.Name, depth: int) -> str | None:
        """A local `log = ctx.log`, or a parameter that is annotated as a logger."""
        variable = self._lens.variable(node)
        if variable is None or len(variable.bindings) != 1:
            return None
        (binding,) = variable.bindings
        if isinstance(binding, ast.arg):
            annotation = binding.annotation
            dotted = self._lens.dotted(annotation) if annotation is not None else None
            return "logging" if dotted in ("logging.Logger", "logging.LoggerAdapter") else None
        value = self._lens.made_by(variable)
        return None if value is None else self.library(value, depth + 1)

    def _of_symbol(self, symbol: Symbol, depth: int) -> str | None:
        """A module-level `log = logging.getLogger(__name__)`, bound once."""
        statements = self._lens.statements(symbol)
        module = self._lens.project.module(symbol.module)
        if len(statements) != 1 or module is None:
            return None
        (statement,) = statements
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Call):
            if symbol.name in module.globals:
                return None
            there = Logs(lens_on(self._lens.project, module, statement), self._harmless, None, self._own_names)
            return there._made_by(statement.value, depth + 1)
        return None

    def _made_by(self, node: ast.Call, depth: int) -> str | None:
        target = self._lens.target(node.func)
        plain = all(isinstance(a, (ast.Constant, ast.Name, ast.Attribute, ast.JoinedStr)) for a in node.args)
        dotted = target.dotted if isinstance(target, External) else self._lens.dotted(node.func)
        if dotted is not None and plain:
            top, _, rest = dotted.partition(".")
            if rest.rpartition(".")[2] in _MAKERS or (top == "logging" and rest == "LoggerAdapter"):
                return top if top in _LIBRARIES else "logging"
        if isinstance(target, Unknown) and target.doubt is None and target.name in _MAKERS and plain:
            return "logging"
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("bind", "getChild") and plain:
            bound = all(isinstance(k.value, (ast.Constant, ast.Name)) for k in node.keywords)
            return self.library(node.func.value, depth + 1) if bound else None
        return None

    def _is_print(self, node: ast.Call, before: Before) -> bool:
        for keyword in node.keywords:
            if keyword.arg not in _PRINT_SETTINGS:
                return False
            if keyword.arg == "file":
                if self._lens.dotted(keyword.value) not in _STREAMS:
                    return False
            elif not isinstance(keyword.value, ast.Constant):
                return False
        return all(self._harmless.is_harmless(a, before) for a in node.args)

    def _is_level(self, node: ast.AST, before: Before) -> bool:
        return self._harmless.is_harmless(node, before) or (self._lens.dotted(node) or "").startswith("logging.")


def _is_named_logger(dotted: str) -> bool:
    """Whether something of another package is a logger by its name: `x.logger`, `x.logs.log`; not `x.log`."""
    module, _, name = dotted.rpartition(".")
    return name in ("logger", "LOGGER") or (name in ("log", "LOG") and "log" in module)


def _extra_ok(keyword: ast.keyword) -> bool:
    if keyword.arg != "extra":
        return True
    keys = keyword.value.keys if isinstance(keyword.value, ast.Dict) else [None]
    return all(isinstance(k, ast.Constant) and isinstance(k.value, str) and k.value not in _RESERVED for k in keys)


def _is_caught(keyword: ast.keyword) -> bool:
    """`exc_info=error` of the handler it stands in."""
    return keyword.arg == "exc_info" and isinstance(keyword.value, ast.Name)
