"""An engine in a process of its own, on a job whose handlers keep a ledger outside the state file.

The ledger tells from outside what ran, when and in which process; the state file is read only when it matters.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.command_line import DEADLINE_S, RIVUS
from tests.acceptance.waiting import wait_until

STAGES = ("cut", "glue", "pack")

JOBS = """\
settings: {{grace: {grace}, workers: 2}}
jobs:
  boxes:
    handler: boxes.{handler}
    discovery: {{use: boxes.discover, n: {n}}}
    stages:
      - cut: {{concurrency: 8}}
      - glue: {{concurrency: 8}}
      - pack: {{concurrency: 8}}
"""
MODULE = '''\
"""Handlers that write down in one system call each time they begin and end."""

import asyncio
import os
import signal
import time
from pathlib import Path

from engine.contracts.item import Candidate

LEDGER = Path(__file__).with_name("ledger")


def note(ctx, what):
    handle = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{what} {time.time():.6f} {os.getpid()} {ctx.stage} {ctx.item.key}\\n".encode())
    os.close(handle)


async def discover(ctx):
    for n in range(ctx.params["n"]):
        yield Candidate(key=f"box-{n:04}")
    ctx.scope(["."])


async def brief(ctx):
    note(ctx, "began")
    await asyncio.sleep(0.004)
    note(ctx, "ended")
    return {"box": ctx.item.key}


async def slow(ctx):
    note(ctx, "began")
    await asyncio.sleep(0.1)
    note(ctx, "ended")
    return {"box": ctx.item.key}


async def long(ctx):
    note(ctx, "began")
    while not LEDGER.with_name("open").exists():
        await asyncio.sleep(0.02)
    note(ctx, "ended")
    return {"box": ctx.item.key}


async def still(ctx):
    note(ctx, "began")
    while not LEDGER.with_name("open").exists():
        time.sleep(0.02)  # and the loop does not turn
    note(ctx, "ended")
    return {"box": ctx.item.key}


async def poisoned(ctx):
    note(ctx, "began")
    if ctx.item.key == "box-0001":
        os.kill(os.getpid(), signal.SIGKILL)
    note(ctx, "ended")
    return {"box": ctx.item.key}


def plain(ctx):
    note(ctx, "began")
    while not LEDGER.with_name("open").exists():
        time.sleep(0.02)
    note(ctx, "ended")
    return {"box": ctx.item.key}


def dying(ctx):
    note(ctx, "began")
    if ctx.item.key == "box-0001":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"box": ctx.item.key}
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One line of the ledger."""

    what: str
    at: float
    """Seconds, wall clock."""
    pid: int
    stage: str
    key: str


class Plant:
    """A project in a folder, its state, and the engines that were started on it."""

    def __init__(self, folder: Path, *, handler: str = "brief", n: int = 300, grace: str = "20s") -> None:
        self.root = folder / "project"
        self.state = folder / "state"
        self.n = n
        self.engines: list[subprocess.Popen[str]] = []
        self.root.mkdir()
        (self.root / "boxes.py").write_text(MODULE)
        self.configure(handler=handler, grace=grace)

    def configure(self, *, handler: str, grace: str = "20s") -> None:
        """Write jobs.yaml."""
        (self.root / "jobs.yaml").write_text(JOBS.format(handler=handler, n=self.n, grace=grace))

    def open_gate(self) -> None:
        """Let the long handlers end."""
        (self.root / "open").touch()

    def start(self, *args: str, command: Sequence[str] = (str(RIVUS),)) -> subprocess.Popen[str]:
        """Start an engine; with no arguments, `--serve`."""
        engine = subprocess.Popen(
            [*command, "--state", str(self.state), "--trust", *(args or ("--serve",))],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.engines.append(engine)
        return engine

    def start_patched(self, patch: str, *args: str) -> subprocess.Popen[str]:
        """Start an engine in which the statements `patch` were run first: for constants too long to wait for."""
        code = f"import sys; {patch}; from rivus_tui.cli.main import run; sys.exit(run(sys.argv[1:]))"
        return self.start(*args, command=(sys.executable, "-P", "-c", code))

    def run_to_the_end(self) -> None:
        """Run `run --once` until nothing is left; it must succeed."""
        out, err = self.ended(self.start("run", "boxes", "--once"), 0)
        assert "boxes" in out, err

    def ended(self, engine: subprocess.Popen[str], code: int) -> tuple[str, str]:
        """Wait for the end of an engine, which must come with this code; returns what it printed."""
        out, err = engine.communicate(timeout=DEADLINE_S)
        assert engine.returncode == code, (out, err)
        assert "Traceback" not in err
        return out, err

    def kill(self, engine: subprocess.Popen[str]) -> None:
        """Send SIGKILL and wait for the end."""
        engine.kill()
        self.ended(engine, -signal.SIGKILL)

    def close(self) -> None:
        """End every engine that is left."""
        for engine in self.engines:
            if engine.poll() is None:
                os.kill(engine.pid, signal.SIGCONT)
                engine.kill()
            engine.communicate()

    # The ledger

    def ledger(self, what: str | None = None, pid: int | None = None) -> list[Note]:
        """Lines so far."""
        try:
            lines = (self.root / "ledger").read_text().splitlines()
        except FileNotFoundError:
            return []
        split = [line.split() for line in lines]
        notes = [Note(what=w, at=float(at), pid=int(p), stage=stage, key=key) for w, at, p, stage, key in split]
        return [one for one in notes if what in (None, one.what) and pid in (None, one.pid)]

    def ended_so_far(self) -> int:
        """How many attempts have ended; quick, whatever the ledger's length."""
        with suppress(FileNotFoundError):
            return (self.root / "ledger").read_bytes().count(b"ended ")
        return 0

    def times(self, what: str) -> Counter[tuple[str, str]]:
        """How often each (stage, item) began or ended."""
        return Counter((note.stage, note.key) for note in self.ledger(what))

    def wait_for(self, n: int, what: str = "ended", pid: int | None = None) -> None:
        """Wait until the ledger has `n` such lines."""
        wait_until(lambda: len(self.ledger(what, pid)) >= n, lambda: f"{len(self.ledger(what, pid))} {what}")

    # The state file

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the state file."""
        connection = sqlite3.connect(f"file:{self.state / 'rivus.db'}?mode=ro", uri=True, timeout=5.0)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def rows(self, state: str) -> set[tuple[str, str]]:
        """(stage, item) that are in this state."""
        found = self.query(
            "SELECT stages.name, key, item_stages.state FROM item_stages "
            "JOIN items ON items.id = item_id JOIN stages ON stages.id = stage_id"
        )
        return {(stage, key) for stage, key, now in found if now == state}

    def is_whole(self) -> bool:
        """Every item is done at every stage, with one result each, and the state file is sound."""
        wanted = {(stage, f"box-{n:04}") for stage in STAGES for n in range(self.n)}
        results = self.query(
            "SELECT stages.name, key, output FROM results JOIN items ON items.id = item_id "
            "JOIN stages ON stages.id = stage_id"
        )
        return (
            self.rows("done") == wanted
            and len(results) == len(wanted)
            and all(output == f'{{"box":"{key}"}}' for _, key, output in results)
            and self.query("PRAGMA integrity_check") == [("ok",)]
            and self.query("PRAGMA foreign_key_check") == []
            and self.is_counted()
        )

    def is_counted(self) -> bool:
        """The counters that screens read are those of the rows."""
        rows = self.query("SELECT stage_id, state, count(*) FROM item_stages GROUP BY 1, 2")
        return sorted(rows) == sorted(self.query("SELECT stage_id, state, n FROM stage_counts WHERE n > 0"))


@contextmanager
def planted(**options: Any) -> Iterator[Plant]:
    """A plant in a folder of its own; its engines end with it."""
    with tempfile.TemporaryDirectory(prefix="rivus-plant-") as folder:
        plant = Plant(Path(folder), **options)
        try:
            yield plant
        finally:
            plant.close()


def now() -> float:
    """Wall clock in seconds, as the ledger has it."""
    return time.time()
