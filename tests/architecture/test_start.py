"""What a fresh interpreter loads: the floors as they are when the program runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


WORK = """\
import sys
from pathlib import Path


async def work(ctx):
    Path("loaded").write_text(" ".join(sys.modules))
    return {}
"""
MODULES_MAX = {"first": 271, "second": 262}
"""Of engine, command line and plugins, before the first handler runs, at the first start with a jobs.yaml and at each
that comes after. What is not needed for it is imported where it is
used, by one of the modules in `test_floors.DEFERRED_MAY`."""
LATER = (
    *("engine.doctor.ladder", "engine.doctor.model", "engine.rules.verdicts"),
    *("engine.services.commands", "engine.store.undo"),
    *("engine.llm.jury", "engine.llm.review", "engine.llm.backend_litellm", "engine.services.change_question"),
    *("engine.work.canary", "engine.rest"),
)
CHECKS = ("pydantic", "yaml", "engine.config.check", "engine.config.model")
"""What a jobs.yaml that was checked before is read without."""
BEFORE_PAINT_MAX = 112
"""Of control room and engine, before the first screen is drawn."""


def test_first_handler_waits_for_little(tmp_path: Path) -> None:
    """The number of modules, not the time: that stays the same on a busy machine."""
    (tmp_path / "jobs.yaml").write_text("jobs: {line: {discovery: {use: load.find}, handler: load.work}}")
    find = """

from engine.contracts.item import Candidate


async def find(ctx):
    yield Candidate(key="a")
"""
    (tmp_path / "load.py").write_text(WORK + find)
    env = os.environ | {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "home")}
    env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    for state in ("first", "second"):
        line = [sys.executable, "-m", "rivus_tui", "--state", state, "--trust", "run", "line", "--once"]
        done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        names = set((tmp_path / "loaded").read_text().split())
        none(within(names, "textual", "rich", *LATER, *HEAVY, *(CHECKS if state == "second" else ())))
        assert len(within(names, "engine", "rivus_tui", "plugins")) <= MODULES_MAX[state]


def test_what_is_loaded_later_is_all_of_what_is_left_out() -> None:
    names = loaded("import engine.rest")
    none(name for name in LATER if name not in names)


def test_first_paint_waits_for_little(tmp_path: Path) -> None:
    """A room that is drawn has asked for neither the engine nor the models of jobs.yaml."""
    code = f"""\
import os, pty, sys
from pathlib import Path

os.chdir({str(tmp_path)!r})
Path("TODO.md").write_text("- [ ] Write")
child, terminal = pty.fork()
if not child:
    import rivus_tui.cli.room as room
    room.gc.freeze = lambda: (Path("loaded").write_text(" ".join(sys.modules)), os._exit(0))
    sys.argv = ["rivus", "--state", "state"]
    from rivus_tui.__main__ import main
    main()
try:
    while data := os.read(terminal, 65536):
        sys.stderr.buffer.write(data)
except OSError:
    pass
os.waitpid(child, 0)
"""
    loaded(code)
    names = set((tmp_path / "loaded").read_text().split())
    none(
        within(
            names, "engine.runtime", "engine.facade", "engine.config.load", "engine.config.model", "pydantic", *HEAVY
        )
    )
    assert len(within(names, "engine", "rivus_tui", "plugins")) <= BEFORE_PAINT_MAX
