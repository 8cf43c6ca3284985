"""From dotted names to functions: the only place that imports what a configuration names.

What a name stands for is code of somebody else: importing it may fail in any way, so every failure becomes one
sentence (`Unresolved`) for the screen and a traceback for the log. A stage's functions may come from
- any package that Python finds, including one in the folder of jobs.yaml (looked at last, so it shadows nothing), and
- a folder `plugins` beside jobs.yaml, which extends the package `plugins`.
Without a jobs.yaml nothing of the folder is importable: the built-in jobs need no trust in the folder they look at.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import engine
from engine.config.importing import import_in_time
from engine.config.nearest import did_you_mean
from engine.contracts.errors import Untrusted
from engine.contracts.seam import PARAMS_ATTRIBUTE
from engine.kit.safe_text import safe_line

Function = Callable[..., Any]

_CONVENTIONS: Final = {"handler": "handle", "discovery": "discover", "hook": "answer"}
"""Function that is taken when a dotted name is a module; a check is a discovery."""

_HOME: Final = Path(engine.__file__).parent.parent
"""Folder that holds the packages `engine` and `plugins`."""

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # without it, Python prints tracebacks on the screen until a log is open


class Unresolved(Exception):
    """A dotted name does not lead to a usable function; the message is one sentence for a person."""


class Resolver:
    """Dotted names to functions; each name is imported and checked once."""

    def __init__(self, folder: Path | None = None, *, trusted: bool = True) -> None:
        """`folder` is that of jobs.yaml; None for the built-in jobs, which see nothing of the user's.

        Unless that folder is `trusted`, only what is shipped with Rivus is imported; any other name is Untrusted.
        """
        self._folder = folder
        self._known: dict[tuple[str, str], Function | Unresolved] = {}
        self._shipped_only = folder is not None and not trusted
        _open_plugins(folder if trusted else None)
        if folder is not None and trusted and str(folder) not in sys.path:
            sys.path.append(str(folder))
        importlib.invalidate_caches()

    def handler(self, dotted: str) -> Function:
        """Return the handler, `async def` or plain; Unresolved says why there is none."""
        return self._resolve("handler", dotted)

    def discovery(self, dotted: str) -> Function:
        """Return the discovery or check, an async generator function; Unresolved says why there is none."""
        return self._resolve("discovery", dotted)

    def hook(self, dotted: str) -> Function:
        """Return a function that answers one question about its context, plain or `async def`; Unresolved if none."""
        return self._resolve("hook", dotted)

    def tool(self, dotted: str) -> Function:
        """Return a function that a plugin offers to the command line, whatever it takes; Unresolved if none."""
        return self._resolve("tool", dotted)

    def _resolve(self, kind: str, dotted: str) -> Function:
        known = self._known.get((kind, dotted))
        if known is None:
            try:
                known = self._load(kind, dotted)
            except Unresolved as error:
                known = error
            self._known[kind, dotted] = known
        if isinstance(known, Unresolved):
            raise Unresolved(*known.args) from known
        return known

    def _load(self, kind: str, dotted: str) -> Function:
        if not all(part.isidentifier() for part in dotted.split(".")):
            raise Unresolved(f"`{safe_line(dotted, 120)}` is not a dotted name, such as `plugins.todos.scan`")
        function = self._find(dotted, _CONVENTIONS.get(kind))
        problem = None
        if kind == "handler":
            problem = _wrong_signature(function) or _wrong_handler(function)
        elif kind == "hook":
            problem = _wrong_signature(function) or _wrong_hook(function)
        elif kind == "discovery":
            problem = _wrong_signature(function) or _wrong_discovery(function)
        if problem:
            raise Unresolved(f"`{dotted}` {problem} ({self._place(function)})")
        return function

    def _find(self, dotted: str, convention: str | None) -> Function:
        parent_name, _, last = dotted.rpartition(".")
        module: ModuleType | None
        if parent_name:
            parent = self._import(parent_name, dotted)
            if parent is None:
                raise Unresolved(f"`{dotted}`: there is no module `{parent_name}`{self._nearest(parent_name)}")
            found = self._member(parent, last, dotted)
            if found is not None and not inspect.ismodule(found):
                return self._function(found, dotted, parent)
            module = self._import(dotted, dotted) if hasattr(parent, "__path__") else None
            if module is None:
                near = did_you_mean(last, _members(parent), prefix=f"{parent_name}.")
                raise Unresolved(f"`{dotted}`: `{parent_name}` has no `{last}` ({self._file(parent)}){near}")
        else:
            module = self._import(dotted, dotted)
            if module is None:
                raise Unresolved(f"`{dotted}`: there is no module of this name{self._nearest(dotted)}")
        if convention is None:
            raise Unresolved(f"`{dotted}` is a module, not a function ({self._file(module)})")
        function = self._member(module, convention, dotted)
        if function is None:
            raise Unresolved(f"`{dotted}` is a module without a function `{convention}` ({self._file(module)})")
        return self._function(function, dotted, module)

    def _function(self, found: object, dotted: str, module: ModuleType) -> Function:
        if not callable(found) or inspect.isclass(found):
            what = "class" if inspect.isclass(found) else f"value of type {type(found).__name__}"
            raise Unresolved(f"`{dotted}` is a {what}, not a function ({self._file(module)})")
        return found

    def _member(self, module: ModuleType, name: str, dotted: str) -> object:
        try:
            return getattr(module, name, None)
        except BaseException as error:  # a module may have its own `__getattr__`
            raise self._failed(dotted, error) from error

    def _import(self, name: str, dotted: str) -> ModuleType | None:
        """Import a module; None when it does not exist, Unresolved when it exists and does not import."""
        if self._shipped_only and not _is_shipped(name):
            raise Untrusted(
                f"{self._folder}: its jobs.yaml names code that is not part of Rivus (`{safe_line(dotted, 120)}`), and "
                "nobody has said yet that it may run: look at it, then pass --trust once; it is remembered"
            )
        try:
            return import_in_time(name)
        except BaseException as error:  # somebody else's code: a SystemExit at import must not end the engine
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if missing is not None and f"{name}.".startswith(f"{missing}."):
                return None
            raise self._failed(dotted, error) from error

    def _failed(self, dotted: str, error: BaseException) -> Unresolved:
        log.warning("%s does not import", dotted, exc_info=error)
        text = safe_line(error.msg if isinstance(error, SyntaxError) else str(error), 200)
        reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return Unresolved(f"`{dotted}` does not import: {reason}{self._raised_at(error)}")

    def _raised_at(self, error: BaseException) -> str:
        if isinstance(error, SyntaxError) and error.filename:
            return f" ({self._show(error.filename)}:{error.lineno})"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
        frames = [frame for frame in frames if frame.filename != __file__]
        return f" ({self._show(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""

    def _nearest(self, missing: str) -> str:
        """Suggest a module near the first part of `missing` that does not exist."""
        parent, _, last = missing.rpartition(".")
        if not parent:
            search = [str(self._folder)] if self._folder is not None else []
            return did_you_mean(last, ["plugins", *(found.name for found in pkgutil.iter_modules(search))])
        try:
            package = self._import(parent, missing)
        except Unresolved:
            return ""
        return self._nearest(parent) if package is None else did_you_mean(last, _members(package), prefix=f"{parent}.")

    def _place(self, function: Function) -> str:
        code = getattr(inspect.unwrap(function), "__code__", None)
        return f"{self._show(code.co_filename)}:{code.co_firstlineno}" if code else repr(type(function).__name__)

    def _file(self, module: ModuleType) -> str:
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), module.__name__)
        return self._show(str(file))

    def _show(self, file: str) -> str:
        """Shorten a path that lies below the folder of jobs.yaml or beside the engine."""
        for folder in (self._folder, _HOME):
            if folder is not None and file.startswith(f"{folder}{os.sep}"):
                return safe_line(os.path.relpath(file, folder), 200)
        return safe_line(file, 200)


def _is_shipped(name: str) -> bool:
    """Whether a module is one of Rivus's own plugins: no other name is looked up, let alone imported."""
    if name == "plugins":
        return True
    first, *rest = name.split(".")
    if first != "plugins":
        return False
    place = _HOME.joinpath("plugins", *rest)
    return place.with_suffix(".py").is_file() or place.is_dir()


def forget(folder: Path) -> None:
    """Make Python read the modules below `folder` again when they are next resolved; running code keeps its own."""
    inside = f"{folder.resolve()}{os.sep}"
    shipped = (f"{_HOME}{os.sep}engine{os.sep}", f"{_HOME}{os.sep}rivus_tui{os.sep}")
    for name, module in tuple(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or f"{os.sep}site-packages{os.sep}" in file or name == "__main__":
            continue
        path = os.path.realpath(file)
        if path.startswith(inside) and not path.startswith(shipped):
            del sys.modules[name]
    importlib.invalidate_caches()


def is_async(function: Function) -> bool:
    """Whether a handler runs on the engine's loop; otherwise it runs in a worker process."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 (the method is wanted)


def accepted_params(function: Function) -> tuple[str, ...] | None:
    """Return the params that a function declares with `accepts`; None when it declares nothing."""
    names: Iterable[str] | None = getattr(function, PARAMS_ATTRIBUTE, None)
    return None if names is None else tuple(names)


def _wrong_signature(function: Function) -> str | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "has no signature that can be read"
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(required) != 1 or named:
        has = ", ".join([p.name for p in required] + named) or "none"
        return f"must take exactly one required argument, the context; it takes: {has}"
    return None


def _wrong_handler(function: Function) -> str | None:
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return "yields, but a handler returns one outcome; only a discovery yields"
    return None


def _wrong_hook(function: Function) -> str | None:
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return "yields, but it is asked for one answer"
    return None


def _wrong_discovery(function: Function) -> str | None:
    if not inspect.isasyncgenfunction(function):
        return "must be an async generator: `async def` with `yield Candidate(…)`"
    return None


def _members(module: ModuleType) -> list[str]:
    """Return what a dotted name may go on with: submodules and public functions."""
    modules = [found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))]
    return modules + [name for name, value in vars(module).items() if inspect.isroutine(value) and name[0] != "_"]


def _open_plugins(folder: Path | None) -> None:
    """Import the package `plugins` that is installed beside the engine, and let `folder`/plugins extend it.

    It is looked for beside the engine only, because a folder of that name in the current folder may come first on
    Python's path.
    """
    package = sys.modules.get("plugins")
    if package is None:
        spec = PathFinder.find_spec("plugins", [str(_HOME)])
        if spec is None or spec.loader is None:
            return
        package = module_from_spec(spec)
        spec.loader.exec_module(package)
        sys.modules["plugins"] = package
    own = folder / "plugins" if folder is not None else None
    if (
        own is not None
        and own.is_dir()
        and not any(os.path.realpath(own) == os.path.realpath(p) for p in package.__path__)
    ):
        package.__path__.append(str(own))
