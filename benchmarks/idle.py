"""CPU of an idle engine, and of an idle control room with its engine, over ten seconds."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Final

import psutil

from benchmarks.figure import Figure
from benchmarks.project import RIVUS, folder
from benchmarks.tmux import tmux

SETTLE_S: Final = 3.0
SPAN_S: Final = 10.0


def measures() -> Iterator[Figure]:
    """Percent of one core, children included."""
    with folder({"TODO.md": "- [ ] Write\n"}) as root:
        line = [str(RIVUS), "--state", str(root / "state"), "--trust"]
        with subprocess.Popen([*line, "--serve"], cwd=root, stderr=subprocess.DEVNULL) as engine:
            value = _busy(psutil.Process(engine.pid))
            engine.terminate()
        yield Figure(name="idle", value=value, unit="% of a core", goal="<= 1, aim 0.3", setting="--serve")
        if shutil.which("tmux") is None:
            yield Figure(name="idle", value=None, unit="%", skipped="tmux is not installed")
            return
        with tmux() as server:
            pane = server.open(line, root)
            server.until(pane, "1 Jobs")
            value = _busy(psutil.Process(int(server.ask("display-message", "-p", "-t", pane, "#{pane_pid}"))))
        yield Figure(name="idle", value=value, unit="% of a core", goal="<= 1, aim 0.3", setting="app and engine")


def _busy(process: psutil.Process) -> float:
    time.sleep(SETTLE_S)
    before = _cpu(process)
    time.sleep(SPAN_S)
    return (_cpu(process) - before) / SPAN_S * 100


def _cpu(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(one.user + one.system for one in times)
