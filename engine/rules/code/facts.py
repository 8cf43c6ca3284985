"""What code looks at that is usually invisible: docstrings, annotations, names of locals, its own source, messages.

Where something in a closure looks at one of them, changes of it count in the whole closure.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import field, fields
from typing import Final

from engine.contracts.values import dataclass
from engine.rules.code.nodes import walk
from engine.rules.code.project import Symbol

_SAFE_INSPECT: Final = frozenset(
    {"isawaitable", "iscoroutine", "iscoroutinefunction", "isasyncgen", "isasyncgenfunction", "isclass", "isfunction"}
    | {"ismethod", "isgenerator"}
)
_FRAMES: Final = frozenset({"builtins.locals", "builtins.vars", "builtins.dir", "sys._getframe", "sys._current_frames"})
_FRAME_TOPS: Final = frozenset(
    {"executing", "formulaic", "icecream", "numexpr", "patsy", "sorcery", "statsmodels", "varname"}
)
"""Packages that look at the variables of whoever calls them."""
_RUNS_TEXT: Final = frozenset({"builtins.exec", "builtins.eval", "builtins.compile"})
_UNSEEN: Final = frozenset(
    {"__annotations__", "builtins.globals", "builtins.__import__", "sys.modules", "sys.meta_path"}
)
_UNSEEN_TOPS: Final = frozenset({"importlib", "pkgutil", "runpy", "imp", "ctypes", "gc"})
_SOURCE_TOPS: Final = frozenset({"linecache", "dis", "traceback", "tokenize", "cloudpickle", "dill"})
_DOC_TOPS: Final = frozenset({"pydoc", "doctest", "docstring_parser", "griffe"})
_ANNOTATION_NAMES: Final = frozenset(
    {
        "get_type_hints",
        "get_annotations",
        "singledispatch",
        "singledispatchmethod",
        "validate_call",
        "validate_arguments",
        "TypeAdapter",
        "create_model",
        "function_schema",
        "typechecked",
        "beartype",
    }
)
_ARRAY_TOPS: Final = frozenset({"numpy", "pandas", "torch", "polars", "xarray", "jax", "tensorflow", "dask", "cupy"})
_LOG_READERS: Final = frozenset(
    {"redirect_stdout", "redirect_stderr", "assertLogs", "capture_logs", "MemoryHandler", "QueueHandler", "Handler"}
    | {"setLogRecordFactory", "setLoggerClass", "dictConfig", "fileConfig", "configure_once"}
)
_LOG_NAMES: Final = frozenset(
    {"sys.stdout", "sys.stderr", "sys.__stdout__", "structlog.configure"}
    | {"loguru.logger.add", "loguru.logger.configure", "loguru.logger.patch"}
)
_SOURCE_ATTRIBUTES: Final = frozenset(
    {"__code__", "co_code", "co_consts", "co_firstlineno", "tb_lineno", "f_lineno", "tb_frame", "__traceback__"}
)
_FRAME_ATTRIBUTES: Final = frozenset({"f_locals", "f_back", "co_varnames", "__closure__", "gi_frame", "cr_frame"})
_ERROR_ATTRIBUTES: Final = frozenset({"exc_info", "exception", "exc_text", "__context__", "__cause__"})
_ENTERING: Final = frozenset({"enter_context", "enter_async_context"})
_LOG_ATTRIBUTES: Final = frozenset({"addHandler", "addFilter", "handlers", "records", "assertLogs", "capture_logs"})
_ANNOTATION_ATTRIBUTES: Final = frozenset(
    {"__annotations__", "__signature__", "model_fields", "model_json_schema", "__type_params__"}
)
_NAME_ATTRIBUTES: Final = frozenset({"__globals__", "__builtins__"})
NOTABLE: Final = frozenset({"__doc__", "__subclasses__", "__dict__"}).union(
    *(_ANNOTATION_ATTRIBUTES, _SOURCE_ATTRIBUTES, _FRAME_ATTRIBUTES, _ERROR_ATTRIBUTES),
    *(_ENTERING, _LOG_ATTRIBUTES, _NAME_ATTRIBUTES),
)
"""Attributes that tell something: few do."""
PLAIN_DUNDERS: Final = frozenset(
    {
        "__init__",
        "__post_init__",
        "__enter__",
        "__exit__",
        "__aenter__",
        "__aexit__",
        "__call__",
        "__iter__",
        "__next__",
    }
    | {"__aiter__", "__anext__", "__new__", "__slots__", "__all__", "__init_subclass__", "__class_getitem__"}
)


@dataclass(slots=True)
class Facts:
    """What was seen; facts of several symbols add up."""

    source: bool = False
    frames: bool = False
    docs: bool = False
    annotations: bool = False
    errors: bool = False
    logs: bool = False
    arrays: bool = False
    handles: bool = False
    """Some error is caught somewhere."""
    spreads: bool = False
    """Something is called with `**`, so that names of parameters may come from data."""
    subclasses: bool = False
    """Subclasses are looked for at run time."""
    acting: set[str] = field(default_factory=set)
    own_names: set[str] = field(default_factory=set)
    keywords: set[str] = field(default_factory=set)
    values: set[Symbol] = field(default_factory=set)
    """Functions and classes handed around as values: whoever gets them may read their names, docstrings and hints."""
    value_attributes: set[str] = field(default_factory=set)
    """Attributes that are read and not called: a method among them is handed around."""
    methods: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    """Methods whose call returns a coroutine or a generator."""
    handed: set[str] = field(default_factory=set)
    """Methods that are called, and whose value is handed around."""
    doubts: dict[str, None] = field(default_factory=dict)
    """Why the closure is not complete, in the order it was found."""

    def add(self, other: Facts) -> None:
        """Take in what was seen elsewhere."""
        for name in _FLAGS:
            if getattr(other, name):
                setattr(self, name, True)
        for name in _SETS:
            theirs = getattr(other, name)
            if theirs:
                getattr(self, name).update(theirs)

    def in_general(self) -> Hashable:
        """Return what every part of a closure sees of these facts, wherever it asks."""
        flags = tuple(getattr(self, name) for name in _FLAGS)
        return (
            flags,
            any(name.startswith("__") for name in self.acting),
            "log" in self.own_names,
            "logger" in self.own_names,
        )

    def about(self, symbol: Symbol, names: frozenset[str]) -> Hashable:
        """Return what else a part sees of them, where it is of a symbol and has these names in it."""
        top = Symbol(symbol.module, symbol.name.partition(".")[0])
        sets = (self.acting, self.keywords, self.value_attributes)
        return symbol in self.values, top in self.values, *(names & each for each in sets)

    def saw_name(self, dotted: str) -> None:
        """Something outside the project is used, by its dotted name."""
        top, _, rest = dotted.partition(".")
        last = rest.rpartition(".")[2]
        if dotted in _FRAMES or dotted in _RUNS_TEXT or top in _FRAME_TOPS:
            self.frames = True
        if dotted in _RUNS_TEXT:
            self.doubts[f"{last}() runs code made from text"] = None
        if dotted in _UNSEEN or top in _UNSEEN_TOPS:
            self.doubts[f"{last or top} reaches code by names made at run time"] = None
        if top == "inspect":
            self._saw_inspect(last)
        if top in _SOURCE_TOPS:
            self.source = self.errors = True
        if top in _DOC_TOPS or dotted in ("builtins.help", "builtins.__doc__"):
            self.docs = True
        if last in _ANNOTATION_NAMES:
            self.annotations = True
        if dotted in ("sys.exc_info", "sys.exception", "sys.last_value"):
            self.errors = True
        if last in _LOG_READERS or dotted in _LOG_NAMES:
            self.logs = True
        if top in _ARRAY_TOPS:
            self.arrays = True
        if last == "suppress":
            self.handles = True

    def _saw_inspect(self, name: str) -> None:
        if name in ("getdoc", "cleandoc"):
            self.docs = True
        elif name in ("signature", "getfullargspec", "get_annotations", "Parameter", "Signature"):
            self.annotations = self.frames = True
        elif name not in _SAFE_INSPECT:
            self.source = self.frames = self.docs = self.annotations = True

    def saw_attribute(self, name: str) -> None:
        """An attribute of some value is read or set."""
        if name not in NOTABLE:
            return
        if name == "__doc__":
            self.docs = True
        elif name in _ANNOTATION_ATTRIBUTES:
            self.annotations = True
        elif name in _SOURCE_ATTRIBUTES:
            self.source = True
        elif name in _FRAME_ATTRIBUTES:
            self.frames = True
        elif name in _ERROR_ATTRIBUTES:
            self.errors = self.errors or name != "exception"
        elif name in _ENTERING:
            self.errors = True
        elif name in _LOG_ATTRIBUTES:
            self.logs = True
        elif name == "__subclasses__":
            self.subclasses = True
        elif name in _NAME_ATTRIBUTES:
            self.doubts[f"{name} reaches code by names made at run time"] = None
        elif name == "__dict__":
            self.frames = True

    def saw_class(self, node: ast.ClassDef) -> None:
        """A class is defined: what its instances do by themselves."""
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.own_names.add(statement.name)
                if not any(_is_property(d) for d in statement.decorator_list):
                    self.methods.add(statement.name)
                if is_deferred(statement):
                    self.deferred.add(statement.name)
                if statement.decorator_list or (
                    statement.name.startswith("__") and statement.name not in PLAIN_DUNDERS
                ):
                    self.acting.add(statement.name)
                if statement.name in ("__exit__", "__aexit__"):
                    self.errors = self.handles = True
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                self.own_names.update(t.id for t in targets if isinstance(t, ast.Name))


def is_deferred(statement: ast.AST) -> bool:
    """Whether a function's call only returns a coroutine or a generator."""
    if isinstance(statement, ast.AsyncFunctionDef):
        return True
    yields = (ast.Yield, ast.YieldFrom)
    return isinstance(statement, ast.FunctionDef) and any(node.__class__ in yields for node in walk(statement))


def _is_property(decorator: ast.expr) -> bool:
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name in ("property", "cached_property", "setter", "getter", "deleter")


_FLAGS: Final = tuple(each.name for each in fields(Facts) if each.default is False)
_SETS: Final = tuple(each.name for each in fields(Facts) if each.default is not False)
