"""Constructs that open a door: refused wherever they stand, with the exceptions and their reasons in one list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import Module, imports, is_within, modules, none

BUILT_SQL_MAY = {
    ("engine/store/db.py", "PRAGMA synchronous"): "a PRAGMA takes no parameters; both values stand in the code",
    ("engine/store/migrate.py", "BEGIN IMMEDIATE"): "the text is that of a migration file, the number an int",
    ("engine/store/migrate.py", "PRAGMA application_id"): "written into schema.sql, both numbers",
}
"""SQL that is put together from parts: file and first words, with the reason."""

_SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|PRAGMA|VACUUM|ATTACH|CREATE|DROP|ALTER|BEGIN)\s",
)
_CODE_FROM_TEXT = {"eval", "exec", "compile", "__import__"}
_UNSAFE_CALLS = {
    "yaml": {"load", "load_all", "unsafe_load", "full_load"},
    "os": {"system", "popen"},
    "asyncio": {"create_subprocess_shell"},
    "subprocess": {"getoutput", "getstatusoutput"},
}
_DYNAMIC_IMPORTS = {
    *("importlib.import_module", "import_module", "importlib.reload"),
    *("runpy.run_module", "runpy.run_path", "spec.loader.exec_module"),
}
_DYNAMIC_IMPORTS_MAY = {
    "engine.config.importing": "the same names, on a thread that may hang",
    "engine.config.resolve": "dotted names of jobs.yaml become functions here",
    "engine.kit.trial": "the test kit imports the file that a plugin author tests",
    "rivus_tui.cli.main": "its own verbs, from a table of constants, when they are used",
    "rivus_tui.rooms": "the app's own screens, from a table of constants, when they are opened",
}
_UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


def findings(module: Module) -> Iterator[str]:
    """Yield what a module does that it must not do."""
    for node in ast.walk(module.tree):
        for problem in _problems(node):
            yield f"{module.path}:{getattr(node, 'lineno', 0)}: {problem}"
    for import_ in imports(module):
        if import_.top in _UNSAFE_MODULES:
            yield f"{module.path}:{import_.line}: {import_.name} runs code when it reads data"


def _problems(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ImportFrom(level=level) if level:
            yield "a relative import"
        case ast.Call(func=ast.Name(id=name)) if name in _CODE_FROM_TEXT:
            yield f"{name}() makes code from text"
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if name in _UNSAFE_CALLS.get(owner, ()):
            yield f"{owner}.{name}()"
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
                yield "a subprocess with a shell"


def built_sql(module: Module) -> Iterator[tuple[str, str]]:
    """Yield (place, first words) of SQL that is put together from parts."""
    for node in ast.walk(module.tree):
        text = _first_text(node)
        if text is not None and _SQL.match(text):
            yield f"{module.path}:{getattr(node, 'lineno', 0)}", " ".join(text.split()[:2]).rstrip(";")


def _first_text(node: ast.AST) -> str | None:
    """Return how a text begins that is built with an f-string, `+`, `%` or `.format`; None for anything else."""
    match node:
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add() | ast.Mod()):
            return text
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format" | "join" | "replace")):
            return text
    return None


def test_no_module_opens_a_door() -> None:
    none([finding for module in modules() for finding in findings(module)])


def test_names_become_code_in_few_places() -> None:
    strays = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in _DYNAMIC_IMPORTS
        and module.name not in _DYNAMIC_IMPORTS_MAY
    ]
    none(strays)


def test_dataclasses_are_the_cheap_ones() -> None:
    """Those of the standard library cost a start ten times as much (`engine/contracts/values.py`)."""
    strays = [
        f"{module.path}:{node.lineno}: `from engine.contracts.values import dataclass`"
        for module in modules()
        if not is_within(module.name, "plugins", "engine.contracts.values")
        for node in ast.walk(module.tree)
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "dataclasses"
            and "dataclass" in {a.name for a in node.names}
        )
        or (isinstance(node, ast.Attribute) and ast.unparse(node) == "dataclasses.dataclass")
    ]
    none(strays)


def test_sql_is_not_put_together_from_parts() -> None:
    built = [
        f"{place}: {words}"
        for module in modules()
        if is_within(module.name, "engine")
        for place, words in built_sql(module)
        if (module.path, words) not in BUILT_SQL_MAY
    ]
    none(built)


@pytest.mark.parametrize(
    "code",
    [
        "from . import x",
        "eval('1')",
        "exec(text)",
        "yaml.load(x)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=flag)",
        "import pickle",
        "from pickle import loads",
    ],
)
def test_door_is_seen(code: str) -> None:
    assert len(list(findings(Module(name="engine.x", path="x", text=code, tree=ast.parse(code))))) == 1


@pytest.mark.parametrize(
    "code",
    ["f'SELECT {a} FROM b'", "'SELECT ' + a", "'DELETE FROM a WHERE b = %s' % c", "'UPDATE {}'.format(a)"],
)
def test_built_sql_is_seen(code: str) -> None:
    assert len(list(built_sql(Module(name="engine.x", path="x", text=code, tree=ast.parse(code))))) == 1
