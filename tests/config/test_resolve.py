from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import importing
from engine.config.load import load_project
from engine.config.resolve import Resolver, Unresolved, accepted_params, is_async
from engine.contracts.errors import Untrusted
from tests.config.folders import Folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def resolver(folder: Folder) -> Resolver:
    return Resolver(folder.path)


def why(resolver: Resolver, dotted: str, kind: str = "handler") -> str:
    with pytest.raises(Unresolved) as caught:
        getattr(resolver, kind)(dotted)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_function_is_found_by_its_dotted_name(folder: Folder, resolver: Resolver) -> None:
    function = resolver.handler(f"{folder.plugin}.work")
    assert function is sys.modules[folder.plugin].work
    assert is_async(function)
    assert accepted_params(function) is None


def test_plain_function_is_not_async_and_tells_its_params(folder: Folder, resolver: Resolver) -> None:
    function = resolver.handler(f"{folder.plugin}.plain")
    assert not is_async(function)
    assert accepted_params(function) == ("depth",)


def test_module_stands_for_its_conventional_function(folder: Folder, resolver: Resolver) -> None:
    assert resolver.handler(folder.plugin).__name__ == "handle"
    assert resolver.discovery(folder.plugin).__name__ == "discover"


def test_submodule_of_a_package_is_found(folder: Folder) -> None:
    folder.write(f"{folder.plugin}_pkg/__init__.py", "")
    folder.write(f"{folder.plugin}_pkg/deep.py", "def handle(ctx): ...\ndef other(ctx): ...\n")
    resolver = Resolver(folder.path)
    assert resolver.handler(f"{folder.plugin}_pkg.deep").__name__ == "handle"
    assert resolver.handler(f"{folder.plugin}_pkg.deep.other").__name__ == "other"


def test_function_of_a_package_goes_before_its_submodule(folder: Folder) -> None:
    folder.write(f"{folder.plugin}_pkg/__init__.py", "def deep(ctx): ...\n")
    folder.write(f"{folder.plugin}_pkg/deep.py", "def handle(ctx): ...\n")
    assert Resolver(folder.path).handler(f"{folder.plugin}_pkg.deep").__name__ == "deep"


def test_name_is_imported_once(folder: Folder, resolver: Resolver) -> None:
    first = resolver.handler(f"{folder.plugin}.work")
    folder.write(f"{folder.plugin}.py", "raise RuntimeError")
    assert resolver.handler(f"{folder.plugin}.work") is first


def test_folder_plugins_extends_the_package_and_shadows_nothing(folder: Folder) -> None:
    folder.write("plugins/__init__.py", "raise RuntimeError('not the package')\n")
    folder.write(f"plugins/{folder.plugin}_own.py", "def handle(ctx): ...\n")
    folder.write("plugins/todos/__init__.py", "raise RuntimeError('not the package')\n")
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(folder.path)!r})  # as `python -m` does with the current folder
sys.path.insert(1, {str(ROOT)!r})
from engine.config.resolve import Resolver
resolver = Resolver(Path({str(folder.path)!r}))
print(resolver.handler("plugins.{folder.plugin}_own").__name__, resolver.discovery("plugins.todos.scan").__module__)
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("handle plugins.todos"), done.stderr


def test_builtin_jobs_see_nothing_of_the_users_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    project = load_project(None, folder.path)
    assert project.source is None
    assert str(folder.path) not in sys.path
    assert "there is no module" in why(Resolver(), f"{folder.plugin}.work")


def test_folder_comes_last_on_the_path(folder: Folder) -> None:
    Resolver(folder.path)
    Resolver(folder.path)
    assert sys.path[-1] == str(folder.path)
    assert sys.path.count(str(folder.path)) == 1


def test_missing_function_names_the_nearest_and_the_file(folder: Folder, resolver: Resolver) -> None:
    name = folder.plugin
    assert (
        why(resolver, f"{name}.wrok")
        == f"`{name}.wrok`: `{name}` has no `wrok` ({name}.py); did you mean `{name}.work`?"
    )


def test_missing_module_names_the_nearest(folder: Folder, resolver: Resolver) -> None:
    assert why(resolver, f"{folder.plugin}x.work") == (
        f"`{folder.plugin}x.work`: there is no module `{folder.plugin}x`; did you mean `{folder.plugin}`?"
    )
    assert "did you mean `plugins.todos`?" in why(resolver, "plugins.todo.scan")
    assert "did you mean `plugins`?" in why(resolver, "plugin.todos.scan")


def test_module_without_the_conventional_function_says_so(folder: Folder) -> None:
    folder.write(f"{folder.plugin}_empty.py", "x = 1\n")
    message = why(Resolver(folder.path), f"{folder.plugin}_empty")
    assert message == f"`{folder.plugin}_empty` is a module without a function `handle` ({folder.plugin}_empty.py)"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def handle(:\n", "SyntaxError: invalid syntax (FILE:1)"),
        ("x = 1\ny = 1 / 0\n", "ZeroDivisionError: division by zero (FILE:2)"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3 (FILE:2)"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt (FILE:1)"),
        ("class Odd(BaseException): ...\nraise Odd('x\\x1b[2J')\n", "Odd: x␛[2J (FILE:2)"),
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all' (FILE:1)"),
        ("from os import nowhere\n", "(FILE:1)"),
    ],
)
def test_module_that_does_not_import_is_one_sentence(folder: Folder, source: str, reason: str) -> None:
    name = f"{folder.plugin}_bad"
    folder.write(f"{name}.py", source)
    message = why(Resolver(folder.path), f"{name}.handle")
    assert message.startswith(f"`{name}.handle` does not import: ")
    assert message.endswith(reason.replace("FILE", f"{name}.py"))


def test_traceback_goes_to_the_log(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.write(f"{folder.plugin}_bad.py", "1 / 0\n")
    with caplog.at_level(logging.WARNING, logger="engine.config.resolve"):
        why(Resolver(folder.path), f"{folder.plugin}_bad")
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(): ...", "must take exactly one required argument, the context; it takes: none"),
        ("def f(ctx, more): ...", "must take exactly one required argument, the context; it takes: ctx, more"),
        ("def f(ctx, *, more): ...", "must take exactly one required argument, the context; it takes: ctx, more"),
        ("def f(*args): ...", "must take exactly one required argument, the context; it takes: none"),
        ("def f(ctx): yield", "yields, but a handler returns one outcome; only a discovery yields"),
        ("async def f(ctx): yield", "yields, but a handler returns one outcome; only a discovery yields"),
    ],
)
def test_wrong_handler_says_what_is_wrong_and_where(folder: Folder, source: str, reason: str) -> None:
    folder.write(f"{folder.plugin}_bad.py", f"\n\n{source}\n".replace("\n\n", "# one\n# two\n", 1))
    message = why(Resolver(folder.path), f"{folder.plugin}_bad.f")
    assert message == f"`{folder.plugin}_bad.f` {reason} ({folder.plugin}_bad.py:3)"


@pytest.mark.parametrize("source", ["def f(ctx): ...", "async def f(ctx): ...", "def f(ctx): yield"])
def test_discovery_must_be_an_async_generator(folder: Folder, source: str) -> None:
    folder.write(f"{folder.plugin}_bad.py", source)
    assert "must be an async generator" in why(Resolver(folder.path), f"{folder.plugin}_bad.f", "discovery")


@pytest.mark.parametrize(
    "source", ["def f(ctx, more=1): ...", "def f(ctx, *more, **others): ...", "def f(ctx, /): ..."]
)
def test_further_optional_arguments_are_fine(folder: Folder, source: str) -> None:
    folder.write(f"{folder.plugin}_good.py", source)
    assert Resolver(folder.path).handler(f"{folder.plugin}_good.f").__name__ == "f"


def test_tool_may_take_anything_but_must_be_a_function(folder: Folder) -> None:
    folder.write(f"{folder.plugin}_tool.py", "def rows(path, *, deep=False): ...\nn = 1\n")
    resolver = Resolver(folder.path)
    assert resolver.tool(f"{folder.plugin}_tool.rows").__name__ == "rows"
    assert "is a module, not a function" in why(resolver, f"{folder.plugin}_tool", "tool")
    assert "did you mean" in why(resolver, f"{folder.plugin}_tool.row", "tool")


def test_class_and_value_are_no_functions(folder: Folder) -> None:
    folder.write(f"{folder.plugin}_bad.py", "class C:\n    def __init__(self, ctx): ...\nn = 1\n")
    resolver = Resolver(folder.path)
    assert "is a class, not a function" in why(resolver, f"{folder.plugin}_bad.C")
    assert "is a value of type int, not a function" in why(resolver, f"{folder.plugin}_bad.n")


@pytest.mark.parametrize("dotted", ["", "a..b", ".a", "a b", "a/b", "../x", "a;b"])
def test_what_is_no_dotted_name_is_not_imported(resolver: Resolver, dotted: str) -> None:
    assert "is not a dotted name" in why(resolver, dotted)


def test_broken_handler_breaks_its_job_only(folder: Folder) -> None:
    project = folder.load("""
        jobs:
          a: {handler: PLUGIN.nothing}
          b: {handler: PLUGIN.work}
        """)
    assert [job.broken is None for job in project.jobs] == [False, True]


def test_broken_job_says_file_and_line(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    message = folder.broken("""
        jobs:
          a:
            stages:
              - one: {handler: PLUGIN.wrk}
              - two: {handler: PLUGIN.gone}
        """)
    assert message.startswith(f"`{folder.plugin}.wrk`: ")
    assert message.endswith(f"did you mean `{folder.plugin}.work`? — jobs.yaml:4 (and 1 more)")


def test_same_broken_handler_of_many_stages_counts_once(folder: Folder) -> None:
    assert "more)" not in folder.broken("jobs: {a: {handler: PLUGIN.gone, stages: [x, y, z]}}")


def test_unknown_param_of_a_handler_is_a_problem(folder: Folder) -> None:
    text = "jobs: {a: {stages: [x: {handler: PLUGIN.plain, params: {dept: 1}}]}}"
    name = folder.plugin
    message = f"1: jobs.a.stages.x.params.dept: `{name}.plain` has no param `dept`; did you mean `depth`?"
    assert folder.problem(text) == message


def test_unknown_param_of_a_discovery_is_a_problem(folder: Folder) -> None:
    text = "jobs: {a: {handler: PLUGIN, discovery: {use: PLUGIN.picky, evry: 10m}}}"
    message = f"1: jobs.a.discovery.evry: `{folder.plugin}.picky` has no param `evry`; did you mean `every`?"
    assert folder.problem(text) == message


def test_unknown_param_far_from_any_lists_what_there_is(folder: Folder) -> None:
    text = "jobs: {b: {handler: PLUGIN}, a: {check: PLUGIN.picky, findings_to: b, params: {zzz: 1}}}"
    assert folder.problem(text).endswith("has no param `zzz`; it takes include, exclude")


def test_function_that_declares_no_params_takes_any(folder: Folder) -> None:
    job = folder.load("jobs: {a: {handler: PLUGIN, discovery: {use: PLUGIN.scan, anything: 1}}}").job("a")
    assert job is not None
    assert job.discovery is not None
    assert job.discovery.params == {"anything": 1}


def test_paths_below_the_folder_are_shown_short(folder: Folder, resolver: Resolver) -> None:
    assert str(Path(folder.path)) not in why(resolver, f"{folder.plugin}.gone")


def test_module_that_hangs_at_import_does_not_hang_the_load(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "IMPORT_S", 0.2)
    folder.write(f"{folder.plugin}_hangs.py", "import threading\nthreading.Event().wait(30)\n")
    resolver = Resolver(folder.path)
    for name in (f"{folder.plugin}_hangs.work", f"{folder.plugin}_hangs.other"):
        with pytest.raises(Unresolved, match="not done"):
            resolver.handler(name)


def test_nothing_of_an_untrusted_folder_is_imported(folder: Folder) -> None:
    folder.write("sneaky_module.py", "raise SystemExit('it ran')\n")
    resolver = Resolver(folder.path, trusted=False)
    for name in ("sneaky_module.work", "os.system", "plugins.not_shipped.work"):
        with pytest.raises(Untrusted):
            resolver.handler(name)
    assert resolver.handler("plugins.todos.context")
