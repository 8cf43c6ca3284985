"""Which heavy libraries are loaded where they must not be."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure
from benchmarks.project import folder
from benchmarks.tmux import tmux

HEAVY: Final = ("litellm", "feedparser", "apprise", "textual")

SPY: Final = """\
import atexit, json, pathlib, sys
out = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: out.write_text(json.dumps(sorted(sys.modules))))
from rivus_tui.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""Runs the command line, and at its end writes down what was imported."""


def measures() -> Iterator[Figure]:
    """One figure for each way to start; textual is what the app is made of."""
    with folder({"TODO.md": "- [ ] Write\n", "spy.py": SPY}) as root:
        yield _figure("--help", _help(root), HEAVY)
        yield _figure("--serve", _serve(root), HEAVY)
        if shutil.which("tmux") is None:
            yield Figure(name="imports", value=None, unit="modules", skipped="tmux is not installed")
        else:
            yield _figure("app", _app(root), HEAVY[:-1])


def _figure(setting: str, modules: set[str], forbidden: tuple[str, ...]) -> Figure:
    loaded = [name for name in forbidden if name in modules]
    found = f"{setting}: {', '.join(loaded)}" if loaded else setting
    return Figure(name="imports", value=len(loaded), unit="modules", goal="0", setting=found)


def _line(root: Path, *args: str) -> list[str]:
    return [sys.executable, str(root / "spy.py"), str(root / "modules"), "--state", str(root / "state"), *args]


def _modules(root: Path) -> set[str]:
    return set(json.loads((root / "modules").read_text()))


def _help(root: Path) -> set[str]:
    subprocess.run(_line(root, "--help"), cwd=root, check=True, stdout=subprocess.DEVNULL)
    return _modules(root)


def _serve(root: Path) -> set[str]:
    with subprocess.Popen(_line(root, "--serve"), cwd=root, stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr is not None
        next(line for line in engine.stderr if line.startswith("rivus serves"))
        # What a first scan imports counts too.
        time.sleep(0.5)
        engine.send_signal(signal.SIGTERM)
        engine.stderr.read()
    return _modules(root)


def _app(root: Path) -> set[str]:
    (root / "modules").unlink()
    with tmux() as server:
        server.first_paint(_line(root), root, "1 Jobs")
    return _modules(root)
