"""What a fresh interpreter loads: the floors as they are when the program runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.source import ROOT, is_within, modules, none

HEAVY = ("litellm", "feedparser", "apprise")


def loaded(code: str) -> set[str]:
    """Run `code` in a fresh interpreter and return the names of the modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def within(names: set[str], *packages: str) -> list[str]:
    return sorted(name for name in names if is_within(name, *packages))


def test_serving_loads_no_front_end_and_no_plugin() -> None:
    names = loaded("import engine.serve")
    none(within(names, "textual", "rich", "rivus_tui", "plugins", *HEAVY))


def test_whole_engine_loads_no_front_end_and_no_plugin() -> None:
    # httpx has a command line of its own, for which it loads rich; it is imported with the first request.
    later = ("engine.kit.http_wire", "engine.llm.capped")
    names = [module.name for module in modules() if is_within(module.name, "engine") and module.name not in later]
    got = loaded("\n".join(f"import {name}" for name in names))
    none(within(got, "textual", "rich", "rivus_tui", "plugins", *HEAVY))


def test_builtin_jobs_load_nothing_heavy() -> None:
    names = loaded(
        "from pathlib import Path\nfrom engine.config.load import load_project\nload_project(None, Path('/'))"
    )
    none(within(names, "textual", "rivus_tui", "engine.store", "engine.work", *HEAVY))


def test_finding_and_resolving_need_neither_yaml_nor_pydantic() -> None:
    none(within(loaded("import engine.config.find, engine.config.resolve"), "yaml", "pydantic"))


def test_plugins_load_no_store_and_no_front_end() -> None:
    names = [module.name for module in modules() if is_within(module.name, "plugins")]
    got = loaded("\n".join(f"import {name}" for name in names))
    none(within(got, "engine.store", "engine.config", "engine.work", "aiosqlite", "textual", "rivus_tui", *HEAVY))


def test_app_loads_no_store_and_no_plugin() -> None:
    names = loaded("import rivus_tui.app")
    none(within(names, "engine.store", "engine.facade", "engine.config", "aiosqlite", "plugins", *HEAVY))


def test_command_line_loads_no_front_end_before_it_is_needed() -> None:
    none(within(loaded("import rivus_tui.__main__"), "textual", *HEAVY))


@pytest.mark.parametrize("package", ["engine.contracts", "engine.rules"])
def test_lowest_floors_load_only_the_standard_library(package: str) -> None:
    names = [module.name for module in modules() if is_within(module.name, package)]
    before = loaded("")
    tops = {name.partition(".")[0] for name in loaded("\n".join(f"import {name}" for name in names)) - before}
    # zoneinfo asks sysconfig where time zones lie, which loads a module named after the platform.
    foreign = {top for top in tops - sys.stdlib_module_names if not top.startswith("_sysconfigdata")}
    assert foreign <= {"engine", "cronsim"}
